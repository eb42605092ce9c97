// Addresses and words that the cost page's parts share.
import { LABELS } from "../filters";
import { percent, usd } from "../format";
import { change, href } from "../place";

export const DIMENSIONS = ["model", "service", "user", "user_group", "prompt", "prompt_version", "tag", "provider", "env"] as const;
const OWN = { view: null, sort: null, tab: null };

// How the table is split: rows, and columns or none. In the address as `view=model.user`.
export function splitOf(query: URLSearchParams): { by: string; across: string } {
  const [by = "", across = ""] = (query.get("view") ?? "").split(".");
  const known = (name: string) => ((DIMENSIONS as readonly string[]).includes(name) ? name : "");
  return { by: known(by) || "model", across: known(across) === (known(by) || "model") ? "" : known(across) };
}

export function toCalls(query: URLSearchParams, filters: Record<string, string | readonly string[]> = {}): string {
  return href("/calls", change(query, { ...OWN, ...filters }));
}

export function word(dimension: string): string {
  return (LABELS[dimension] ?? dimension).toLowerCase();
}

export function named(dimension: string, value: string): string {
  return value || (dimension === "tag" ? "no tag" : dimension === "user" ? "no user" : `no ${word(dimension)}`);
}

export function signed(n: number): string {
  return `${n < 0 ? "−" : "+"}${usd(Math.abs(n))}`;
}

export function signedShare(share: number | null): string {
  if (share === null) return "new";
  return `${share < 0 ? "−" : "+"}${Math.abs(share) >= 9.995 ? `${(share + 1).toFixed(0)}×` : percent(Math.abs(share))}`;
}
