// Two sets of calls side by side: what differs, how far, how sure, and what else may be the cause.
import "./compare.css";
import { Fragment } from "preact";
import { useAnswer } from "../answer";
import { count, percent, rangeName } from "../format";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, Nothing, Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { change, go, href, type Place } from "../place";
import { asked } from "../range";
import { useTitle } from "../title";
import {
  callsOf, chosen, DIMENSION_WORDS, DIMENSIONS, madeToDiffer, pairOf, presets, SIDES, swapped, withPair, wordsOf, type Choices, type Comparison, type Row, type SideFacts,
  type SideName, type Warned,
} from "./compare_sides";
import { amount, mood, nameOf, SECTIONS, signed, verdictOf } from "./compare_words";

export function Compare({ here, stored }: PageProps) {
  useTitle("Compare");
  const common = new URLSearchParams([...here.query].filter(([key]) => !/^[ab]\./.test(key)));
  const choices = useAnswer<Choices>(`/api/compare/choices?${asked(common)}`);
  if (stored === 0) return <FirstSteps />;
  const ready = chosen(here.query);
  return (
    <div class="compare">
      <div class="page-head">
        <h1>Compare</h1>
        {ready && <a class="button small" href={href("/compare", swapped(here.query))}>Swap A and B</a>}
      </div>
      {choices.error && <Problem text={choices.error} />}
      {choices.data && (
        <nav class="compare-presets" aria-label="Comparisons to start from">
          {presets(here, choices.data).map((preset) => <a key={preset.name} class="button small" href={href("/compare", preset.query)}>{preset.name}</a>)}
        </nav>
      )}
      <FilterBar here={here} />
      {ready ? <Sides here={here} choices={choices.data} />
        : <Nothing title="Two sets of calls, side by side"><p>Take one of the comparisons above; then change either side. Filters in the address without a side hold for both.</p></Nothing>}
    </div>
  );
}

function Sides({ here, choices }: { here: Place; choices: Choices | null }) {
  const { data, error, busy } = useAnswer<Comparison>(`/api/compare?${asked(here.query)}`);
  return (
    <>
      <div class="compare-sides">
        {SIDES.map((side) => <Side key={side} here={here} side={side} choices={choices} facts={data?.[side] ?? null} />)}
      </div>
      {error && <Problem text={error} />}
      {data && <div class="compare" aria-busy={busy}><Warnings query={here.query} data={data} /><Summary rows={data.rows} /><Table here={here} data={data} /></div>}
    </>
  );
}

function Side({ here, side, choices, facts }: { here: Place; side: SideName; choices: Choices | null; facts: SideFacts | null }) {
  const words = wordsOf(here.query, side);
  const time = (key: "from" | "to") => (
    <label>{key === "from" ? "From" : "To"}
      <input value={here.query.get(`${side}.${key}`) ?? ""} placeholder="as the page" onChange={(event) => go(href("/compare", change(here.query, { [`${side}.${key}`]: event.currentTarget.value.trim() || null })))} />
    </label>
  );
  return (
    <section class={`panel compare-side ${side}`} aria-label={`Side ${side.toUpperCase()}`}>
      <header><h2>{side.toUpperCase()}</h2><span class="grow">{words.join(", ") || "all calls"}</span></header>
      <p class="quiet">{facts ? <><a href={href("/calls", callsOf(here.query, side, {}))}>{count(facts.calls)} calls</a>, {rangeName(facts.start, facts.end)}</> : "…"}</p>
      <div class="compare-fields">
        {DIMENSIONS.map((dimension) => {
          const now = pairOf(here.query, side, dimension);
          const known = (choices?.[dimension] ?? []).map((one) => [dimension === "prompt" ? `${one.value}\u001f${one.version}` : one.value, dimension === "prompt" ? `${one.value} v${one.version}` : one.value] as const);
          if (!known.length && !now) return null;
          return (
            <label key={dimension}>{DIMENSION_WORDS[dimension]}
              <select value={now} onChange={(event) => go(href("/compare", withPair(here.query, side, dimension, event.currentTarget.value)))}>
                <option value="">any</option>
                {now && !known.some(([value]) => value === now) && <option value={now}>{now.replace("\u001f", " v")}</option>}
                {known.map(([value, word]) => <option key={value} value={value}>{word}</option>)}
              </select>
            </label>
          );
        })}
        {time("from")}{time("to")}
      </div>
    </section>
  );
}

