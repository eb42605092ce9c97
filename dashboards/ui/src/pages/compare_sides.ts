// The two sides of a comparison as the address says them: `a.model=…`, `b.from=…`; keys without a side are for both.
import { LABELS, wordFor } from "../filters";
import type { Place } from "../place";
import { change } from "../place";

export type SideName = "a" | "b";
export const SIDES: readonly SideName[] = ["a", "b"];

export interface Choice { value: string; version: string; calls: number }
export interface Choices { model: Choice[]; prompt: Choice[]; service: Choice[]; user_group: Choice[]; tag: Choice[] }
export const DIMENSIONS = ["model", "prompt", "service", "user_group", "tag"] as const;
export type Dimension = (typeof DIMENSIONS)[number];
export const DIMENSION_WORDS: Record<Dimension, string> = { model: "Model", prompt: "Prompt version", service: "App", user_group: "User group", tag: "Tag" };

export interface Value { value: number | null; of: number; low: number | null; high: number | null }
export interface Row {
  key: string; section: string; unit: "share" | "ms" | "usd" | "tokens"; good: "up" | "down" | ""; a: Value; b: Value; difference: number | null; low: number | null;
  high: number | null; p: number | null; verdict: "more" | "less" | "same" | "chance" | "few"; filters: Record<string, string>;
}
export interface SideFacts { start: number; end: number; calls: number; every: number; times_every: number }
export interface Warned { dimension: string; distance: number; value: string; share_a: number; share_b: number }
export interface Comparison { a: SideFacts; b: SideFacts; overlap: number; rows: Row[]; warnings: Warned[] }

export function chosen(query: URLSearchParams): boolean {
  return [...query.keys()].some((key) => /^[ab]\./.test(key));
}

// What a side says itself, as words: "model gpt-4o", "from now-7d".
export function wordsOf(query: URLSearchParams, side: SideName): string[] {
  const words: string[] = [];
  for (const [key, value] of query) {
    if (!key.startsWith(`${side}.`)) continue;
    const name = key.slice(2);
    const bare = name.replace(/!$/, "");
    const label = (LABELS[bare] ?? bare).toLowerCase();
    words.push(`${label}${name.endsWith("!") ? " not" : ""} ${wordFor(bare, value) || "(none)"}`);
  }
  return words;
}

// In what the sides were chosen to differ, in words; a prompt and its version are one thing, as is a time.
export function madeToDiffer(query: URLSearchParams): string[] {
  const names = new Map([["prompt_version", "prompt"], ["from", "time"], ["to", "time"], ["service", "app"], ["user_group", "user group"], ["provider", "model"]]);
  const of = (side: SideName, name: string) => query.getAll(`${side}.${name}`).sort().join("\n");
  const own = new Set([...query.keys()].filter((key) => /^[ab]\./.test(key)).map((key) => key.slice(2)));
  const differ = [...own].filter((name) => of("a", name) !== of("b", name)).map((name) => name.replace(/!$/, ""));
  return [...new Set(differ.map((name) => names.get(name) ?? (LABELS[name] ?? name).toLowerCase()))].sort();
}

// The address that lists the calls of a side.
export function callsOf(query: URLSearchParams, side: SideName, filters: Record<string, string>): URLSearchParams {
  const next = new URLSearchParams();
  const own = new Set([...query.keys()].filter((key) => key.startsWith(`${side}.`)).map((key) => key.slice(2).replace(/!$/, "")));
  for (const [key, value] of query) {
    if (key.startsWith(`${side}.`)) next.append(key.slice(2), value);
    else if (!/^[ab]\./.test(key) && !own.has(key.replace(/!$/, ""))) next.append(key, value);
  }
  return change(next, filters);
}

export function pairOf(query: URLSearchParams, side: SideName, dimension: Dimension): string {
  if (dimension !== "prompt") return query.get(`${side}.${dimension}`) ?? "";
  const name = query.get(`${side}.prompt`);
  return name === null ? "" : `${name}\u001f${query.get(`${side}.prompt_version`) ?? ""}`;
}

export function withPair(query: URLSearchParams, side: SideName, dimension: Dimension, pair: string): URLSearchParams {
  const [value = "", version = ""] = pair.split("\u001f");
  if (dimension !== "prompt") return change(query, { [`${side}.${dimension}`]: pair || null });
  return change(query, { [`${side}.prompt`]: pair ? value : null, [`${side}.prompt_version`]: pair ? version : null });
}

export interface Preset { name: string; query: URLSearchParams }

export function presets(here: Place, found: Choices): Preset[] {
  const clear = cleared(here.query);
  const made: Preset[] = [];
  const two = (name: string, dimension: Dimension, a: Choice | undefined, b: Choice | undefined) => {
    if (!a || !b) return;
    const pair = (one: Choice) => (dimension === "prompt" ? `${one.value}\u001f${one.version}` : one.value);
    made.push({ name, query: withPair(withPair(clear, "a", dimension, pair(a)), "b", dimension, pair(b)) });
  };
  two("Two models", "model", found.model[0], found.model[1]);
  const first = found.prompt.find((one) => found.prompt.some((other) => other.value === one.value && other.version !== one.version));
  const versions = first ? found.prompt.filter((one) => one.value === first.value).slice(0, 2).sort((x, y) => x.version.localeCompare(y.version, "en", { numeric: true })) : [];
  two("Two versions of a prompt", "prompt", versions[0], versions[1]);
  made.push({ name: "This week against last", query: change(clear, { "a.from": "now-14d", "a.to": "now-7d", "b.from": "now-7d", "b.to": "now" }) });
  made.push({ name: "Today against yesterday", query: change(clear, { "a.from": "now-48h", "a.to": "now-24h", "b.from": "now-24h", "b.to": "now" }) });
  two("Two apps", "service", found.service[0], found.service[1]);
  two("Two user groups", "user_group", found.user_group[0], found.user_group[1]);
  two("Two tags", "tag", found.tag[0], found.tag[1]);
  return made;
}

function cleared(query: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams(query);
  for (const key of [...next.keys()]) if (/^[ab]\./.test(key)) next.delete(key);
  return next;
}

export function swapped(query: URLSearchParams): URLSearchParams {
  const next = new URLSearchParams();
  for (const [key, value] of query) next.append(key.startsWith("a.") ? `b.${key.slice(2)}` : key.startsWith("b.") ? `a.${key.slice(2)}` : key, value);
  return next;
}
