// The pivot: rows of one dimension, columns of another, shares, and the same cost in the period before.
import { compact, count, delta, percent, usd } from "../format";
import { change, go, href, type Place } from "../place";
import type { CostAnswer, Row } from "./cost_records";
import { DIMENSIONS, named, signedShare, splitOf, toCalls, word } from "./cost_links";

function Split({ here }: { here: Place }) {
  const { by, across } = splitOf(here.query);
  const to = (rows: string, columns: string) => go(href("/cost", change(here.query, { view: columns && columns !== rows ? `${rows}.${columns}` : rows === "model" ? null : rows })));
  return (
    <div class="cost-split">
      <label>Rows <select value={by} onChange={(e) => to(e.currentTarget.value, across)}>{DIMENSIONS.map((name) => <option key={name} value={name}>{word(name)}</option>)}</select></label>
      <label>Columns <select value={across} onChange={(e) => to(by, e.currentTarget.value)}>
        <option value="">none</option>
        {DIMENSIONS.filter((name) => name !== by).map((name) => <option key={name} value={name}>{word(name)}</option>)}
      </select></label>
    </div>
  );
}

export function Pivot({ here, data }: { here: Place; data: CostAnswer }) {
  const { by, across, rows, columns } = data;
  return (
    <section class="panel" aria-label={`Cost by ${word(by)}${across && ` and ${word(across)}`}`}>
      <header><h2>Cost by {word(by)}{across && ` and ${word(across)}`}</h2><span class="grow" /><Split here={here} /></header>
      {by === "tag" || across === "tag" ? <p class="note quiet">A call with several tags counts under each of them, so the rows add up to more than the whole.</p> : null}
      <div class="scroll"><table>
        <thead><tr>
          <th scope="col">{word(by)}</th><th scope="col" class="n">Cost</th><th scope="col" class="n">Share</th>
          {columns.map((value) => <th key={value} scope="col" class="n cost-column" title={value}>{named(across, value)}</th>)}
          <th scope="col" class="n optional">Before</th><th scope="col" class="n optional">Calls</th><th scope="col" class="n optional">Tokens</th><th scope="col" class="n optional">A call</th>
        </tr></thead>
        <tbody>{rows.map((row) => <Line key={row.value} here={here} data={data} row={row} />)}</tbody>
      </table></div>
      {data.more > 0 && <p class="note quiet">{count(data.more)} more cost less than these. Filter to see them.</p>}
    </section>
  );
}

function Line({ here, data, row }: { here: Place; data: CostAnswer; row: Row }) {
  const to = (filters: Record<string, string> = {}) => toCalls(here.query, { [data.by]: row.value, ...filters });
  const moved = delta(row.cost, row.before);
  const linked = data.by !== "tag" || row.value !== "";
  const name = named(data.by, row.value);
  return (
    <tr>
      <td class="bar cost-name"><i style={{ width: `${100 * Math.min(1, row.share)}%` }} aria-hidden="true" />{linked ? <a data-row href={to()} title={row.value}>{name}</a> : <span class="quiet">{name}</span>}</td>
      <td class="n">{row.unpriced ? <a href={to({ priced: "no" })} title={`${count(row.unpriced)} calls have no price`}>{usd(row.cost)}{row.cost !== null && " +?"}</a> : usd(row.cost)}</td>
      <td class="n">{row.cost === null ? "" : percent(row.share)}</td>
      {row.cells.map((cell, i) => <td key={data.columns[i]} class="n">{cell ? (linked ? <a class="plain" href={to({ [data.across]: data.columns[i]! })}>{usd(cell)}</a> : usd(cell)) : cell === null ? <span class="quiet">unpriced</span> : <span class="quiet">·</span>}</td>)}
      <td class="n optional quiet">{usd(row.before)}{moved !== null && Math.abs(moved) >= 0.005 && ` (${signedShare(moved)})`}</td>
      <td class="n optional">{compact(row.calls)}</td>
      <td class="n optional">{compact(row.input_tokens + row.output_tokens)}</td>
      <td class="n optional">{row.priced && row.cost !== null ? usd(row.cost / row.priced) : ""}</td>
    </tr>
  );
}
