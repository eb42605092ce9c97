// What the operations on failures answer, as failures/answers.py has it. Times in milliseconds unless named us.
export const KINDS = [
  "provider_error", "rate_limit", "timeout", "client_error", "refusal", "cut_by_length", "invalid_json", "empty", "guard_block", "cancelled", "other",
] as const;
export type Kind = (typeof KINDS)[number];

export const KIND_WORDS: Record<string, string> = {
  provider_error: "Provider error", rate_limit: "Rate limit", timeout: "Timeout", client_error: "Bad request", refusal: "Refused by the model",
  cut_by_length: "Cut by length", invalid_json: "Invalid JSON", empty: "Empty answer", guard_block: "Blocked by a guard", cancelled: "Cancelled", other: "Other",
};
export const KIND_MEANING: Record<string, string> = {
  provider_error: "The provider or the network failed: HTTP 5xx, broken connections",
  rate_limit: "The provider turned the call away: too many, or no quota",
  timeout: "No answer in time",
  client_error: "The request was wrong: HTTP 4xx, keys, contexts that are too long",
  refusal: "The model declined, or the provider's content filter did",
  cut_by_length: "The answer reached its limit of tokens",
  invalid_json: "JSON was asked for, and the answer cannot be read as JSON",
  empty: "An answer without text and without a tool call",
  guard_block: "A rule of the policy stopped the call",
  cancelled: "The app gave up on it before the end",
  other: "None of the others fits",
};
export const KIND_TONES: Record<string, string> = {
  provider_error: "bad", rate_limit: "three", timeout: "warn", client_error: "mark", refusal: "two", cut_by_length: "cached", invalid_json: "one",
  empty: "quiet-fill", guard_block: "stop", cancelled: "muted", other: "text",
};

export interface Where {
  dimension: string; value: string; version: string; calls: number; failed: number; share: number; base: number; rate: number; elsewhere: number;
}

export interface Group {
  group: string; kind: string; text: string; calls: number; before: number; first: number; last: number; new: boolean; spark: number[]; where: Where | null;
}

export interface FailurePage {
  start: number; end: number; step: number; live: boolean; rolled: boolean; calls: number; calls_before: number; failed: number; failed_before: number;
  known_from: number; since: number; kinds: { kind: string; calls: number; before: number }[]; t: number[]; all: number[]; series: Record<string, number[]>;
  groups: Group[]; more: number;
}

export interface Share { value: string; version: string; failed: number; calls: number; rate: number; low: number; high: number }

export interface Example {
  trace_id: string; span_id: string; us: number; service: string; provider: string; model: string; prompt: string; prompt_version: string; user_group: string;
  latency_ms: number; message: string;
}

export interface Change { what: string; value: string; version: string; us: number; share: number | null }

export interface GroupPage {
  start: number; end: number; step: number; live: boolean; group: string; kind: string; text: string; first: number; last: number; new: boolean; failed: number;
  calls: number; low: number; high: number; where: Where | null; t: number[]; failed_series: number[]; all: number[]; breakdowns: Record<string, Share[]>;
  examples: Example[]; changes: Change[];
}
