import { clockOf, costOf, count, counted, dayOf, exact, local, ms, NONE, tokensOf } from "../format";
import { change, href, type Place } from "../place";
import type { CallRow } from "../records";
import { GuardChips, Status } from "./chip";
import { UNSAID } from "./outcome";

// Two lines a row: each column has a word above and a quieter one below, and both may sort.
type Word = readonly [name: string, sort: string];
const COLUMNS: readonly (readonly [css: string, words: readonly Word[]])[] = [
  ["time", [["Time", "time"]]], ["status", [["Status", ""]]], ["model", [["Model", ""]]], ["said", [["Input → output", ""]]],
  ["guards", [["Guards", ""]]], ["latency n", [["Latency", "latency"], ["first token", "ttft"]]], ["cost n", [["Cost", "cost"], ["tokens", "tokens"]]],
];

export function CallTable({ here, calls }: { here: Place; calls: CallRow[] }) {
  return (
    <div class="scroll"><table class="rows">
      <colgroup>{COLUMNS.map(([css]) => <col key={css} class={`col-${css.split(" ")[0]!}`} />)}</colgroup>
      <thead><tr>{COLUMNS.map(([css, words]) => <Head key={css} here={here} css={css} words={words} />)}</tr></thead>
      <tbody>{calls.map((call) => <Row key={call.trace_id + call.span_id} here={here} call={call} />)}</tbody>
    </table></div>
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

function answered(c: CallRow): string {
  if (c.output_preview) return c.output_preview;
  if (c.status !== "ok") return c.failure;
  return c.finish_reason.startsWith("tool") ? "calls a tool" : UNSAID[c.operation]?.word ?? "";
}

function Row({ here, call: c }: { here: Place; call: CallRow }) {
  return (
    <tr>
      <td class="time"><a data-row href={href(`/calls/${c.trace_id}/${c.span_id}`, change(here.query, {}))} title={`${local(c.us)}\n${exact(c.us)}`}>{clockOf(c.us)}</a><small>{dayOf(c.us)}</small></td>
      <td class="status"><Status status={c.status} error={c.error_type} />{c.stream > 0 && <small>stream{c.stream_end && c.stream_end !== "complete" ? ` ${c.stream_end}` : "ed"}</small>}</td>
      <td class="model"><span title={c.model}>{c.model || c.request_model || "(unnamed)"}</span><small>{c.service}{c.operation !== "chat" && ` · ${c.operation}`}</small></td>
      <td class="said"><span>{c.input_preview || <i class="quiet">{c.content_withheld ? "content withheld" : "no text"}</i>}</span><small>{answered(c)}</small></td>
      <td class="guards"><GuardChips call={c} /></td>
      <td class="latency n">{ms(c.latency_ms)}<small>{c.ttft_ms ? ms(c.ttft_ms) : NONE}</small></td>
      <td class="cost n"><span class={c.cost === null ? "quiet" : ""}>{costOf(c)}</span><small title={!counted(c) ? "no usage was reported" : `${count(c.input_tokens)} in (${count(c.cached_tokens)} cached), ${count(c.output_tokens)} out`}>{tokensOf(c)}</small></td>
    </tr>
  );
}
