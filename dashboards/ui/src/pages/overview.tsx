import { useAnswer } from "../answer";
import { axisMs, axisUsd, bucket, compact, count, ms, percent, usd } from "../format";
import { Chart, type Line, type Point } from "../parts/chart";
import { FailureTable, ModelTable } from "../parts/tops";
import type { PageProps } from "../pages";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Problem } from "../parts/notice";
import { Tile } from "../parts/tile";
import { change, go, href, type Place } from "../place";
import { asked, isLive, isoSeconds, withRange } from "../range";
import { useTitle } from "../title";
import { GUARD_KINDS, GUARD_TONES, GUARD_WORDS, type Overview as Data } from "../records";

const LIVE_MS = 3000;
const FIRST_CALL_MS = 1000;

export function Overview({ here, dark, stored }: PageProps) {
  const often = stored === 0 ? FIRST_CALL_MS : LIVE_MS;
  const { data, error, busy } = useAnswer<Data>(`/api/overview?${asked(here.query)}`, isLive(here.query) ? often : 0);
  useTitle("Overview");
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="overview">
      <h1 class="unseen">Overview</h1>
      <FilterBar here={here} />
      {error && <Problem text={error} />}
      {data && (data.totals.calls || !busy) ? <Board here={here} data={data} dark={dark} /> : !error && <Waiting />}
    </div>
  );
}

function Waiting() {
  return <div class="tiles" aria-busy="true">{[...Array(7).keys()].map((n) => <div key={n} class="tile waiting" />)}</div>;
}

function Board({ here, data, dark }: { here: Place; data: Data; dark: boolean }) {
  const { series, guards, step } = data;
  const zoom = (from: number, to: number) => go(href("/", withRange(here.query, isoSeconds(from), isoSeconds(to))));
  const shared = { step, dark, onZoom: zoom };
  const ok = series.calls.map((n, i) => n - (series.errors[i] ?? 0) - (series.blocked[i] ?? 0));
  const fresh = series.input_tokens.map((n, i) => n - (series.cached_tokens[i] ?? 0));
  if (!data.totals.calls) return <NoCalls here={here} />;
  const list = (filters: Record<string, string>) => href("/calls", change(here.query, filters));
  return (
    <>
      <Tiles here={here} data={data} />
      <div class="charts">
        <Chart {...shared} title="Calls and failures" note={`per ${stepName(step)}`} t={series.t} kind="bars" format={count} axis={compact}
          points={failurePoints(here, data)}
          lines={[line("ok", "ok", ok), line("failed", "bad", series.errors, list({ status: "error" })), line("blocked", "stop", series.blocked, list({ status: "blocked" }))]} />
        <Chart {...shared} title="Latency" note="p50, p95, p99" t={series.t} kind="lines" format={ms} axis={axisMs}
          lines={[line("p50", "one", series.latency_p50), line("p95", "two", series.latency_p95), line("p99", "three", series.latency_p99)]} />
        <Chart {...shared} title="Time to first token" note="streamed calls" t={series.t} kind="lines" format={ms} axis={axisMs}
          lines={[line("p50", "one", series.ttft_p50), line("p95", "two", series.ttft_p95), line("p99", "three", series.ttft_p99)]} />
        <Chart {...shared} title="Cost" note={data.totals.unpriced ? <><a href={list({ priced: "no" })}>{count(data.totals.unpriced)} unpriced calls</a> not counted</> : "US dollars"} t={series.t} kind="bars" format={usd} axis={axisUsd}
          lines={[line("cost", "one", series.cost)]} />
        <Chart {...shared} title="Tokens" note="by kind" t={series.t} kind="bars" format={count} axis={compact}
          lines={[line("input", "one", fresh), line("cached input", "cached", series.cached_tokens), line("output", "two", series.output_tokens)]} />
        <Chart {...shared} title="Guard actions" note="findings by what was done" t={guards.t} kind="bars" format={count} axis={compact}
          lines={GUARD_KINDS.filter((kind) => kind === "modified" || guards[kind].some(Boolean)).map((kind) => line(GUARD_WORDS[kind], GUARD_TONES[kind], guards[kind], list({ guard: kind })))} />
      </div>
      <div class="tables">
        <ModelTable here={here} models={data.models} />
        <FailureTable here={here} failures={data.failures} />
      </div>
    </>
  );
}

