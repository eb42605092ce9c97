import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { axisUsd, usd } from "../format";
import type { PageProps } from "../pages";
import { Chart, type Line } from "../parts/chart";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Problem } from "../parts/notice";
import { change, go, href, type Place } from "../place";
import { asked, isLive, isoSeconds, withRange } from "../range";
import { useTitle } from "../title";
import { Budgets, OutlookPanel } from "./cost_budgets";
import { Answer } from "./cost_change";
import { named, splitOf, toCalls, word } from "./cost_links";
import { RepricePanel, UnpricedPanel } from "./cost_prices";
import type { CostAnswer } from "./cost_records";
import { Pivot } from "./cost_table";
import "./cost.css";

const LIVE_MS = 15_000;
const TONES = ["one", "two", "three", "mark", "stop"] as const;

export function Cost({ here, dark, stored }: PageProps) {
  useTitle("Cost");
  const [turn, setTurn] = useState(0);
  const { by, across } = splitOf(here.query);
  const query = asked(change(here.query, { view: null, by, across: across || null }));
  const { data, error, busy } = useAnswer<CostAnswer>(`/api/cost?${query}`, isLive(here.query) ? LIVE_MS : 0, turn);
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="cost-page">
      <div class="page-head"><h1>Cost</h1><FilterBar here={here} /></div>
      {error && <Problem text={error} />}
      {data && (data.totals.calls ? <Board here={here} data={data} dark={dark} /> : !busy && <NoCalls here={here} />)}
      <div class="cost-columns">
        <div><OutlookPanel here={here} /><Budgets here={here} /></div>
        <div>{data && <UnpricedPanel key={turn} here={here} />}<RepricePanel here={here} done={() => setTurn((n) => n + 1)} /></div>
      </div>
    </div>
  );
}

function Board({ here, data, dark }: { here: Place; data: CostAnswer; dark: boolean }) {
  const { series } = data;
  const lines: Line[] = series.lines.map((line, i) => ({
    name: named(data.by, line.value), tone: TONES[i % TONES.length]!, values: line.cost,
    ...(data.by === "tag" && !line.value ? {} : { href: toCalls(here.query, { [data.by]: line.value }) }),
  }));
  if (series.rest.some(Boolean) || !lines.length) lines.push({ name: "others", tone: "quiet-fill", values: series.rest });
  const zoom = (from: number, to: number) => go(href("/cost", withRange(here.query, isoSeconds(from), isoSeconds(to))));
  return (
    <>
      <div class="cost-top">
        <Answer here={here} data={data} />
        <Chart title="Cost over time" note={`US dollars, by ${word(data.by)}`} t={series.t} step={series.step} kind="bars" format={usd} axis={axisUsd} lines={lines} dark={dark} onZoom={zoom} />
      </div>
      <Pivot here={here} data={data} />
    </>
  );
}
