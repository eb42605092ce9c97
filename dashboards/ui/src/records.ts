// What the API answers. Times: `us` in microseconds, `t`, `from`, `to`, `step` in milliseconds; costs in US dollars, null = unpriced.
export interface CallRow {
  trace_id: string; span_id: string; us: number; service: string; env: string; operation: string; provider: string;
  request_model: string; model: string; status: "ok" | "error" | "blocked"; error_type: string; finish_reason: string;
  stream: number; stream_end: string; input_tokens: number; cached_tokens: number; output_tokens: number; reasoning_tokens: number;
  usage_source: string; cost: number | null; latency_ms: number; ttft_ms: number; guard_verdict: string; guard_action: string;
  degraded: number; content_withheld: string; session_id: string; user_id: string; prompt_name: string; prompt_version: string;
  tags: string[]; input_preview: string; output_preview: string; failure: string;
  guards: CallKind[]; rules: string[];
}

export interface CallDetail extends CallRow {
  parent_span_id: string; status_message: string; chunks: number; cache_write_tokens: number; price_version: string;
  policy_hash: string; guard_latency_ms: number; user_group: string; tenant: string;
}

export interface GuardEvent {
  us: number; rule: string; policy: string; policy_hash: string; stage: string; detector: string; label: string; score: number;
  findings: number; verdict: string; action: string; mode: string; engine: string; degraded: number; latency_ms: number; reason: string;
}

export interface Span {
  span_id: string; parent_span_id: string; name: string; kind: string; service: string; scope: string; status: string;
  status_message: string; us: number; duration_us: number; attributes: Record<string, string>; resource: Record<string, string>;
  events: string[]; is_call: number;
}

export interface Content { input: string; output: string; system: string; tools: string; cut: string[] }
// `hidden`: this reader may not see what was said, so it was left out.
export interface Said { content: Content | null; events: GuardEvent[]; hidden: boolean }
export interface Turn { span_id: string; us: number; name: string; service: string; status: string; is_call: number; content: Content }
export interface TraceSaid { turns: Turn[]; more: boolean }
export interface Ids { trace_id: string; span_id: string }

export interface CallPage {
  call: CallDetail; content: Content | null; events: GuardEvent[]; spans: Span[]; more_spans: boolean;
  previous: Ids | null; next: Ids | null; hidden: boolean;
}

// `searched`: a search came to `since` (milliseconds), `whole` if that is all of the range; `total` is of what was searched.
export interface CallList { calls: CallRow[]; next: string | null; total: number; hidden: boolean; searched: { since: number; whole: boolean } | null }
export interface TailEvent { calls: CallRow[]; more: number; hidden: boolean }
export interface Kept { id: string; name: string; address: string; version: number; changed: number; actor: string }
/** `about`: reckoned from a part of the calls, as there are very many. */
export type Facets = Record<string, { value: string; calls: number; about?: boolean }[]>;

export interface Counts {
  calls: number; errors: number; blocked: number; unpriced: number; input_tokens: number; cached_tokens: number;
  output_tokens: number; cost: number | null; latency: number[];
}
export const GUARD_KINDS = ["blocked", "modified", "flagged", "shadow", "failed_open"] as const;
export type CallKind = GuardKind | "unguarded" | "clean";
export type GuardKind = (typeof GUARD_KINDS)[number];
export const GUARD_WORDS: Record<GuardKind, string> = { blocked: "blocked", modified: "modified", flagged: "flagged", shadow: "shadow only", failed_open: "failed open" };
export const GUARD_TONES: Record<GuardKind, string> = { blocked: "stop", modified: "mark", flagged: "warn", shadow: "quiet-fill", failed_open: "bad" };
export interface Totals extends Counts { ttft_ms: number[]; guards: Record<GuardKind, number> }

export interface Series {
  t: number[]; calls: number[]; errors: number[]; blocked: number[]; unpriced: number[]; input_tokens: number[];
  cached_tokens: number[]; output_tokens: number[]; cost: (number | null)[];
  latency_p50: (number | null)[]; latency_p95: (number | null)[]; latency_p99: (number | null)[];
  ttft_p50: (number | null)[]; ttft_p95: (number | null)[]; ttft_p99: (number | null)[];
}

export interface Failure {
  status: string; error_type: string; calls: number; services: number; models: number; last_us: number; last_model: string;
  message: string; trace_id: string; span_id: string; rules: string[];
}

export interface Overview {
  from: number; to: number; step: number; live: boolean; rolled: boolean; totals: Totals; previous: Totals; series: Series;
  guards: { t: number[] } & Record<GuardKind, number[]>;
  models: (Counts & { provider: string; model: string })[]; failures: Failure[];
}

export interface Sidecar {
  status?: string; store?: string; policy?: { name?: string; hash?: string; problem?: string }; degraded?: string[];
  ingest_lag_seconds?: number; queue_bytes?: number; log_refuses?: boolean; ingest_errors?: number;
  segments_set_aside?: number; review_failures?: number;
  spool_files_adopted?: number; workers?: { engine: string; alive: boolean; trouble: string; waiting: number; restarts: number }[];
  vault?: { problem?: string }; audit?: { problem?: string }; alerts?: { problem: string; waiting: number; lost: number };
  repricing?: { problem?: string }; traits?: { problem?: string };
}

export interface Health {
  sidecar: Sidecar;
  reports: { kind: string; reason: string; service: string; count: number; last_us: number }[];
  unpriced: { provider: string; model: string; calls: number }[];
  day: { calls: number; failed_open: number; unguarded: number; degraded: number; withheld: number; uncounted: number; newest_us: number | null };
  stored: { calls: number; demo: number };
}
