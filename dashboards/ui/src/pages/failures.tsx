// Failures: kinds with their rates, groups of one cause with where they gather and since when.
import "./failures.css";
import { useAnswer } from "../answer";
import { ago, compact, count, delta, exact, percent, timeOf } from "../format";
import { Chart, type Line } from "../parts/chart";
import { Chip } from "../parts/chip";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Problem } from "../parts/notice";
import { Sparkline } from "../parts/sparkline";
import type { PageProps } from "../pages";
import { change, go, href, type Place } from "../place";
import { asked, isLive, isoSeconds, withRange } from "../range";
import { useTitle } from "../title";
import { KindMark, listed, RateText, WhereText } from "./failure_parts";
import { KIND_TONES, KIND_WORDS, KINDS, type FailurePage, type Group } from "./failure_records";

export { FailureGroup } from "./failure_group";

const LIVE_MS = 10_000;
const MOST = 200;
const SINCE: readonly (readonly [string, string])[] = [["", "the range began"], ["now-1h", "an hour ago"], ["now-24h", "a day ago"], ["now-7d", "a week ago"]];

export function Failures({ here, dark, stored }: PageProps) {
  useTitle("Failures");
  const { data, error } = useAnswer<FailurePage>(`/api/failures?${asked(here.query)}`, isLive(here.query) ? LIVE_MS : 0);
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="failures">
      <div class="page-head"><h1>Failures</h1></div>
      <FilterBar here={here} />
      {error && <Problem text={error} />}
      {data && (data.calls ? <Board here={here} data={data} dark={dark} /> : <NoCalls here={here} />)}
    </div>
  );
}

function Board({ here, data, dark }: { here: Place; data: FailurePage; dark: boolean }) {
  const zoom = (from: number, to: number) => go(href("/failures", withRange(here.query, isoSeconds(from), isoSeconds(to))));
  const lines: Line[] = KINDS.filter((kind) => data.series[kind]).map((kind) => ({
    name: KIND_WORDS[kind]!, tone: KIND_TONES[kind]!, values: data.series[kind]!, href: href("/calls", listed(here.query, { failure: kind })),
  }));
  return (
    <>
      <p class="failures-sum" role="status">
        <a href={href("/calls", listed(here.query, { "failure!": "" }))}><b>{count(data.failed)}</b> of {count(data.calls)} calls</a> did not give what was asked for: <b>{percent(data.failed / data.calls)}</b>
        {data.calls_before > 0 && <>, {percent(data.failed_before / data.calls_before)} in the stretch before</>}.
      </p>
      <div class="failures-top">
        <KindTable here={here} data={data} />
        <Chart title="Failures by kind" note="calls" t={data.t} step={data.step} kind="bars" format={count} axis={compact} dark={dark} onZoom={zoom} lines={lines} />
      </div>
      <GroupTable here={here} data={data} />
    </>
  );
}

function KindTable({ here, data }: { here: Place; data: FailurePage }) {
  const top = Math.max(...data.kinds.map((k) => k.calls), 1);
  return (
    <section class="panel">
      <header><h2>Kinds</h2></header>
      {data.kinds.length ? (
        <div class="scroll"><table>
          <thead><tr><th>Kind</th><th class="n">Calls</th><th class="n">Of all calls</th><th class="n">Before</th></tr></thead>
          <tbody>
            {data.kinds.map(({ kind, calls, before }) => (
              <tr key={kind}>
                <td class="bar"><i style={{ width: `${(100 * calls) / top}%` }} aria-hidden="true" /><a class="plain" href={href("/failures", change(here.query, { failure: kind }))}><KindMark kind={kind} /></a></td>
                <td class="n"><a href={href("/calls", listed(here.query, { failure: kind }))}>{count(calls)}</a></td>
                <td class="n">{percent(calls / data.calls)}</td>
                <td class="n">{data.calls_before ? <Trend now={calls / data.calls} before={before / data.calls_before} /> : <span class="quiet">–</span>}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : <p class="nothing">every call gave what was asked for</p>}
    </section>
  );
}

function Trend({ now, before }: { now: number; before: number }) {
  const moved = delta(now, before);
  if (moved === null) return now ? <span class="failures-worse">none</span> : <span class="quiet">0%</span>;
  const mood = Math.abs(moved) < 0.05 ? "quiet" : moved > 0 ? "failures-worse" : "failures-better";
  return <span class={mood} title="share of calls in the stretch of the same length before">{percent(before)} {Math.abs(moved) < 0.05 ? "" : moved > 0 ? "▲" : "▼"}</span>;
}

function GroupTable({ here, data }: { here: Place; data: FailurePage }) {
  const since = here.query.get("since") ?? "";
  return (
    <section class="panel">
      <header>
        <h2>Groups of one cause</h2>
        <label class="failures-since">New since
          <select value={since} onChange={(event) => go(href("/failures", change(here.query, { since: event.currentTarget.value || null })))}>
            {SINCE.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
            {!SINCE.some(([value]) => value === since) && <option value={since}>{since}</option>}
          </select>
        </label>
      </header>
      {data.groups.length ? (
        <div class="scroll"><table class="failures-table">
          <thead><tr><th>What, and where it gathers</th><th class="n">Calls</th><th class="n">Of all calls</th><th>Course</th><th>First seen</th><th>Last seen</th></tr></thead>
          <tbody>{data.groups.map((group) => <GroupRow key={group.group} here={here} group={group} all={data.calls} />)}</tbody>
        </table></div>
      ) : <p class="nothing">no failures in this range</p>}
      {data.more > 0 && <p class="note quiet">{count(data.more)} smaller groups are not shown. {data.groups.length < MOST && <a href={href("/failures", change(here.query, { limit: `${MOST}` }))}>Show more</a>}</p>}
    </section>
  );
}

function GroupRow({ here, group, all }: { here: Place; group: Group; all: number }) {
  return (
    <tr class="failures-row">
      <td class="failures-what">
        <KindMark kind={group.kind} />{group.new && <Chip word="new" tone="warn" title="not seen before then" />}<br />
        <a data-row href={href(`/failures/${group.group}`, listed(here.query, { failure: [], failure_group: [] }))}>{group.text}</a>
        {group.where && <small><WhereText where={group.where} />; <RateText where={group.where} />.</small>}
      </td>
      <td class="n"><a href={href("/calls", listed(here.query, { failure_group: group.group }))}>{count(group.calls)}</a></td>
      <td class="n">{percent(group.calls / all)}</td>
      <td class="failures-spark"><Sparkline values={group.spark} tone="bad" /></td>
      <td class="failures-when" title={exact(group.first * 1000)}>{timeOf(group.first * 1000)}</td>
      <td class="failures-when" title={exact(group.last * 1000)}>{ago(group.last * 1000)}</td>
    </tr>
  );
}
