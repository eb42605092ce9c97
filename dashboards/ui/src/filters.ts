// The conditions of a view: which keys of the address are filters, and how they read.
import { change } from "./place";

export const LABELS: Record<string, string> = {
  status: "Status",
  failure: "Failure",
  failure_group: "Failure group",
  error_type: "Error",
  guard: "Guards",
  rule: "Guard rule",
  detector: "Detector",
  label: "Label",
  stage: "Stage",
  event_mode: "Rule mode",
  event_verdict: "Rule's verdict",
  event_action: "Rule's action",
  guard_verdict: "Verdict",
  guard_action: "Guard action",
  service: "Service",
  env: "Environment",
  provider: "Provider",
  model: "Model",
  operation: "Operation",
  finish_reason: "Finish reason",
  prompt: "Prompt",
  prompt_version: "Prompt version",
  user_group: "User group",
  session: "Session",
  user: "User",
  tag: "Tag",
  policy: "Policy",
  priced: "Priced",
  usage: "Usage source",
  stream_end: "Stream end",
  tenant: "Tenant",
  trace: "Trace",
  min_latency: "Latency ≥ ms",
  max_latency: "Latency ≤ ms",
  min_ttft: "First token ≥ ms",
  min_tokens: "Tokens ≥",
  min_cost: "Cost ≥ $",
};

// Values that read better in other words than the store's.
const WORDS: Record<string, Record<string, string>> = {
  guard: { failed_open: "failed open", shadow: "shadow only", unguarded: "not guarded" },
  failure: {
    "": "none", provider_error: "provider error", rate_limit: "rate limit", client_error: "bad request", cut_by_length: "cut by length",
    invalid_json: "invalid JSON", empty: "empty answer", guard_block: "guard block",
  },
  usage: { "": "not reported", none: "not reported" },
};

export function wordFor(name: string, value: string): string {
  return WORDS[name]?.[value] ?? value;
}

export interface Filter {
  key: string;
  name: string;
  value: string;
  not: boolean;
}

export function filtersOf(query: URLSearchParams): Filter[] {
  const found: Filter[] = [];
  for (const [key, value] of query) {
    const name = key.replace(/!$/, "");
    if (name in LABELS) found.push({ key, name, value, not: key.endsWith("!") });
  }
  return found;
}

export function toggled(query: URLSearchParams, key: string, value: string): URLSearchParams {
  const values = query.getAll(key);
  const rest = values.filter((one) => one !== value);
  return change(query, { [key]: rest.length < values.length ? rest : [...values, value] });
}

export function cleared(query: URLSearchParams): URLSearchParams {
  const gone: Record<string, null> = { q: null, in: null };
  for (const { key } of filtersOf(query)) gone[key] = null;
  return change(query, gone);
}
