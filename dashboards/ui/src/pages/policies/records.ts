// What the operations of policies answer; as collector/desk/records.py.
export interface Card {
  id: string; named: string; kind: "shipped" | "file" | "folder" | "missing"; name: string; hash: string; rules: number; shadow: number;
  problem: string; why_fixed: string;
}

export interface PolicyList {
  in_force: { name: string; hash: string; problem: string; since_us: number | null; by: string; degraded: string[] };
  policies: Card[]; may_edit: boolean;
}

export interface When { stage: string[]; app: string[]; environment: string[]; provider: string[]; model: string[]; prompt: string[]; user_group: string[]; tags: string[] }
export type Choice = number | { threshold: number; action: string };
export interface Rule {
  name: string; when: When; detect: Record<string, Record<string, Choice>>; action: string; restore: boolean; reply: string | null;
  mode: "enforce" | "shadow"; on_error: string | null; on_timeout: string | null; latency_budget_ms: number | null;
  stream: { mode: string; window: number } | null;
}
export interface RuleShown { rule: Rule; file: string; line: number; inherited: boolean }
export interface OwnFile { name: string; path: string; text: string; digest: string }
export interface PolicyShown {
  card: Card; in_force: boolean; extends: string | null; defaults: Record<string, string | number | null>; detectors: Record<string, unknown>;
  files: OwnFile[]; watching: RuleShown[]; rules: RuleShown[]; start: number; found: number; may_edit: boolean;
}

export interface Finding { file: string; line: number; severity: "error" | "warning" | "hint"; text: string; word: string; meant: string }
export interface Checked { ok: boolean; name: string; hash: string; rules: number; in_the_way: number; findings: Finding[]; more: number }
export interface Tested { policy: string; hash: string; degraded: string[]; failed: number; cases: { name: string; line: number; passed: boolean; differences: string[]; ms: number }[] }
export interface Difference {
  before: { name: string; hash: string }; after: { name: string; hash: string };
  rules: { rule: string; change: "added" | "removed" | "changed"; words: string[] }[]; text: string[]; cut: boolean;
}

export interface Tally { calls: number; examples: string[] }
export interface Side { policy: string; hash: string; calls: Record<string, number>; latency_ms: { p50: number; p99: number }; failures: Record<string, number> }
export interface ChangedCall { trace_id: string; span_id: string; us: number; app: string; model: string; gained: string[]; lost: string[]; caught: string[]; missed: string[]; rules: string[] }
export interface Replayed {
  current: Side; candidate: Side; calls: number; empty: number; unreadable: number; remembered: number; foreign: number;
  gained: Record<string, Tally>; lost: Record<string, Tally>; caught: Record<string, Tally>; missed: Record<string, Tally>;
  differing: number; changed: ChangedCall[];
}
export interface DryRun { id: string; hash: string; state: "running" | "done" | "stopped" | "cancelled" | "failed"; calls: number; most: number; seconds: number; problem: string; result: Replayed | null }

export interface Entry { us: number; actor: string; action: string; subject: string; from: string; to: string; rules: string; from_kept: boolean; to_kept: boolean }
export interface History { entries: Entry[]; next: string }
export interface Version { hash: string; name: string; files: Record<string, string> }
export interface Shadows { calls: number; days: number; rules: { rule: string; verdict: string; would: string; calls: number; labels: string[]; traces: string[] }[] }
export interface Word { at: string; word: string; text: string; values: string[] }
export interface Saved { file: string; hash: string; digest: string; option: string }
export interface Status { name: string; hash: string; problem: string }

// The text that is worked on, of one file of a policy.
export interface Draft { file: OwnFile; text: string; changed: boolean }
