// Numbers and times for people: English formats, few digits, and never a zero for what is not known.
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const full = new Intl.DateTimeFormat("en-GB", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});

export const NONE = "–";
type Maybe = number | null | undefined;

export function count(n: Maybe): string {
  return n == null ? NONE : whole.format(n);
}

export function compact(n: Maybe): string {
  return n == null ? NONE : n < 10000 ? whole.format(n) : short.format(n);
}

export function percent(share: Maybe): string {
  if (share == null || Number.isNaN(share)) return NONE;
  const p = share * 100;
  return `${p === 0 ? "0" : p < 0.1 ? "<0.1" : p < 10 ? p.toFixed(1) : p.toFixed(0)}%`;
}

export function ms(n: Maybe): string {
  if (n == null) return NONE;
  if (n < 1) return `${n.toFixed(2)} ms`;
  if (n < 1000) return `${n < 10 ? n.toFixed(1) : n.toFixed(0)} ms`;
  if (n < 60_000) return `${(n / 1000).toFixed(n < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(n / 60_000)} m ${Math.round((n % 60_000) / 1000)} s`;
}

export function usd(n: Maybe): string {
  if (n == null) return "unpriced";
  if (n === 0) return "$0";
  if (n < 0.01) return `$${n.toFixed(Math.min(12, 1 - Math.floor(Math.log10(n)))).replace(/0$/, "")}`;
  if (n < 1000) return `$${n.toFixed(n < 1 ? 3 : 2)}`;
  return `$${short.format(n)}`;
}

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

export function bytes(n: Maybe): string {
  if (n == null) return NONE;
  const step = n < 1024 ? 0 : Math.min(Math.floor(Math.log2(n) / 10), SIZES.length - 1);
  const left = n / 1024 ** step;
  return `${left.toFixed(step === 0 || left >= 100 ? 0 : 1)} ${SIZES[step]!}`;
}

export function calls(n: number): string {
  return `${count(n)} call${n === 1 ? "" : "s"}`;
}

// How much more or less often.
export function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio >= 1 ? ratio.toFixed(1) : ratio.toFixed(2)}×`;
}

// A call that used no tokens (it failed before) cost nothing that could have a price.
export function costOf(call: { cost: number | null; input_tokens: number; output_tokens: number }): string {
  return call.cost === null && call.input_tokens + call.output_tokens === 0 ? NONE : usd(call.cost);
}

// Nobody counted: that is not zero tokens.
export function counted(call: { usage_source: string }): boolean {
  return call.usage_source !== "" && call.usage_source !== "none";
}

export function tokensOf(call: { usage_source: string; input_tokens: number; output_tokens: number }): string {
  const sum = call.input_tokens + call.output_tokens;
  return sum === 0 && !counted(call) ? NONE : compact(sum);
}

// For axes: round steps, so no digits that say nothing.
export function axisMs(n: number): string {
  return n === 0 ? "0" : n < 1000 ? `${+n.toFixed(2)} ms` : n < 60_000 ? `${+(n / 1000).toFixed(2)} s` : `${+(n / 60_000).toFixed(1)} min`;
}

export function axisUsd(n: number): string {
  return n === 0 ? "$0" : `$${n >= 1000 ? compact(n) : +n.toPrecision(3)}`;
}

export function delta(now: Maybe, before: Maybe): number | null {
  return now == null || before == null || before === 0 ? null : now / before - 1;
}

const today = () => new Date().toDateString();

export function clockOf(us: number): string {
  return clock.format(us / 1000);
}

export function dayOf(us: number): string {
  return day.format(us / 1000);
}

export function timeOf(us: number): string {
  const at = new Date(us / 1000);
  return at.toDateString() === today() ? clock.format(at) : `${day.format(at)}, ${clock.format(at)}`;
}

export function exact(us: number): string {
  return `${new Date(us / 1000).toISOString().replace("T", " ").replace("Z", " UTC")}`;
}

export function local(us: number): string {
  return full.format(us / 1000);
}

export function bucket(from: number, step: number): string {
  const start = new Date(from);
  const end = new Date(from + step);
  const name = (at: Date) => (step < 60_000 ? clock : minute).format(at);
  if (step >= 86_400_000) return `${day.format(start)}`;
  return `${day.format(start)}, ${name(start)} – ${name(end)}`;
}

export function rangeName(from: number, to: number): string {
  const a = new Date(from);
  const b = new Date(to);
  const same = a.toDateString() === b.toDateString();
  return `${day.format(a)}, ${minute.format(a)} – ${same ? "" : `${day.format(b)}, `}${minute.format(b)}`;
}

export function ago(us: number): string {
  const s = Math.max(0, (Date.now() - us / 1000) / 1000);
  if (s < 60) return `${Math.round(s)} s ago`;
  if (s < 3600) return `${Math.round(s / 60)} min ago`;
  if (s < 86400) return `${Math.round(s / 3600)} h ago`;
  return `${Math.round(s / 86400)} d ago`;
}
