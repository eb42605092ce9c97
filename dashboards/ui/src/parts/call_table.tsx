import { change, href, type Place } from "../place";
import type { CallRow } from "../records";
import { chosen, type Column, type Word } from "./call_columns";

// As in the style sheet, and what is left for the texts at least.
const WIDTHS: Record<string, number> = { time: 84, status: 150, model: 162, said: 260, guards: 96, latency: 128, cost: 118, extra: 118 };

// `fresh` are keys (trace and span id) of rows that came while one looks.
export function CallTable({ here, calls, fresh }: { here: Place; calls: CallRow[]; fresh?: ReadonlySet<string> }) {
  const columns = chosen(here.query);
  const extras = columns.some((one) => one.css.startsWith("extra"));
  const width = columns.reduce((sum, { css }) => sum + (WIDTHS[css.split(" ")[0]!] ?? 0), 0);
  return (
    <div class="scroll" tabIndex={extras ? 0 : undefined} role={extras ? "region" : undefined} aria-label={extras ? "Calls" : undefined}>
      <table class={`rows ${extras ? "wide" : ""}`} style={extras ? { "--calls-width": `${width}px` } : undefined}>
        <colgroup>{columns.map(({ id, css }) => <col key={id} class={`col-${css.split(" ")[0]!}`} />)}</colgroup>
        <thead><tr>{columns.map(({ id, css, words }) => <Head key={id} here={here} css={css} words={words} />)}</tr></thead>
        <tbody>{calls.map((call) => <Row key={call.trace_id + call.span_id} here={here} call={call} columns={columns} isNew={fresh?.has(call.trace_id + call.span_id) ?? false} />)}</tbody>
      </table>
    </div>
  );
}

function Head({ here, css, words }: { here: Place; css: string; words: readonly Word[] }) {
  const now = here.query.get("sort") || "-time";
  const on = words.some(([, sort]) => sort && now.replace("-", "") === sort);
  return (
    <th class={css} scope="col" aria-sort={on ? (now.startsWith("-") ? "descending" : "ascending") : undefined}>
      {words.map(([name, sort], i) => (
        <>{i > 0 && " · "}{sort ? <Sort here={here} name={name} sort={sort} now={now} /> : name}</>
      ))}
    </th>
  );
}

function Sort({ here, name, sort, now }: { here: Place; name: string; sort: string; now: string }) {
  const down = now === `-${sort}`;
  const on = down || now === sort;
  const next = down ? sort : `-${sort}`;
  return (
    <a href={href(here.path, change(here.query, { sort: next === "-time" ? null : next }))} class={on ? "on" : ""}>
      {name}{on && <span aria-hidden="true">{down ? " ↓" : " ↑"}</span>}
    </a>
  );
}

function Row({ here, call, columns, isNew }: { here: Place; call: CallRow; columns: readonly Column[]; isNew: boolean }) {
  return (
    <tr class={isNew ? "calls-new" : undefined}>
      {columns.map(({ id, css, words, cell }) => <td key={id} class={css} data-name={words[0]![0]}>{cell(call, here)}</td>)}
    </tr>
  );
}
