// Calls without a price and what to do about them, and pricing stored calls again.
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { calls, compact, count, usd } from "../format";
import { Copy } from "../parts/copy";
import { Problem } from "../parts/notice";
import { change, type Place } from "../place";
import { asked } from "../range";
import { send } from "../send";
import type { Repriced, Unpriced } from "./cost_records";
import { signed, toCalls } from "./cost_links";

export function UnpricedPanel({ here }: { here: Place }) {
  const { data, error } = useAnswer<Unpriced>(`/api/cost/unpriced?${asked(change(here.query, { view: null }))}`);
  return (
    <section class="panel" id="unpriced" aria-label="Models without a price">
      <header><h2>Models without a price</h2></header>
      {error && <Problem text={error} />}
      {data && !data.models.length && <p class="note quiet">Every model in this range has a price.</p>}
      {data && data.models.length > 0 && (
        <>
          <table>
            <thead><tr><th scope="col">Model</th><th scope="col" class="n">Calls</th><th scope="col" class="n">Tokens</th></tr></thead>
            <tbody>{data.models.map((m) => (
              <tr key={`${m.provider}/${m.model}`}>
                <td><a href={toCalls(here.query, { provider: m.provider, model: m.model, priced: "no" })}>{m.model || "(unnamed)"}</a> <span class="quiet">{m.provider}</span></td>
                <td class="n">{count(m.calls)}</td><td class="n">{compact(m.tokens)}</td>
              </tr>
            ))}</tbody>
          </table>
          <div class="cost-text">
            <p>Write what they cost into the file that <code>prices:</code> names in the configuration of <code>spanward serve</code>, start it again, then price these calls again below.</p>
            <pre class="code"><code>{data.snippet}</code><Copy text={data.snippet} what="the lines" /></pre>
          </div>
        </>
      )}
    </section>
  );
}

export function RepricePanel({ here, done }: { here: Place; done: () => void }) {
  const [told, setTold] = useState<Repriced | null>(null);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const query = asked(change(here.query, { view: null })).toString();
  useEffect(() => setTold(null), [query]);
  const ask = (apply: boolean) => {
    setBusy(true);
    setProblem("");
    send<Repriced>("POST", `/api/cost/reprice?${query}`, { apply })
      .then((answer) => { setTold(answer); if (answer.applied) done(); }, (why: Error) => setProblem(why.message))
      .finally(() => setBusy(false));
  };
  return (
    <section class="panel" aria-label="Price again">
      <header><h2>Price again</h2></header>
      <div class="cost-text">
        <p>Prices the calls of this page again, by the price tables that the sidecar has today, with the price of the day of each call. Costs that the application told itself stay.</p>
        {problem && <Problem text={problem} />}
        {told && <Told told={told} />}
        <p class="cost-buttons">
          <button type="button" class="button" disabled={busy} onClick={() => ask(false)}>What would change?</button>
          {told && !told.applied && told.calls > 0 && <button type="button" class="button primary" disabled={busy} onClick={() => ask(true)}>Price {calls(told.calls)} again</button>}
        </p>
      </div>
    </section>
  );
}

function Told({ told }: { told: Repriced }) {
  return (
    <div role="status">
      <p>{told.calls === 0 ? `Nothing changes: all of these calls have the cost that prices ${told.version} give.`
        : `${calls(told.calls)} ${told.applied ? (told.calls === 1 ? "was priced again" : "were priced again") : "would change"}: from ${usd(told.old)} to ${usd(told.new)} (${signed(told.new - told.old)}), by prices ${told.version}.`}</p>
      {told.models.length > 0 && <table>
        <thead><tr><th scope="col">Model</th><th scope="col" class="n">Calls</th><th scope="col" class="n">Cost now</th><th scope="col" class="n">New</th></tr></thead>
        <tbody>{told.models.map((m) => (
          <tr key={m.provider + m.model}><td>{m.model} <span class="quiet">{m.provider}</span></td><td class="n">{count(m.calls)}{m.unpriced > 0 && <span class="quiet"> ({count(m.unpriced)} unpriced)</span>}</td><td class="n">{m.unpriced === m.calls ? "unpriced" : usd(m.old)}</td><td class="n">{usd(m.new)}</td></tr>
        ))}</tbody>
      </table>}
      {told.left_out.length > 0 && <p class="quiet">Left as they are, as no price is known: {told.left_out.map((m) => `${m.model || "(unnamed)"} (${count(m.calls)})`).join(", ")}.</p>}
    </div>
  );
}
