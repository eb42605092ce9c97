// The span of time a view shows, as the address says it.
import { change } from "./place";

export const PRESETS: readonly (readonly [string, string])[] = [
  ["now-15m", "Last 15 minutes"],
  ["now-1h", "Last hour"],
  ["now-6h", "Last 6 hours"],
  ["now-24h", "Last 24 hours"],
  ["now-7d", "Last 7 days"],
  ["now-14d", "Last 14 days"],
  ["now-30d", "Last 30 days"],
  ["now-90d", "Last 90 days"],
];
export const DEFAULT_FROM = "now-24h";

export interface Range {
  from: string;
  to: string;
}

export function rangeOf(query: URLSearchParams): Range {
  return { from: query.get("from") ?? DEFAULT_FROM, to: query.get("to") ?? "now" };
}

const HOURS: Record<string, number> = { m: 1 / 60, h: 1, d: 24 };

// The range of a list that is sure to hold the call of that moment: the one in the address, or the shortest preset.
export function around(query: URLSearchParams, at: number): Record<string, string> {
  const { from, to } = rangeOf(query);
  if (to !== "now") return { from, to };
  const age = (Date.now() - at) / 3_600_000;
  const holds = (preset: string) => {
    const [, n, unit] = /^now-(\d+)([mhd])$/.exec(preset) ?? [];
    return n && unit ? Number(n) * (HOURS[unit] ?? 0) > age * 1.05 : Date.parse(preset) < at;
  };
  return { from: holds(from) ? from : (PRESETS.slice(3).find(([preset]) => holds(preset))?.[0] ?? new Date(at - 86_400_000).toISOString()) };
}

export function isLive(query: URLSearchParams): boolean {
  return rangeOf(query).to === "now";
}

export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

export function withRange(query: URLSearchParams, from: string, to: string): URLSearchParams {
  return change(query, { from, to: to === "now" ? null : to });
}

// What the API is asked: the page's own keys go, the range is always said.
export function asked(query: URLSearchParams, keep: readonly string[] = []): URLSearchParams {
  const { from, to } = rangeOf(query);
  const next = change(query, { from, to });
  if (!keep.includes("sort")) next.delete("sort");
  for (const name of ["columns", "read"]) next.delete(name);
  return next;
}
