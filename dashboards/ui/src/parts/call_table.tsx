import { compact, costOf, count, exact, local, ms, timeOf } from "../format";
import { change, href, type Place } from "../place";
import type { CallRow } from "../records";
import { GuardChip, Status } from "./chip";

const COLUMNS: readonly (readonly [name: string, sort: string, number: boolean])[] = [
  ["Time", "time", false], ["Status", "", false], ["Model", "", false], ["Input → output", "", false], ["Guards", "", false],
  ["Latency", "latency", true], ["First", "ttft", true], ["Tokens", "tokens", true], ["Cost", "cost", true],
];

export function CallTable({ here, calls }: { here: Place; calls: CallRow[] }) {
  return (
    <div class="scroll"><table class="rows">
      <colgroup>{COLUMNS.map(([name]) => <col key={name} class={`col-${name.split(" ")[0]!.toLowerCase()}`} />)}</colgroup>
      <thead><tr>{COLUMNS.map(([name, sort, number]) => <Head key={name} here={here} name={name} sort={sort} number={number} />)}</tr></thead>
      <tbody>{calls.map((call) => <Row key={call.trace_id + call.span_id} here={here} call={call} />)}</tbody>
    </table></div>
  );
}

function Head({ here, name, sort, number }: { here: Place; name: string; sort: string; number: boolean }) {
  const now = here.query.get("sort") || "-time";
  const down = now === `-${sort}`;
  const on = sort !== "" && (down || now === sort);
  const next = down ? sort : `-${sort}`;
  return (
    <th class={number ? "n" : ""} scope="col" aria-sort={on ? (down ? "descending" : "ascending") : undefined}>
      {sort ? <a href={href(here.path, change(here.query, { sort: next === "-time" ? null : next }))}>{name}{on && <span aria-hidden="true">{down ? " ↓" : " ↑"}</span>}</a> : name}
    </th>
  );
}

function Row({ here, call: c }: { here: Place; call: CallRow }) {
  return (
    <tr>
      <td class="time"><a data-row href={href(`/calls/${c.trace_id}/${c.span_id}`, change(here.query, {}))} title={`${local(c.us)}\n${exact(c.us)}`}>{timeOf(c.us)}</a></td>
      <td><Status status={c.status} error={c.error_type} /></td>
      <td class="model"><span>{c.model || c.request_model || "(unnamed)"}</span><small>{c.service}{c.operation !== "chat" && ` · ${c.operation}`}</small></td>
      <td class="said"><span>{c.input_preview || <i class="quiet">{c.content_withheld ? "content withheld" : "no text"}</i>}</span><small>{c.output_preview || c.failure}</small></td>
      <td><GuardChip verdict={c.guard_verdict} action={c.guard_action} /></td>
      <td class="n">{ms(c.latency_ms)}</td>
      <td class="n quiet">{c.ttft_ms ? ms(c.ttft_ms) : "–"}</td>
      <td class="n" title={`${count(c.input_tokens)} in (${count(c.cached_tokens)} cached), ${count(c.output_tokens)} out`}>{compact(c.input_tokens + c.output_tokens)}</td>
      <td class={`n ${c.cost === null ? "quiet" : ""}`}>{costOf(c)}</td>
    </tr>
  );
}
