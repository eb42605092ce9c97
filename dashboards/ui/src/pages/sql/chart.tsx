// The same rows over time, or as bars beside their names where there is no time in them.
import { compact, count } from "../../format";
import { Chart } from "../../parts/chart";
import { change, go, href, type Place } from "../../place";
import type { Result } from "./records";
import { axesOf, choices, linesOf, MOST_SERIES, type Axes } from "./series";

const MOST_BARS = 50;

export function Drawn({ here, result, dark, zoom }: { here: Place; result: Result; dark: boolean; zoom: (from: number, to: number) => void }) {
  const can = choices(result);
  const axes = axesOf(result, here.query);
  if (!axes.y) return <p class="note">There is no column of numbers to draw.</p>;
  return (
    <>
      <p class="sql-axes">
        {can.x.length > 0 && <Choose here={here} name="x" words="Time" options={can.x} value={axes.x} />}
        <Choose here={here} name="y" words="Value" options={can.y} value={axes.y} />
        {can.series.length > 0 && <Choose here={here} name="series" words={can.x.length ? "A line for each" : "A bar for each"} options={can.x.length ? ["", ...can.series] : can.series} value={axes.series || (can.x.length ? "" : can.series[0]!)} />}
        {can.x.length > 0 && <Choose here={here} name="kind" words="As" options={["bars", "lines"]} value={here.query.get("kind") === "lines" ? "lines" : "bars"} />}
      </p>
      {axes.x ? <OverTime here={here} result={result} axes={axes} dark={dark} zoom={zoom} /> : <Bars result={result} axes={{ ...axes, series: axes.series || (can.series[0] ?? "") }} />}
    </>
  );
}

function OverTime({ here, result, axes, dark, zoom }: { here: Place; result: Result; axes: Axes; dark: boolean; zoom: (from: number, to: number) => void }) {
  const { t, step, lines, left } = linesOf(result, axes);
  return (
    <Chart title={`${axes.y}${axes.series ? ` by ${axes.series}` : ""}`} note={left > 0 ? `the largest ${MOST_SERIES - 1}, and ${left} others together` : `by ${axes.x}`} t={t} step={step} dark={dark}
      kind={here.query.get("kind") === "lines" ? "lines" : "bars"} format={(n) => (n === null ? "–" : Number.isInteger(n) ? count(n) : String(+n.toPrecision(4)))} axis={(n) => (Math.abs(n) < 10 ? String(+n.toPrecision(3)) : compact(n))} lines={lines} onZoom={zoom} />
  );
}

function Bars({ result, axes }: { result: Result; axes: Axes }) {
  const [name, y] = [result.columns.indexOf(axes.series), result.columns.indexOf(axes.y)];
  const most = Math.max(...result.rows.map((row) => Math.abs(Number(row[y]) || 0)), 1e-12);
  return (
    <table class="sql-bars"><thead><tr><th scope="col">{axes.series || "row"}</th><th scope="col">{axes.y}</th></tr></thead>
      <tbody>{result.rows.slice(0, MOST_BARS).map((row, i) => (
        <tr key={i}><td>{name < 0 ? i + 1 : String(row[name] ?? "NULL")}</td><td class="bar"><i style={{ width: `${(100 * Math.abs(Number(row[y]) || 0)) / most}%` }} /><span>{String(row[y] ?? "NULL")}</span></td></tr>
      ))}</tbody>
    </table>
  );
}

function Choose({ here, name, words, options, value }: { here: Place; name: string; words: string; options: readonly string[]; value: string }) {
  return (
    <label>{words} <select value={value} onChange={(event) => go(href(here.path, change(here.query, { [name]: event.currentTarget.value })), true)}>
      {options.map((option) => <option key={option} value={option}>{option || "nothing: one line"}</option>)}
    </select></label>
  );
}
