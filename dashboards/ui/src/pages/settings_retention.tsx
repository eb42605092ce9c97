// How long tables keep their rows. Before anything goes, the page says how much that is.
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { bytes, compact, count, dayOf, NONE } from "../format";
import { Problem } from "../parts/notice";
import { send } from "../send";
import type { Kept, Retention } from "./settings_records";

const WORDS: Record<string, string> = {
  spans: "Spans with all their attributes", content: "What was said", llm_calls: "Calls: the list, filters, previews", guard_events: "What guards found", reports: "What tracers dropped",
  rollups: "Figures that charts read", audit: "What people did", reviews: "Labels of reviewers", traits: "What texts are like", alert_events: "What alerts did",
};

export function RetentionPanel() {
  const { data, error } = useAnswer<Retention>("/api/retention");
  return (
    <section class="panel" aria-label="Retention">
      <header><h2>Retention</h2><span class="quiet">days after which rows go, by the time of the call</span></header>
      {error && <Problem text={error} />}
      {data && <Form start={data} />}
    </section>
  );
}

function Form({ start }: { start: Retention }) {
  const [now, setNow] = useState(start);
  const [days, setDays] = useState(() => daysOf(start));
  const [effect, setEffect] = useState<Retention | null>(null);
  const [told, setTold] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const changed = now.kept.some((one) => days[one.name] !== one.days);
  const doing = (method: "POST" | "PUT", url: string, then: (answer: Retention) => void) => {
    setBusy(true);
    setError("");
    send<Retention>(method, url, { days, version: now.version }).then(then, (why: Error) => setError(why.message)).finally(() => setBusy(false));
  };
  const look = (event: SubmitEvent) => {
    event.preventDefault();
    setTold("");
    doing("POST", "/api/retention-effect", setEffect);
  };
  const apply = () => doing("PUT", "/api/retention", (answer) => {
    setNow(answer);
    setDays(daysOf(answer));
    setEffect(null);
    setTold("applied");
  });
  return (
    <form onSubmit={look}>
      <div class="scroll"><table>
        <thead><tr><th>What</th><th class="optional">Tables</th><th>Days</th><th class="n">Rows</th><th class="n">On disk</th><th class="n optional">Oldest</th></tr></thead>
        <tbody>{now.kept.map((one) => (
          <tr key={one.name}>
            <td>{WORDS[one.name] ?? one.name}</td>
            <td class="optional"><code>{one.tables.join(", ")}</code></td>
            <td><input class="settings-days" aria-label={`Days of ${WORDS[one.name] ?? one.name}`} type="number" required min="1" max="36600" value={days[one.name]} onInput={(e) => { setEffect(null); setDays({ ...days, [one.name]: e.currentTarget.valueAsNumber }); }} />{one.days !== one.default && <small class="quiet"> usually {one.default}</small>}</td>
            <td class="n" title={count(one.rows)}>{compact(one.rows)}</td><td class="n">{bytes(one.bytes)}</td>
            <td class="n optional">{one.oldest ? dayOf(one.oldest * 1000) : NONE}</td>
          </tr>
        ))}</tbody>
      </table></div>
      {error && <Problem text={error} />}
      {effect ? <Effect effect={effect} now={now} busy={busy} apply={apply} stop={() => setEffect(null)} />
        : <div class="settings-buttons"><button type="submit" class="button" disabled={!changed || busy}>What would go?</button> <span role="status" class="quiet">{told}</span></div>}
    </form>
  );
}

function Effect({ effect, now, busy, apply, stop }: { effect: Retention; now: Retention; busy: boolean; apply: () => void; stop: () => void }) {
  const before = new Map(now.kept.map((one) => [one.name, one.days]));
  const going = effect.kept.filter((one) => one.days < (before.get(one.name) ?? 0) && one.rows_past > 0);
  return (
    <div class="settings-effect" role="status">
      {going.length ? <ul>{going.map((one) => <li key={one.name}>{goes(one)}</li>)}</ul> : <p>Nothing goes: no row is older than that.</p>}
      <p class="quiet">What is gone cannot be brought back.</p>
      <div><button type="button" class={`button ${going.length ? "bad-text" : "primary"}`} disabled={busy} onClick={apply}>{going.length ? "Apply, and remove these rows" : "Apply"}</button> <button type="button" class="button" onClick={stop}>Leave it</button></div>
    </div>
  );
}

function goes(one: Kept): string {
  const later = one.rows_past - one.rows_now;
  const at_once = `${count(one.rows_now)} rows (${bytes(one.bytes_now)}) go at once`;
  return `${WORDS[one.name] ?? one.name}: ${at_once}${later ? `, ${count(later)} more once the whole part they are stored in is that old` : ""}.`;
}

function daysOf(told: Retention): Record<string, number> {
  return Object.fromEntries(told.kept.map((one) => [one.name, one.days]));
}
