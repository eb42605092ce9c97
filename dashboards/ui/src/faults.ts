// Is the picture whole? What is not, in words that say what to do.
import { count } from "./format";
import { href } from "./place";
import type { Health, Sidecar } from "./records";

export interface Fault {
  tone: "bad" | "warn";
  text: string;
  link?: string;
}

const LAG_S = 10;
export const lastDay = (filters: Record<string, string>) => href("/calls", new URLSearchParams({ from: "now-24h", ...filters }));
export const uncounted = () => `${lastDay({ status: "ok" })}&usage=&usage=none`;
const many = (n: number, one: string) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;

type Says = readonly [tone: Fault["tone"], text: (n: number) => string];

// What a tracer counts, by kind; the reason stands behind it.
const REPORTS: Record<string, Says> = {
  dropped: ["bad", (n) => `lost ${many(n, "span")} that did not fit its spool`],
  guards: ["bad", (n) => `could not reach the guards ${count(n)} times`],
  unsent: ["bad", (n) => `has ${many(n, "batch")} of spans that this sidecar refused; they stay in its spool as .bad`.replace("batchs", "batches")],
  patching: ["bad", () => "uses a version of a model library that cannot be traced; run `spanward doctor` there"],
  also_patched: ["warn", () => "has another instrumentation around the same library: each call is traced once by each"],
  no_adapter: ["warn", (n) => `called a model ${count(n)} times, unguarded, through a client without an adapter; see spanward.model_call()`],
  internal: ["warn", (n) => `met ${many(n, "fault")} of ours; its calls were not touched`],
};

const STATES: readonly ((s: Sidecar) => Fault | false | undefined | "" | 0)[] = [
  (s) => s.store && s.store !== "ok" && { tone: "bad", text: `The store ${s.store}` },
  (s) => s.log_refuses && { tone: "bad", text: "The log is full or cannot be written: applications are turned away and keep their spans. Free disk space." },
  (s) => (s.ingest_lag_seconds ?? 0) > LAG_S && { tone: "warn", text: `Spans wait ${Math.round(s.ingest_lag_seconds ?? 0)} s before they are stored; the newest calls are missing here` },
  (s) => s.policy?.problem && { tone: "bad", text: `The policy file was not taken, the one before it is in force: ${s.policy.problem}` },
  (s) => s.vault?.problem && { tone: "bad", text: `The vault of pseudonyms: ${s.vault.problem}` },
  (s) => s.audit?.problem && { tone: "bad", text: `The audit log: ${s.audit.problem}` },
  (s) => s.segments_set_aside && { tone: "bad", text: `${many(s.segments_set_aside, "segment")} could not be stored and lie in the data directory` },
  (s) => s.review_failures && { tone: "warn", text: `${many(s.review_failures, "answer")} could not be judged after the fact` },
];

export function faultsOf({ sidecar, reports, unpriced, day: last }: Health): Fault[] {
  const faults = STATES.map((state) => state(sidecar)).filter((f): f is Fault => Boolean(f));
  if (last.failed_open) faults.push({ tone: "bad", text: `${many(last.failed_open, "call")} went through unguarded because a guard failed`, link: lastDay({ guard: "failed_open" }) });
  for (const { kind, reason, service, count: n } of reports) {
    const [tone, words] = REPORTS[kind] ?? (["warn", (k: number) => `reports ${kind}: ${count(k)}`] as const);
    faults.push({ tone, text: `${service || "An application"} ${words(n)}${reason ? ` (${reason})` : ""}` });
  }
  for (const engine of sidecar.degraded ?? []) faults.push({ tone: "warn", text: `A guard has less than its full engine. ${engine}` });
  for (const { provider, model, calls } of unpriced) faults.push({ tone: "warn", text: `No price is known for ${model || "an unnamed model"}: ${many(calls, "call")} not in the cost`, link: lastDay({ model, provider, priced: "no" }) });
  if (last.uncounted) faults.push({ tone: "warn", text: `${many(last.uncounted, "answer")} came without token usage: not in tokens and cost`, link: uncounted() });
  if (!faults.length && sidecar.status && sidecar.status !== "ok") faults.push({ tone: "warn", text: `The sidecar says: ${sidecar.status}` });
  return faults;
}
