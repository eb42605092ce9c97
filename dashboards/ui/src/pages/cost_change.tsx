// The answer first: how much, against the period before, and which calls made the difference since when.
import { calls, percent, usd } from "../format";
import { change, href, type Place } from "../place";
import { isoSeconds, withRange } from "../range";
import type { Change, CostAnswer, Effects, Named } from "./cost_records";
import { named, signed, signedShare, toCalls, word } from "./cost_links";

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const dayClock = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function Answer({ here, data }: { here: Place; data: CostAnswer }) {
  const { totals, previous, change: moved } = data;
  const share = previous.cost ? moved.cost / previous.cost : null;
  return (
    <section class="panel cost-answer" aria-label="Cost and why it changed">
      <p class="cost-sum">
        <a href={toCalls(here.query, { sort: "-cost" })}><strong>{totals.calls ? usd(totals.cost) : "$0"}</strong></a>
        {previous.cost !== null && previous.priced > 0
          ? <span class="quiet">{signed(moved.cost)}{share !== null && ` (${signedShare(share)})`} against the {length(data)} before, when it was {usd(previous.cost)}</span>
          : <span class="quiet">in {calls(totals.calls)}; nothing was priced in the {length(data)} before</span>}
      </p>
      {moved.cause ? <Because here={here} data={data} cause={moved.cause} total={moved} /> : previous.priced > 0 && <Spread moved={moved} share={share} />}
      {previous.priced > 0 && totals.priced > 0 && <Ledger moved={moved} />}
      {totals.unpriced > 0 && <p class="warn-text"><a href={toCalls(here.query, { priced: "no" })}>{calls(totals.unpriced)}</a> without a price: in none of these numbers. <a href="#unpriced" target="_self">What to do</a></p>}
    </section>
  );
}

function Because({ here, data, cause, total }: { here: Place; data: CostAnswer; cause: Named; total: Change }) {
  const query = cause.since === null ? here.query : withRange(here.query, isoSeconds(cause.since), cause.until === null ? isoSeconds(data.end) : isoSeconds(cause.until));
  const parts = Object.entries(cause.values);
  return (
    <>
      <p class="cost-cause">
        <b>{share(cause.share)}</b> of the {total.cost < 0 ? "fall" : "rise"} is from{" "}
        {parts.map(([name, value], i) => (
          <>{i > 0 && ", "}{word(name)} <a href={toCalls(here.query, { [name]: value })}>{named(name, value)}</a></>
        ))}
        {cause.since !== null && <> {cause.until === null ? "since" : "between"} <a href={toCalls(query, cause.values)}>{when(cause.since)}{cause.until !== null && ` and ${when(cause.until)}`}</a></>}
        {": "}{factors(cause)}.
      </p>
      <p><a href={href("/cost", change(here.query, cause.values))}>Only this</a> · <a href={toCalls(query, { ...cause.values, sort: "-cost" })}>its dearest calls</a></p>
    </>
  );
}

function Spread({ moved, share: whole }: { moved: Change; share: number | null }) {
  if (whole === null || Math.abs(whole) < 0.05) return <p>About as much as before; a difference this small is not explained.</p>;
  return <p>No model, app, prompt or user group stands out: it moved everywhere alike. {factors(moved)}.</p>;
}

function factors({ factors: f }: Pick<Change, "factors">): string {
  if (f.calls === null) return "these calls are new";
  const told = [["calls", f.calls], ["tokens per call", f.tokens_per_call], ["price per token", f.price_per_token]] as const;
  return told.map(([name, moved]) => (moved === null || Math.abs(moved) < 0.005 ? `${name} as before` : `${name} ${signedShare(moved)}`)).join(", ");
}

const EFFECTS: readonly (readonly [keyof Effects, string, string])[] = [
  ["calls", "Calls", "more or fewer calls, of each model, app, prompt and user group"],
  ["tokens", "Tokens per call", "longer or shorter calls"],
  ["price", "Price per token", "prices, cache use and the share of output"],
];

function Ledger({ moved }: { moved: Change }) {
  const most = Math.max(...EFFECTS.map(([key]) => Math.abs(moved.effects[key])), 1e-12);
  return (
    <table class="cost-ledger">
      <caption class="unseen">What the change is made of</caption>
      <tbody>
        {EFFECTS.map(([key, name, text]) => (
          <tr key={key}>
            <th scope="row" title={text}>{name}</th>
            <td class="n">{Math.abs(moved.effects[key]) < 5e-7 ? "$0" : signed(moved.effects[key])}</td>
            <td class="cost-bar" aria-hidden="true"><i class={moved.effects[key] < 0 ? "two" : "three"} style={{ width: `${(100 * Math.abs(moved.effects[key])) / most}%` }} /></td>
          </tr>
        ))}
        <tr><th scope="row">Together</th><td class="n"><b>{signed(moved.cost)}</b></td><td /></tr>
      </tbody>
    </table>
  );
}

function share(of: number): string {
  return of > 1.005 ? `More than all (${percent(of)})` : of > 0.995 ? "All" : percent(of);
}

function when(ms: number): string {
  return new Date(ms).toDateString() === new Date().toDateString() ? clock.format(ms) : dayClock.format(ms);
}

function length({ start, end }: CostAnswer): string {
  const until = Math.min(end, Math.max(Date.now(), start + 60_000)); // of a running period only what has gone by is compared
  const hours = Math.round((until - start) / 3_600_000);
  return hours >= 48 ? `${Math.round(hours / 24)} days` : hours >= 1 ? `${hours === 1 ? "hour" : `${hours} hours`}` : `${Math.round((until - start) / 60_000)} minutes`;
}
