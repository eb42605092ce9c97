// One light for "is this picture whole?", and behind it what is wrong in words.
import type { Answer } from "../answer";
import { ago, count } from "../format";
import { href } from "../place";
import type { Health } from "../records";

interface Fault {
  tone: "bad" | "warn";
  text: string;
  link?: string;
}

const LAG_S = 10;
const day = (filters: Record<string, string>) => href("/calls", new URLSearchParams({ from: "now-24h", ...filters }));

function faultsOf({ sidecar, reports, unpriced, day: last }: Health): Fault[] {
  const faults: Fault[] = [];
  if (sidecar.status && sidecar.status !== "ok") faults.push({ tone: sidecar.status === "degraded" ? "warn" : "bad", text: `The sidecar says: ${sidecar.status}` });
  if ((sidecar.ingest_lag_seconds ?? 0) > LAG_S) faults.push({ tone: "warn", text: `Spans wait ${Math.round(sidecar.ingest_lag_seconds ?? 0)} s before they are stored; the newest calls are missing here` });
  for (const engine of sidecar.degraded ?? []) faults.push({ tone: "warn", text: `Guard runs on less than its full engine: ${engine}` });
  if (last.failed_open) faults.push({ tone: "bad", text: `${count(last.failed_open)} calls went through unguarded because a guard failed`, link: day({ guard_verdict: "fail_open" }) });
  for (const { kind, reason, service, count: n } of reports) faults.push({ tone: "warn", text: `${service || "an app"} reports ${kind}${reason ? ` (${reason})` : ""}: ${count(n)}` });
  for (const { provider, model, calls } of unpriced) faults.push({ tone: "warn", text: `No price is known for ${model || "an unnamed model"}: ${count(calls)} calls`, link: day({ model, provider, priced: "no" }) });
  return faults;
}

export function HealthLight({ health }: { health: Answer<Health> }) {
  const { data, error } = health;
  const faults: Fault[] = error ? [{ tone: "bad", text: error }] : data ? faultsOf(data) : [];
  const tone = faults.some((f) => f.tone === "bad") ? "bad" : faults.length ? "warn" : data ? "good" : "quiet";
  const word = error ? "offline" : !faults.length ? "healthy" : `${faults.length} notice${faults.length > 1 ? "s" : ""}`;
  const newest = data?.day.newest_us;
  return (
    <details class="light">
      <summary class="button" aria-label={`Health: ${word}`}><i class={`dot ${tone}`} /> <span>{word}</span></summary>
      <div class="menu">
        <h2>Is the picture whole?</h2>
        {faults.length ? (
          <ul>{faults.map((f) => <li key={f.text}><i class={`dot ${f.tone}`} /> {f.link ? <a href={f.link}>{f.text}</a> : f.text}</li>)}</ul>
        ) : <p><i class="dot good" /> Everything that arrived is stored, guarded and priced.</p>}
        {data && (
          <p class="quiet">
            Last 24 hours: {count(data.day.calls)} calls{newest ? `, the newest ${ago(newest)}` : ""}.
            {data.day.unguarded > 0 && ` ${count(data.day.unguarded)} were sent without guards.`}
            {data.day.withheld > 0 && ` Content was withheld for ${count(data.day.withheld)}.`}
          </p>
        )}
      </div>
    </details>
  );
}
