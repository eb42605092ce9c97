import "./drift.css";
import { useAnswer } from "../answer";
import { ago, compact, exact, local, percent } from "../format";
import { Chip } from "../parts/chip";
import { Nothing, Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { change, href, type Place } from "../place";
import { useTitle } from "../title";
import { Band } from "./drift_band";
import type { AlarmRow, DriftPage, DriftState, Standing } from "./drift_records";

export { DriftAlarm } from "./drift_alarm";

const EVERY_MS = 60_000;
const TONES: Record<DriftState, string> = { drifting: "bad", steady: "good", learning: "mark", "too few calls": "quiet" };

export function Drift({ here }: PageProps) {
  useTitle("Drift");
  const service = here.query.get("service") ?? "";
  const { data, error, busy } = useAnswer<DriftPage>(`/api/drift${service ? `?${new URLSearchParams({ service })}` : ""}`, EVERY_MS);
  return (
    <div class="drift">
      <div class="page-head">
        <h1>Drift</h1>
        {data && <p class="quiet">{summary(data)}</p>}
      </div>
      {service && <p><a class="filter" href={href("/drift", change(here.query, { service: null }))} title="Show every service"><span>Service</span> <b>{service}</b> ×</a></p>}
      {error && <Problem text={error} />}
      {data && (data.streams.length ? <Board here={here} data={data} /> : <Nothing title="Nothing to watch yet"><p>Streams show up with the first model calls. After 14 days of traffic each has a baseline and is watched for drift.</p></Nothing>)}
      {!data && busy && <div class="panel waiting drift-waiting" aria-busy="true" />}
    </div>
  );
}

function summary(data: DriftPage): string {
  const counts = (["drifting", "steady", "learning", "too few calls"] as const)
    .map((state) => [data.streams.filter((s) => s.state === state).length, state] as const)
    .filter(([n]) => n > 0);
  const named = counts.map(([n, state]) => `${n} ${state === "too few calls" ? "with too few calls" : state}`);
  return `${named.join(", ")}; judged up to ${local(data.until * 1000)}${data.left_out ? `; ${data.left_out} streams left out` : ""}`;
}

function Board({ here, data }: { here: Place; data: DriftPage }) {
  return (
    <>
      <Alarms here={here} alarms={data.alarms} learning={data.streams.every((s) => s.state === "learning")} />
      <section class="panel" aria-label="Streams">
        <header><h2>Streams</h2><span class="quiet">the share that lies furthest from what its hours of the week were before; the band is what was to be expected</span></header>
        <div class="scroll" tabIndex={0} role="region" aria-label="Streams, a table"><table class="drift-streams">
          <thead><tr>
            <th scope="col">Stream</th><th scope="col">State</th><th scope="col">Last windows</th><th scope="col">Share of</th>
            <th scope="col" class="n">Now</th><th scope="col" class="n">Expected</th><th scope="col" class="n" title="Cohen's h over the last three windows; an alarm needs 0.15 at least">Effect</th>
            <th scope="col" class="n" title="Population stability index of the last day against the 28 days before: for comparison, no alarm looks at it">PSI</th><th scope="col" class="n">Calls a day</th>
          </tr></thead>
          <tbody>{data.streams.map((s) => <Stream key={`${s.service} ${s.stream}`} here={here} stream={s} />)}</tbody>
        </table></div>
      </section>
    </>
  );
}

function Alarms({ here, alarms, learning }: { here: Place; alarms: AlarmRow[]; learning: boolean }) {
  return (
    <section class="panel" aria-label="Alarms">
      <header><h2>Alarms</h2></header>
      {alarms.length ? (
        <div class="scroll"><table>
          <thead><tr><th scope="col">What</th><th scope="col">Service</th><th scope="col">Since</th><th scope="col" class="optional">Until</th></tr></thead>
          <tbody>
            {alarms.map((a) => (
              <tr key={a.id}>
                <td class="drift-what"><a data-row href={href(`/drift/${a.id}`, new URLSearchParams())}>{a.title}: {a.text}</a></td>
                <td><a href={href("/drift", change(here.query, { service: a.service }))}>{a.service}</a></td>
                <td title={exact(a.since * 1000)}>{ago(a.since * 1000)}</td>
                <td class="optional">{a.until === null ? <Chip word="lasts" tone="bad" /> : <span title={exact(a.until * 1000)}>{ago(a.until * 1000)}</span>}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : <p class="nothing">{learning ? "Still learning what is usual; alarms begin after 14 days of traffic." : "Nothing drifts, and nothing has in the last weeks."}</p>}
    </section>
  );
}

function Stream({ here, stream: s }: { here: Place; stream: Standing }) {
  const name = <>{s.title} <span class="quiet">{s.service}</span></>;
  return (
    <tr>
      <td>{s.alarm ? <a data-row href={href(`/drift/${s.alarm}`, new URLSearchParams())}>{name}</a>
        : <a data-row href={href("/calls", change(here.query, { service: s.service, from: "now-7d" }))} title="The calls of the last week">{name}</a>}</td>
      <td><Chip word={s.state === "learning" ? `learning, ${left(s.left)} left` : s.state} tone={TONES[s.state]} /></td>
      <td><Band history={s.history} drifting={s.state === "drifting"} /></td>
      <td class="drift-of">{s.what.replace(/^(share of|calls with) /, "") || "–"}</td>
      <td class="n">{percent(s.share)}</td>
      <td class="n quiet">{percent(s.expected)}</td>
      <td class="n">{s.effect === null ? "–" : s.effect.toFixed(2)}</td>
      <td class="n quiet">{s.psi === null ? "–" : s.psi.toFixed(2)}</td>
      <td class="n">{compact(s.calls)}</td>
    </tr>
  );
}

function left(hours: number): string {
  return hours >= 48 ? `${Math.ceil(hours / 24)} days` : `${hours} h`;
}
