// What /api/drift answers; times in milliseconds unless a name says otherwise.
export type DriftState = "learning" | "steady" | "drifting" | "too few calls";

export interface DriftHistory {
  t: number[];
  end: number[];
  share: number[];
  low: number[];
  high: number[];
}

export interface Standing {
  service: string;
  stream: string;
  title: string;
  state: DriftState;
  left: number;
  calls: number;
  what: string;
  share: number | null;
  expected: number | null;
  effect: number | null;
  psi: number | null;
  hellinger: number | null;
  alarm: string | null;
  history: DriftHistory;
}

export interface AlarmRow {
  id: string;
  service: string;
  stream: string;
  title: string;
  text: string;
  since: number;
  found: number;
  until: number | null;
  share: number;
  expected: number;
  effect: number;
}

export interface DriftPage {
  until: number;
  streams: Standing[];
  alarms: AlarmRow[];
  left_out: number;
}

export interface Segment {
  key: string;
  name: string;
  value: string;
  calls: number;
  part: number;
  part_before: number;
  share: number;
  expected: number;
  excess: number;
  without: number;
  carried: number;
}

export interface Change {
  key: string;
  name: string;
  changed: boolean;
  new: string[];
  gone: string[];
  kept: string[];
  first: number | null;
}

export interface AlarmPage {
  alarm: AlarmRow;
  calls: number;
  psi: number;
  hellinger: number;
  history: DriftHistory;
  buckets: { bucket: string; word: string; now: number; before: number; in_change: boolean; filters: Record<string, string> | null }[];
  cause: { text: string; key: string; value: string; segments: Segment[] };
  changes: Change[];
  deeds: { at: number; actor: string; action: string; subject: string }[];
  typical: { trace_id: string; span_id: string; us: number; preview: string; words: string[] }[] | null;
}
