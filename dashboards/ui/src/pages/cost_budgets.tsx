// The month (week, day) so far and at its end, and budgets that people set.
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { LABELS, filtersOf } from "../filters";
import { calls, dayOf, percent, usd } from "../format";
import { idOf } from "../ids";
import { Problem } from "../parts/notice";
import { change, href, type Place } from "../place";
import { asked } from "../range";
import { send } from "../send";
import type { Budget, Outlook, Period } from "./cost_records";

const PERIODS: readonly Period[] = ["day", "week", "month"];
const OFTEN_MS = 60_000;

export function OutlookPanel({ here }: { here: Place }) {
  const [period, set] = useState<Period>("month");
  const query = asked(change(here.query, { view: null, period }));
  const { data, error } = useAnswer<Outlook>(`/api/cost/outlook?${query}`, OFTEN_MS);
  return (
    <section class="panel" aria-label="Outlook">
      <header><h2>At the end of the {period}</h2><span class="grow" />
        <label class="cost-split">Period <select value={period} onChange={(e) => set(e.currentTarget.value as Period)}>{PERIODS.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
      </header>
      {error && <Problem text={error} />}
      {data && (
        <div class="cost-text">
          {data.projected === null
            ? <p><strong>{usd(data.spent)}</strong> so far. Too little history to say more: it takes two weeks of priced calls.</p>
            : <p><strong>{usd(data.projected)}</strong> by {dayOf((data.end - 1) * 1000)}, in 9 of 10 cases between {usd(data.low)} and {usd(data.high)}. {usd(data.spent)} are spent.</p>}
          <p class="quiet">{filtersOf(here.query).length ? "Of the calls that the filters show" : "Of all calls"}, in UTC, by the hours of the week of the last four weeks{data.unpriced > 0 && `; ${calls(data.unpriced)} without a price ${data.unpriced === 1 ? "is" : "are"} not in it`}.</p>
        </div>
      )}
    </section>
  );
}

export function Budgets({ here }: { here: Place }) {
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((n) => n + 1);
  const [problem, setProblem] = useState("");
  const { data, error } = useAnswer<{ budgets: Budget[] }>("/api/cost/budgets", OFTEN_MS, turn);
  const remove = (budget: Budget) => {
    if (!confirm(`Remove the budget "${budget.name}"?`)) return;
    send("DELETE", `/api/cost/budgets/${encodeURIComponent(budget.id)}`).then(again, (why: Error) => setProblem(why.message));
  };
  return (
    <section class="panel cost-budgets" aria-label="Budgets">
      <header><h2>Budgets</h2></header>
      {(problem || error) && <Problem text={problem || error} />}
      {data?.budgets.length ? (
        <div class="scroll"><table>
          <thead><tr><th scope="col">Budget</th><th scope="col" class="n">Spent</th><th scope="col" class="n">Of</th><th scope="col" class="n optional">At the end</th><th scope="col"><span class="unseen">Remove</span></th></tr></thead>
          <tbody>{data.budgets.map((budget) => <Line key={budget.id} budget={budget} remove={() => remove(budget)} />)}</tbody>
        </table></div>
      ) : data && <p class="note quiet">No budget yet. Set the filters of this page to what one is for, then name an amount. <a href="/alerts">Alerts</a> can watch it.</p>}
      <Form here={here} done={() => { setProblem(""); again(); }} failed={setProblem} />
    </section>
  );
}

function Line({ budget, remove }: { budget: Budget; remove: () => void }) {
  const { state } = budget;
  const range = { from: new Date(state.start).toISOString().replace(".000", ""), to: null };
  const tone = state.over ? "bad" : state.projected_over ? "three" : "one";
  return (
    <tr>
      <td class="bar"><i class={tone} style={{ width: `${100 * Math.min(1, state.share)}%` }} aria-hidden="true" />
        <a href={href("/cost", new URLSearchParams([["from", range.from], ...Object.entries(budget.scope).flatMap(([k, vs]) => vs.map((v) => [k, v]))]))}>{budget.name}</a>{" "}
        {state.over ? <b class="bad-text">over</b> : state.projected_over && <b class="warn-text">will be over</b>}
        <span class="quiet cost-scope">{scopeOf(budget.scope)}</span>
      </td>
      <td class="n">{usd(state.spent)} <span class="quiet">{percent(state.share)}</span></td>
      <td class="n">{usd(budget.amount_usd)} <span class="quiet">a {budget.period}</span></td>
      <td class="n optional">{state.projected === null ? <span class="quiet">too little history</span> : <span title={`${usd(state.low)} to ${usd(state.high)}`}>{usd(state.projected)}</span>}</td>
      <td class="n"><button type="button" class="ghost" onClick={remove} aria-label={`Remove ${budget.name}`}>remove</button></td>
    </tr>
  );
}

function Form({ here, done, failed }: { here: Place; done: () => void; failed: (why: string) => void }) {
  const filters = filtersOf(here.query).filter(({ key, not }) => !not && !key.startsWith("min_") && !key.startsWith("max_") && key !== "guard" && key !== "rule" && key !== "priced");
  const scope: Record<string, string[]> = {};
  for (const { name, key, value } of filters) if (name) (scope[key] ??= []).push(value);
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const told = new FormData(form);
    const name = String(told.get("name")).trim();
    const body = { name, scope, amount_usd: Number(told.get("amount")), period: String(told.get("period")), version: 0 };
    send("PUT", `/api/cost/budgets/${encodeURIComponent(idOf(name, "budget"))}`, body).then(() => { form.reset(); done(); }, (why: Error) => failed(why.message));
  };
  return (
    <form class="cost-form" onSubmit={save}>
      <label>Name <input name="name" required maxLength={200} size={16} /></label>
      <label>Amount in $ <input name="amount" type="number" min="0.01" step="0.01" required size={8} /></label>
      <label>a <select name="period">{PERIODS.map((one) => <option key={one} value={one} selected={one === "month"}>{one}</option>)}</select></label>
      <button type="submit" class="button">Add for {scopeOf(scope)}</button>
    </form>
  );
}

function scopeOf(scope: Record<string, string[]>): string {
  const told = Object.entries(scope).map(([name, values]) => `${(LABELS[name] ?? name).toLowerCase()} ${values.join(" or ")}`);
  return told.length ? told.join(", ") : "all calls";
}
