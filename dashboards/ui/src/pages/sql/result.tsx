// The rows of an answer: a bounded part of them is drawn, all of them can be sorted and copied.
import { useMemo, useState } from "preact/hooks";
import { count } from "../../format";
import { Copy } from "../../parts/copy";
import { change, go, href, type Place } from "../../place";
import type { Result, Value } from "./records";

const PART = 200;
const LONG = 300;
const SHORT = 40;
const TRACE = /^[0-9a-f]{32}$/;
const SPAN = /^[0-9a-f]{16}$/;

export function Rows({ here, result }: { here: Place; result: Result }) {
  const [shown, show] = useState(PART);
  const sort = here.query.get("sort") ?? "";
  const rows = useMemo(() => sorted(result, sort), [result, sort]);
  return (
    <>
      <div class="scroll sql-rows" tabIndex={0} role="region" aria-label="Rows"><table>
        <thead><tr>{result.columns.map((name, i) => <Head key={i} here={here} name={name} sort={sort} numbers={typeof result.rows[0]?.[i] === "number"} />)}</tr></thead>
        <tbody>{rows.slice(0, shown).map((row, n) => <tr key={n}>{row.map((value, i) => <Cell key={i} value={value} row={row} />)}</tr>)}</tbody>
      </table></div>
      <p class="note">{shown < rows.length && <><button type="button" class="button small" onClick={() => show(shown + 5 * PART)}>Show more rows</button> <span class="quiet">{count(Math.min(shown, rows.length))} of {count(rows.length)} shown</span> </>}
        <Copy label="Copy as CSV" what="rows as CSV" text={() => asCsv(result.columns, rows)} /> <Copy label="Copy as JSON" what="rows as JSON" text={() => asJson(result.columns, rows)} /></p>
    </>
  );
}

function Head({ here, name, sort, numbers }: { here: Place; name: string; sort: string; numbers: boolean }) {
  const down = sort === `-${name}`;
  const up = sort === name;
  const next = down ? name : up ? null : `-${name}`;
  return (
    <th scope="col" class={numbers ? "n" : ""} aria-sort={down ? "descending" : up ? "ascending" : undefined}>
      <button type="button" class="link" onClick={() => go(href(here.path, change(here.query, { sort: next })), true)}>{name}{(down || up) && <span aria-hidden="true">{down ? " ↓" : " ↑"}</span>}</button>
    </th>
  );
}

function Cell({ value, row }: { value: Value; row: Value[] }) {
  const [whole, show] = useState(false);
  if (typeof value === "number") return <td class="n">{Number.isInteger(value) && Math.abs(value) >= 10_000 ? count(value) : String(value)}</td>;
  if (value === null) return <td class="quiet">NULL</td>;
  const text = shownAs(value);
  const link = linkOf(value, row);
  if (link) return <td class="short"><a class="mono" href={link} data-row>{text}</a></td>;
  if (text.length <= LONG) return <td class={text.length <= SHORT ? "short" : ""}>{text}</td>;
  return <td>{whole ? text : `${text.slice(0, LONG)}…`} <button type="button" class="link" onClick={() => show(!whole)}>{whole ? "less" : `${count(text.length)} characters`}</button></td>;
}

// A trace or a span of it leads to the call.
function linkOf(value: Value, row: readonly Value[]): string | null {
  if (typeof value !== "string" || !(TRACE.test(value) || SPAN.test(value))) return null;
  const trace = TRACE.test(value) ? value : row.find((each) => typeof each === "string" && TRACE.test(each));
  const span = SPAN.test(value) ? value : row.find((each) => typeof each === "string" && SPAN.test(each));
  if (!trace) return null;
  return span ? `/calls/${trace as string}/${span as string}` : href("/calls", new URLSearchParams({ from: "now-90d", trace: trace as string }));
}

function shownAs(value: Value): string {
  return typeof value === "string" ? value : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function sorted(result: Result, sort: string): Value[][] {
  const at = result.columns.indexOf(sort.replace(/^-/, ""));
  if (!sort || at < 0) return result.rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...result.rows].sort((a, b) => sign * compare(a[at]!, b[at]!));
}

function compare(a: Value, b: Value): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return typeof a === "number" && typeof b === "number" ? a - b : shownAs(a).localeCompare(shownAs(b));
}

function asCsv(columns: readonly string[], rows: readonly Value[][]): string {
  const cell = (value: Value) => {
    const text = value === null ? "" : shownAs(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns.map(cell), ...rows.map((row) => row.map(cell))].map((line) => line.join(",")).join("\n") + "\n";
}

function asJson(columns: readonly string[], rows: readonly Value[][]): string {
  return JSON.stringify(rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]]))), null, 1);
}
