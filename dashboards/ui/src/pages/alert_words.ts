// Rules and their figures in words.
import { LABELS } from "../filters";
import { bytes, count, ms, NONE, percent, usd } from "../format";
import type { Rule, Unit } from "./alert_records";

const size = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 3 });

const FIGURES: Record<Unit, (n: number) => string> = {
  share: percent, ms, count, per_minute: (n) => `${size.format(n)}/min`, usd_per_hour: (n) => `${usd(n)}/h`, minutes: (n) => `${size.format(n)} min`,
  seconds: (n) => `${size.format(n)} s`, bytes,
  times: (n) => `${size.format(n)} × limit`, effect: (n) => size.format(n),
};

export function figure(n: number | null | undefined, unit: Unit): string {
  return n == null ? NONE : FIGURES[unit](n);
}

// What is typed in the form: shares in percent.
export const TYPED: Partial<Record<Unit, { factor: number; suffix: string }>> = {
  share: { factor: 100, suffix: "%" }, ms: { factor: 1, suffix: "ms" }, per_minute: { factor: 1, suffix: "a minute" }, usd_per_hour: { factor: 1, suffix: "$ an hour" },
  minutes: { factor: 1, suffix: "min" }, seconds: { factor: 1, suffix: "s" }, bytes: { factor: 1 / 1048576, suffix: "MiB" }, count: { factor: 1, suffix: "" },
};

export function span(seconds: number): string {
  if (seconds % 86400 === 0 && seconds) return `${seconds / 86400} d`;
  if (seconds % 3600 === 0 && seconds) return `${seconds / 3600} h`;
  return seconds % 60 === 0 && seconds ? `${seconds / 60} min` : `${seconds} s`;
}

export function scopeWords(rule: Rule): string {
  return Object.entries(rule.scope).map(([key, values]) => `${LABELS[key.replace(/!$/, "")] ?? key} ${key.endsWith("!") ? "not " : ""}${values.join(" or ") || "(none)"}`).join(", ");
}

const PLAIN = new Set(["no_data", "budget_share", "ingest_lag", "queue_bytes", "drift"]);

export function conditionWords(rule: Rule, metric: string, unit: Unit): string {
  const what = `${metric}${rule.kind ? ` (${rule.kind.replaceAll("_", " ")})` : ""}`;
  if (rule.metric === "burn_rate") return `Fails faster than a target of ${size.format(rule.target * 100)}% allows`;
  if (rule.metric === "drift") return "A drift alarm stands";
  const level = `${rule.condition} ${figure(rule.threshold, unit)}`;
  const over = PLAIN.has(rule.metric) ? "" : ` over ${span(rule.window_s)}`;
  return `${what} ${level}${over}${rule.for_s ? ` for ${span(rule.for_s)}` : ""}`;
}

// The list of calls that a rule is about.
export function callsQuery(rule: Rule, from: string, to: string, names: readonly string[] = []): URLSearchParams {
  const query = new URLSearchParams({ from, to });
  for (const [key, values] of Object.entries(rule.scope)) for (const value of values) query.append(key, value);
  rule.by.forEach((name, i) => names[i] !== undefined && query.set(name, names[i]));
  const narrowed = NARROWED[rule.metric];
  if (narrowed && !(narrowed[0] in rule.scope)) query.set(...narrowed);
  return query;
}

const NARROWED: Record<string, [string, string]> = {
  failure_rate: ["status", "error"], burn_rate: ["status", "error"], blocked_rate: ["status", "blocked"], unpriced: ["priced", "no"], fail_open: ["guard", "failed_open"],
  latency_p50: ["sort", "-latency"], latency_p95: ["sort", "-latency"], latency_p99: ["sort", "-latency"], cost_per_hour: ["sort", "-cost"], budget_share: ["sort", "-cost"],
};