function Tiles({ here, data }: { here: Place; data: Data }) {
  const { totals: now, previous: before, series, guards } = data;
  const to = (filters: Record<string, string | readonly string[]>) => href("/calls", change(here.query, filters));
  const acted = (g: Data["totals"]["guards"]) => g.blocked + g.modified + g.flagged + g.failed_open;
  const rate = (t: Data["totals"]) => (t.calls ? t.errors / t.calls : null);
  const tokens = (t: Data["totals"]) => t.input_tokens + t.output_tokens;
  return (
    <div class="tiles">
      <Tile name="Calls" value={compact(now.calls)} now={now.calls} before={before.calls} good="" line={series.calls} tone="one" href={to({})} />
      <Tile name="Failure rate" value={percent(rate(now))} note={`${count(now.errors)} failed`} now={rate(now)} before={rate(before)} good="down" line={series.errors} tone="bad" href={to({ status: "error" })} />
      <Tile name="Latency p95" value={ms(now.latency[1])} note={`p50 ${ms(now.latency[0])}`} now={now.latency[1]} before={before.latency[1]} good="down" line={series.latency_p95} tone="two" href={to({ sort: "-latency" })} />
      <Tile name="First token p50" value={ms(now.ttft_ms[0])} note={`p95 ${ms(now.ttft_ms[1])}`} now={now.ttft_ms[0]} before={before.ttft_ms[0]} good="down" line={series.ttft_p50} tone="one" href={to({ sort: "-ttft" })} />
      <Tile name="Cost" value={usd(now.calls ? now.cost : 0)} {...(now.unpriced ? { note: `${compact(now.unpriced)} unpriced` } : {})} now={now.cost} before={before.cost} good="" line={series.cost} tone="one" href={to({ sort: "-cost" })} />
      <Tile name="Tokens" value={compact(tokens(now))} note={`${compact(now.output_tokens)} out`} now={tokens(now)} before={tokens(before)} good="" line={series.output_tokens} tone="two" href={to({ sort: "-tokens" })} />
      <Tile name="Guard actions" value={compact(acted(now.guards))} note={`${compact(now.guards.blocked)} blocked`} now={acted(now.guards)} before={acted(before.guards)} good="" line={guards.t.map((_, i) => GUARD_KINDS.reduce((sum, kind) => sum + (kind === "shadow" ? 0 : (guards[kind][i] ?? 0)), 0))} tone="mark" href={to({ guard: ["blocked", "modified", "flagged", "failed_open"] })} />
    </div>
  );
}

function line(name: string, tone: string, values: readonly (number | null)[], to?: string): Line {
  return { name, tone, values, ...(to ? { href: to } : {}) };
}

// The worst moments get a point to click: one on every bar would mark none.
const MOST_POINTS = 10;

function failurePoints(here: Place, { series, step }: Data): Point[] {
  const enough = series.errors.toSorted((a, b) => b - a)[MOST_POINTS] ?? 0;
  return series.t.flatMap((t, index) => {
    const failed = series.errors[index] ?? 0;
    if (failed <= enough) return [];
    const query = change(withRange(here.query, isoSeconds(t), isoSeconds(t + step)), { status: "error" });
    const value = (series.calls[index] ?? 0) - (series.blocked[index] ?? 0);
    return [{ index, value, href: href("/calls", query), label: `${count(failed)} failed, ${bucket(t, step)}` }];
  });
}

function stepName(step: number): string {
  const s = step / 1000;
  const [n, unit] = s < 60 ? [s, "second"] : s < 3600 ? [s / 60, "minute"] : s < 86400 ? [s / 3600, "hour"] : [s / 86400, "day"];
  return n === 1 ? unit : `${n} ${unit}s`;
}
