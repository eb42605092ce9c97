// From rows to lines of a chart: a column of times, one of numbers, and one whose values are told apart.
import type { Line } from "../../parts/chart";
import type { Result, Value } from "./records";

const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const TONES = ["one", "three", "two", "bad", "stop", "mark", "cached", "warn"] as const;
export const MOST_SERIES = TONES.length;
const OTHERS = "others";

export interface Axes { x: string; y: string; series: string }

function isTime(value: Value | undefined): boolean {
  return typeof value === "string" && TIME.test(value);
}

function timeMs(text: string): number {
  return Date.parse(/[T ]\d\d/.test(text) && !/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? `${text.replace(" ", "T")}Z` : text);
}

function columnsWhere(result: Result, holds: (value: Value) => boolean): string[] {
  return result.columns.filter((_, i) => {
    const values = result.rows.slice(0, 200).map((row) => row[i]!).filter((value) => value !== null);
    return values.length > 0 && values.every(holds);
  });
}

// What may stand on each axis; the first of each is the usual choice.
export function choices(result: Result): { x: string[]; y: string[]; series: string[] } {
  const x = columnsWhere(result, isTime);
  const y = columnsWhere(result, (value) => typeof value === "number");
  const series = columnsWhere(result, (value) => typeof value === "string" && !isTime(value));
  return { x, y, series };
}

export function axesOf(result: Result, query: URLSearchParams): Axes {
  const can = choices(result);
  const one = (name: "x" | "y" | "series", usual: string) => {
    const asked = query.get(name);
    return asked !== null && (can[name].includes(asked) || (name === "series" && asked === "")) ? asked : usual;
  };
  return { x: one("x", can.x[0] ?? ""), y: one("y", can.y[0] ?? ""), series: one("series", can.x.length ? (can.series[0] ?? "") : "") };
}

export function linesOf(result: Result, axes: Axes): { t: number[]; step: number; lines: Line[]; left: number } {
  const at = (name: string) => result.columns.indexOf(name);
  const [x, y, s] = [at(axes.x), at(axes.y), at(axes.series)];
  const times = [...new Set(result.rows.filter((row) => isTime(row[x])).map((row) => timeMs(row[x] as string)))].sort((a, b) => a - b);
  const index = new Map(times.map((time, i) => [time, i]));
  const sums = new Map<string, number>();
  for (const row of result.rows) {
    const name = s < 0 ? axes.y : String(row[s] ?? "");
    sums.set(name, (sums.get(name) ?? 0) + Math.abs(Number(row[y]) || 0));
  }
  const names = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const kept = names.length > MOST_SERIES ? names.slice(0, MOST_SERIES - 1) : names;
  const values = new Map<string, (number | null)[]>();
  for (const row of result.rows) {
    if (!isTime(row[x]) || typeof row[y] !== "number") continue;
    const name = s < 0 ? axes.y : String(row[s] ?? "");
    const key = kept.includes(name) ? name : OTHERS;
    const line = values.get(key) ?? values.set(key, new Array<number | null>(times.length).fill(null)).get(key)!;
    const i = index.get(timeMs(row[x] as string))!;
    line[i] = (line[i] ?? 0) + row[y];
  }
  const gaps = times.slice(1).map((time, i) => time - times[i]!);
  const step = gaps.length ? Math.min(...gaps) : 60_000;
  const lines = [...kept, ...(values.has(OTHERS) ? [OTHERS] : [])].filter((name) => values.has(name))
    .map((name, i): Line => ({ name: name || "(empty)", tone: TONES[i] ?? "quiet-fill", values: values.get(name)! }));
  return { t: times, step, lines, left: names.length - kept.length };
}
