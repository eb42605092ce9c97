// A row of a comparison in plain words.
import { compact, ms, percent, usd } from "../format";
import { KIND_WORDS } from "./failure_records";
import type { Row } from "./compare_sides";

const NAMES: Record<string, string> = {
  failed: "Any failure", json_valid: "Valid JSON, where asked for", tool_calls: "Answers with a tool call", guard_blocked: "Blocked", guard_modified: "Modified",
  guard_flagged: "Flagged", guard_failed_open: "Failed open", latency_p50: "Latency, half of calls", latency_p95: "Latency, 95 of 100", ttft_p50: "First token, half of calls",
  ttft_p95: "First token, 95 of 100", cost: "Cost of a call", input: "Input tokens", output: "Output tokens",
};
export const SECTIONS: readonly (readonly [string, string])[] = [
  ["failures", "Failures"], ["speed", "Speed"], ["amounts", "Cost and length, mean"], ["answers", "Answers"], ["guards", "Guards"], ["finish", "Finish reasons"],
];

export function nameOf(row: Row): string {
  return row.key.startsWith("finish:") ? row.key.slice(7) : (NAMES[row.key] ?? KIND_WORDS[row.key] ?? row.key);
}

export function amount(row: Row, n: number | null): string {
  if (n === null) return "–";
  if (row.unit === "share") return percent(n);
  if (row.unit === "ms") return ms(n);
  return row.unit === "usd" ? usd(n) : compact(Math.round(n));
}

export function signed(row: Row, n: number | null): string {
  if (n === null) return "–";
  const sign = n > 0 ? "+" : n < 0 ? "−" : "";
  const size = Math.abs(n);
  if (row.unit === "share") return `${sign}${(size * 100).toFixed(size < 0.1 ? 1 : 0)} points`;
  return `${sign}${amount(row, size)}`;
}

// Better, worse, or merely other.
export function mood(row: Row): "good" | "bad" | "" {
  if (!row.good || (row.verdict !== "more" && row.verdict !== "less")) return "";
  return (row.verdict === "more") === (row.good === "up") ? "good" : "bad";
}

const MORE: Record<Row["unit"], string> = { share: "has more", ms: "is slower", usd: "costs more", tokens: "is longer" };
const LESS: Record<Row["unit"], string> = { share: "has less", ms: "is faster", usd: "costs less", tokens: "is shorter" };

export function verdictOf(row: Row): string {
  const between = `between ${signed(row, row.low)} and ${signed(row, row.high)}`;
  const calls = new Intl.NumberFormat("en-US").format(Math.min(row.a.of, row.b.of));
  switch (row.verdict) {
    case "more":
    case "less":
      return `B ${(row.verdict === "more" ? MORE : LESS)[row.unit]}: ${signed(row, row.difference)}, ${between}`;
    case "same":
      return `no difference that ${calls} calls can show`;
    case "chance":
      return "perhaps: chance does as much among so many rows";
    case "few":
      return row.a.of && row.b.of ? "too few calls to say" : "nothing to compare";
  }
}
