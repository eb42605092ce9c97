// A uPlot chart in a panel: shared cursor, brush to zoom, and a plain table of the same numbers for who cannot see it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { bucket } from "../format";

export interface Line {
  name: string;
  tone: string;
  values: readonly (number | null)[];
  // where the calls behind it are listed
  href?: string;
}

export interface Point {
  index: number;
  value: number;
  href: string;
  label: string;
}

interface Props {
  title: string;
  note?: ComponentChildren;
  t: readonly number[];
  step: number;
  lines: readonly Line[];
  kind: "bars" | "lines";
  format: (n: number | null) => string;
  axis?: (n: number) => string;
  // links drawn over the chart, such as failures of a bucket
  points?: readonly Point[];
  dark: boolean;
  onZoom: (from: number, to: number) => void;
}

const HEIGHT = 168;
const sync = uPlot.sync("overview");
const hours = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const seconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export function Chart(props: Props) {
  const { title, note, t, step, lines, kind, format, points, dark } = props;
  const holder = useRef<HTMLDivElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const [asTable, setAsTable] = useState(false);
  const [, moved] = useState(0);
  const shape = `${lines.map((l) => l.name + l.tone).join()}|${kind}|${dark}|${asTable}`;

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const u = new uPlot(options(element, latest, setAt, () => moved((n) => n + 1)), dataOf(latest.current), element);
    plot.current = u;
    sync.sub(u);
    const resized = new ResizeObserver(() => u.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      sync.unsub(u);
      u.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(dataOf(props)), [t, lines]);

  const u = plot.current;
  const empty = lines.every((line) => line.values.every((v) => !v));
  return (
    <section class="panel chart" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span class="quiet when">{at === null ? note : bucket(t[at] ?? 0, step)}</span>
        <button type="button" class="ghost" aria-pressed={asTable} title="The same as a table" onClick={() => setAsTable(!asTable)}>
          {asTable ? "chart" : "table"}
        </button>
      </header>
      <ul class="legend">
        {lines.map((line) => (
          <li key={line.name}>
            <i class={line.tone} /> {line.href ? <a href={line.href}>{line.name}</a> : line.name} <b>{at === null ? "" : format(line.values[at] ?? null)}</b>
          </li>
        ))}
      </ul>
      {asTable ? (
        <Numbers t={t} step={step} lines={lines} format={format} />
      ) : (
        <div class="plot">
          <div ref={holder} />
          {empty && <p class="nothing">nothing in this range</p>}
          {u && points?.map((p) => {
            const x = t[p.index];
            if (x === undefined) return null;
            const left = (u.bbox.left / devicePixelRatio) + u.valToPos((x + step / 2) / 1000, "x");
            const top = (u.bbox.top / devicePixelRatio) + u.valToPos(p.value, "y");
            return <a key={x} class="point" href={p.href} title={p.label} aria-label={p.label} style={{ left: `${left}px`, top: `${top}px` }} />;
          })}
        </div>
      )}
    </section>
  );
}

function Numbers({ t, step, lines, format }: Pick<Props, "t" | "step" | "lines" | "format">) {
  return (
    <div class="numbers">
      <table>
        <thead><tr><th>Time</th>{lines.map((l) => <th key={l.name} class="n">{l.name}</th>)}</tr></thead>
        <tbody>
          {t.map((x, i) => lines.some((l) => l.values[i]) && (
            <tr key={x}><td>{bucket(x, step)}</td>{lines.map((l) => <td key={l.name} class="n">{format(l.values[i] ?? null)}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

// Bars are stacked: the first line stands on the axis, each next on the one before. Drawn from the top of the stack down.
function dataOf({ t, lines, kind }: Props): uPlot.AlignedData {
  const x = t.map((ms) => ms / 1000);
  if (kind === "lines") return [x, ...lines.map((line) => [...line.values]).reverse()] as uPlot.AlignedData;
  const sums = new Array<number>(t.length).fill(0);
  // where a line has nothing it draws nothing: a bar of the same height behind another would show at its edges
  const stacked = lines.map((line) => line.values.map((v, i) => (v ? (sums[i] = (sums[i] ?? 0) + v) : null)));
  return [x, ...stacked.reverse()] as uPlot.AlignedData;
}

// A value between two gaps has no line to be part of: it gets a dot.
function alone(u: uPlot, series: number): number[] {
  const values = u.data[series] ?? [];
  const found: number[] = [];
  values.forEach((v, i) => {
    if (v != null && values[i - 1] == null && values[i + 1] == null) found.push(i);
  });
  return found;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function options(element: HTMLElement, props: { current: Props }, setAt: (i: number | null) => void, drawn: () => void): uPlot.Options {
  const { lines, kind } = props.current;
  // the last is drawn first: of lines that lie on each other the lower percentile is seen, the higher one as its rim
  const ordered = [...lines].reverse();
  const grid = { stroke: colour("grid"), width: 1 };
  const text = { stroke: colour("muted"), font: `11px ${colour("font")}` };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    padding: [8, 18, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: "overview" },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { show: kind === "lines", size: 6 },
      y: false,
    },
    scales: {
      x: { time: true, range: (u, min, max) => [min, kind === "bars" || u.data[0].length < 2 ? max + props.current.step / 1000 : max] },
      y: { range: (_u, _min, max) => [0, max > 0 ? max * 1.08 : 1] },
    },
    axes: [
      { ...text, grid: { show: false }, ticks: { show: false }, size: 24, space: 70, values: (_u, at) => names(at, props.current) },
      { ...text, grid, ticks: { show: false }, size: 56, space: 34, values: (_u, at) => at.map((n) => (props.current.axis ?? props.current.format)(n)) },
    ],
    series: [
      {},
      ...ordered.map((line): uPlot.Series => kind === "bars"
        ? { fill: colour(line.tone), stroke: "transparent", width: 0, points: { show: false }, paths: uPlot.paths.bars!({ size: [0.8, 28], align: 1 }) }
        : {
          stroke: colour(line.tone), width: line === lines.at(-1) && lines.length > 1 ? 2.5 : 1.5, spanGaps: false,
          points: { show: false, filter: alone, size: 5, fill: colour(line.tone), width: 0 },
        }),
    ],
    hooks: {
      setCursor: [(u) => setAt(u.cursor.left !== undefined && u.cursor.left >= 0 ? (u.cursor.idx ?? null) : null)],
      draw: [drawn],
      setSelect: [
        (u) => {
          if (u.select.width < 6) return;
          const { step, onZoom } = props.current;
          const value = (px: number) => u.posToVal(px, "x") * 1000;
          const from = Math.floor(value(u.select.left) / step) * step;
          const to = Math.ceil(value(u.select.left + u.select.width) / step) * step;
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          onZoom(from, Math.max(to, from + step));
        },
      ],
    },
  };
}

function names(at: number[], { t, step }: Props): string[] {
  const long = (t.at(-1) ?? 0) - (t[0] ?? 0);
  let before = "";
  return at.map((s) => {
    const when = new Date(s * 1000);
    const date = days.format(when);
    const newDay = date !== before;
    before = date;
    if (long > 3 * 86_400_000) return newDay ? date : "";
    if (long > 20 * 3_600_000 && when.getHours() === 0 && when.getMinutes() === 0) return date;
    return (step < 10_000 ? seconds : hours).format(when);
  });
}