const DIMENSION_NAMES: Record<string, string> = {
  service: "app", env: "environment", operation: "operation", model: "model", prompt_name: "prompt", prompt_version: "prompt version", user_group: "user group", day: "day",
};

function Warnings({ query, data }: { query: URLSearchParams; data: Comparison }) {
  const made = madeToDiffer(query);
  const sampled = SIDES.filter((side) => data[side].every > 1 || data[side].times_every > 1);
  if (!data.overlap && !data.warnings.length && !sampled.length && made.length < 2) return null;
  return (
    <section class="compare-warning" aria-label="Read with care">
      {data.overlap > 0 && <p><b>{count(data.overlap)} calls are on both sides.</b> They make the sides look more alike than they are.</p>}
      {made.length > 1 && <p><b>The sides were chosen to differ in {made.join(" and ")}.</b> Which of them makes a difference cannot be told.</p>}
      {data.warnings.map((one) => <p key={one.dimension}>{warning(one)}</p>)}
      {sampled.map((side) => (
        <p key={side}>Side {side.toUpperCase()} is large: {data[side].every > 1 && `shares and means are of one call in ${count(data[side].every)}, `}times are of one in {count(data[side].times_every)}.</p>
      ))}
    </section>
  );
}

function warning(one: Warned) {
  return <><b>The sides also differ in {DIMENSION_NAMES[one.dimension] ?? one.dimension}:</b> {one.value || "(none)"} has {percent(one.share_a)} of A and {percent(one.share_b)} of B. What is seen below may come from that. {one.dimension === "day" ? "Choose a range in which both were called" : "Choose the same for both"} to rule it out.</>;
}

function Summary({ rows }: { rows: Row[] }) {
  const sure = rows.filter((row) => row.verdict === "more" || row.verdict === "less");
  return (
    <section class="panel compare-sum" aria-label="In short">
      {sure.length ? sure.map((row) => <p key={row.key} class={mood(row) || "other"}><b>{nameOf(row)}</b>: {verdictOf(row)}.</p>)
        : <p>No row shows a difference that could not be chance.</p>}
    </section>
  );
}

function Table({ here, data }: { here: Place; data: Comparison }) {
  return (
    <section class="panel">
      <div class="scroll"><table class="compare-table">
        <thead><tr><th scope="col">What</th><th scope="col" class="n">A</th><th scope="col" class="n">B</th><th scope="col" class="n">Difference</th><th scope="col">Verdict</th></tr></thead>
        {SECTIONS.map(([section, title]) => {
          const rows = data.rows.filter((row) => row.section === section);
          return rows.length > 0 && (
            <tbody key={section}>
              <tr><th scope="rowgroup" colSpan={5}>{title}</th></tr>
              {rows.map((row) => (
                <tr key={row.key}>
                  <th scope="row">{nameOf(row)}</th>
                  {SIDES.map((side) => <Cell key={side} here={here} row={row} side={side} />)}
                  <td class="n compare-difference">{signed(row, row.difference)}{row.low !== null && row.difference !== null && <small>{signed(row, row.low)} to {signed(row, row.high)}</small>}</td>
                  <td class={`compare-verdict ${row.verdict === "more" || row.verdict === "less" ? `sure ${mood(row)}` : "none"}`}>{verdictOf(row)}</td>
                </tr>
              ))}
            </tbody>
          );
        })}
      </table></div>
      <p class="note quiet">Ranges are 95% sure. A verdict holds for all {data.rows.filter((row) => row.p !== null).length} rows together: by chance alone at most one comparison in twenty shows any (Benjamini–Hochberg). Times are of calls that did not fail.</p>
    </section>
  );
}

function Cell({ here, row, side }: { here: Place; row: Row; side: SideName }) {
  const { value, low, high, of } = row[side];
  const text = amount(row, value);
  const linked = value !== null && Object.keys(row.filters).length > 0;
  return (
    <td class="n">
      <Fragment>{linked ? <a href={href("/calls", callsOf(here.query, side, row.filters))}>{text}</a> : text}</Fragment>
      <small>{low !== null && high !== null ? `${amount(row, low)} – ${amount(row, high)} · ` : ""}{count(of)} calls</small>
    </td>
  );
}
