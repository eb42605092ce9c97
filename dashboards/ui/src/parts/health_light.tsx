// One light for "is this picture whole?", and behind it what is wrong in words.
import type { Answer } from "../answer";
import { type Fault, faultsOf } from "../faults";
import { ago, count } from "../format";
import type { Health } from "../records";

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
