// Answers of /api/guards and /api/guards/review.
import type { GuardKind } from "../records";

export interface Precision {
  right: number; wrong: number; unsure: number; missed: number;
  precision: number | null; low: number | null; high: number | null;
}
export interface Moved { ratio: number | null; sure: boolean }
export interface Group {
  name: string; events: number; findings: number; calls: number; before: number; rate: number | null; moved: Moved;
  latency: number[];
}
export interface Cause { by: string; value: string; share: number; grown: number }
export interface Rule extends Group {
  kinds: Record<GuardKind, number>; policy: string; modes: string[]; detectors: string[]; labels: string[]; stages: string[];
  precision: Precision | null; causes: Cause[];
}
export interface Totals {
  calls: number; guarded: number; unguarded: number; failed_open: number; degraded: number; blocked: number; modified: number;
  latency: number[];
}
export interface Example { trace_id: string; span_id: string; us: number; service: string; label: string; score: number }
export interface Shadowed {
  rule: string; policy: string; verdict: string; would: string; calls: number; labels: string[]; examples: Example[];
}
export interface GuardFailure {
  rule: string; detector: string; verdict: string; mode: string; reason: string; calls: number; last_us: number;
}
export interface Verdicts {
  start: number; end: number; step: number; live: boolean; totals: Totals; previous: Totals;
  series: { t: number[]; latency_p50: (number | null)[]; latency_p95: (number | null)[] } & Record<GuardKind, number[]>;
  rules: Rule[]; detectors: Group[]; labels: Group[]; stages: Group[];
  shadow: { blocked: number; modified: number; rules: Shadowed[] };
  trouble: {
    failures: GuardFailure[]; skipped: GuardFailure[]; reports: { service: string; reason: string; count: number }[];
    engines: { detector: string; engine: string; calls: number }[]; now: string[];
    unguarded: { service: string; env: string; calls: number; of: number }[];
  };
}

export interface Finding {
  trace_id: string; span_id: string; us: number; service: string; env: string; rule: string; policy: string; detector: string;
  label: string; stage: string; score: number; findings: number; verdict: string; action: string; mode: string;
  labels: number; why: string;
}
export interface Queue { findings: Finding[]; left: number; labelled: number }
export type Said = "right" | "wrong" | "unsure";
