// What the guards did: first what needs a person, then the numbers behind it.
import { useAnswer } from "../answer";
import { axisMs, compact, count, ms } from "../format";
import { Chart, type Line } from "../parts/chart";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Problem } from "../parts/notice";
import { Tile } from "../parts/tile";
import type { PageProps } from "../pages";
import { change, go, href, type Place } from "../place";
import { asked, isLive, isoSeconds, withRange } from "../range";
import { GUARD_KINDS, GUARD_TONES, GUARD_WORDS, type GuardKind } from "../records";
import { useTitle } from "../title";
import { Groups, Rules } from "./guards_rules";
import { Failures, ShadowRules, Unguarded } from "./guards_trouble";
import type { Verdicts } from "./guards_records";
import { Says } from "./guards_says";
import "./guards.css";

const LIVE_MS = 5000;

export function Guards({ here, dark, stored }: PageProps) {
  const { data, error, busy } = useAnswer<Verdicts>(`/api/guards?${asked(here.query)}`, isLive(here.query) ? LIVE_MS : 0);
  useTitle("Guards");
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="guards-page">
      <div class="page-head">
        <h1>Guards</h1>
        <span class="grow" />
        <a class="button" href={href("/guards/review", change(here.query, { sort: null }))}>Label findings</a>
      </div>
      <FilterBar here={here} />
      {error && <Problem text={error} />}
      {data && (data.totals.calls || !busy) ? <Board here={here} data={data} dark={dark} /> : !error && <p class="quiet" aria-busy="true">Counting …</p>}
    </div>
  );
}

function Board({ here, data, dark }: { here: Place; data: Verdicts; dark: boolean }) {
  if (!data.totals.calls) return <NoCalls here={here} />;
  return (
    <>
      <Says here={here} data={data} />
      <Tiles here={here} data={data} />
      <Charts here={here} data={data} dark={dark} />
      <ShadowRules here={here} shadow={data.shadow} />
      <Rules here={here} data={data} />
      <Failures here={here} trouble={data.trouble} />
      <div class="guards-by">
        <Groups here={here} title="Detectors" filter="detector" groups={data.detectors} />
        <Groups here={here} title="Labels" filter="label" groups={data.labels} />
        <Groups here={here} title="Stages" filter="stage" groups={data.stages} />
        <Unguarded here={here} trouble={data.trouble} />
      </div>
    </>
  );
}

function Tiles({ here, data }: { here: Place; data: Verdicts }) {
  const { totals: now, previous: before, series } = data;
  const to = (filters: Record<string, string | readonly string[]>) => href("/calls", change(here.query, filters));
  return (
    <div class="tiles guards-tiles">
      <Tile name="Guarded calls" value={compact(now.guarded)} note={`of ${compact(now.calls)}`} now={now.guarded} before={before.guarded} good="" line={[]} tone="one" href={to({ guard: ["blocked", "modified", "flagged", "clean"] })} />
      <Tile name="Blocked" value={compact(now.blocked)} now={now.blocked} before={before.blocked} good="" line={series.blocked} tone="one" href={to({ guard: "blocked" })} />
      <Tile name="Modified" value={compact(now.modified)} now={now.modified} before={before.modified} good="" line={series.modified} tone="mark" href={to({ guard: "modified" })} />
      <Tile name="Failed open" value={compact(now.failed_open)} note="went on unjudged" now={now.failed_open} before={before.failed_open} good="down" line={series.failed_open} tone="bad" href={to({ guard: "failed_open" })} />
      <Tile name="Not guarded" value={compact(now.unguarded)} now={now.unguarded} before={before.unguarded} good="down" line={[]} tone="bad" href={to({ guard: "unguarded" })} />
      <Tile name="Latency added, p95" value={now.latency.length ? ms(now.latency[1]) : "–"} note={`p50 ${ms(now.latency[0])}`} now={now.latency[1]} before={before.latency[1]} good="down" line={series.latency_p95} tone="two" href={to({ sort: "-latency" })} />
    </div>
  );
}

function Charts({ here, data, dark }: { here: Place; data: Verdicts; dark: boolean }) {
  const { series, step } = data;
  const zoom = (from: number, to: number) => go(href("/guards", withRange(here.query, isoSeconds(from), isoSeconds(to))));
  const shared = { step, dark, onZoom: zoom, t: series.t };
  const line = (kind: GuardKind): Line => ({ name: GUARD_WORDS[kind], tone: GUARD_TONES[kind], values: series[kind], href: href("/calls", change(here.query, { guard: kind })) });
  const shown = GUARD_KINDS.filter((kind) => kind === "modified" || series[kind].some(Boolean));
  return (
    <div class="charts guards-charts">
      <Chart {...shared} title="Calls with findings" note="by what was done; a call can be of several" kind="bars" format={count} axis={compact} lines={shown.map(line)} />
      <Chart {...shared} title="Latency added to calls" note="p50, p95" kind="lines" format={ms} axis={axisMs}
        lines={[{ name: "p50", tone: "one", values: series.latency_p50 }, { name: "p95", tone: "two", values: series.latency_p95 }]} />
    </div>
  );
}
