// The columns a list of calls can show, by their names in the address; what stands above and below in each.
import type { ComponentChildren } from "preact";
import { clockOf, costOf, count, counted, dayOf, exact, local, ms, NONE, tokensOf } from "../format";
import { change, href, type Place } from "../place";
import type { CallRow } from "../records";
import { GuardChips, Status } from "./chip";
import { UNSAID } from "./outcome";

export type Word = readonly [name: string, sort: string];

export interface Column {
  id: string;
  // classes of its cells; the first is its width's too
  css: string;
  words: readonly Word[];
  // of an export: what the file calls these
  file: readonly string[];
  cell: (call: CallRow, here: Place) => ComponentChildren;
}

const extra = (id: string, name: string, file: string, cell: (call: CallRow) => ComponentChildren, sort = "", n = ""): Column =>
  ({ id, css: `extra ${n}`, words: [[name, sort]], file: [file], cell });

const text = (value: string) => (value ? <span title={value}>{value}</span> : <span class="quiet">{NONE}</span>);

export const COLUMNS: readonly Column[] = [
  {
    id: "time", css: "time", words: [["Time", "time"]], file: ["time"],
    cell: (c, here) => <><a data-row href={href(`/calls/${c.trace_id}/${c.span_id}`, change(here.query, {}))} title={`${local(c.us)}\n${exact(c.us)}`}>{clockOf(c.us)}</a><small>{dayOf(c.us)}</small></>,
  },
  {
    id: "status", css: "status", words: [["Status", ""]], file: ["status", "error_type", "stream", "stream_end"],
    cell: (c) => <><Status status={c.status} error={c.error_type} />{c.stream > 0 && <small>stream{c.stream_end && c.stream_end !== "complete" ? ` ${c.stream_end}` : "ed"}</small>}</>,
  },
  {
    id: "model", css: "model", words: [["Model", ""]], file: ["model", "request_model", "service", "operation"],
    cell: (c) => <><span title={c.model}>{c.model || c.request_model || "(unnamed)"}</span><small>{c.service}{c.operation !== "chat" && ` · ${c.operation}`}</small></>,
  },
  {
    id: "said", css: "said", words: [["Input → output", ""]], file: ["input_preview", "output_preview", "failure"],
    cell: (c) => <><span>{c.input_preview || <i class="quiet">{c.content_withheld ? "content withheld" : "no text"}</i>}</span><small>{answered(c)}</small></>,
  },
  { id: "guards", css: "guards", words: [["Guards", ""]], file: ["guard_verdict", "guard_action"], cell: (c) => <GuardChips call={c} /> },
  {
    id: "latency", css: "latency n", words: [["Latency", "latency"], ["first token", "ttft"]], file: ["latency_ms", "ttft_ms"],
    cell: (c) => <>{ms(c.latency_ms)}<small>{c.ttft_ms ? ms(c.ttft_ms) : NONE}</small></>,
  },
  {
    id: "cost", css: "cost n", words: [["Cost", "cost"], ["tokens", "tokens"]], file: ["cost_usd", "input_tokens", "output_tokens"],
    cell: (c) => <><span class={c.cost === null ? "quiet" : ""}>{costOf(c)}</span><small title={!counted(c) ? "no usage was reported" : `${count(c.input_tokens)} in (${count(c.cached_tokens)} cached), ${count(c.output_tokens)} out`}>{tokensOf(c)}</small></>,
  },
  extra("input", "Input tokens", "input_tokens", (c) => (counted(c) ? count(c.input_tokens) : NONE), "input", "n"),
  extra("cached", "Cached tokens", "cached_tokens", (c) => (counted(c) ? count(c.cached_tokens) : NONE), "", "n"),
  extra("output", "Output tokens", "output_tokens", (c) => (counted(c) ? count(c.output_tokens) : NONE), "output", "n"),
  extra("service", "Service", "service", (c) => text(c.service)),
  extra("env", "Environment", "env", (c) => text(c.env)),
  extra("provider", "Provider", "provider", (c) => text(c.provider)),
  extra("operation", "Operation", "operation", (c) => text(c.operation)),
  extra("asked", "Model asked for", "request_model", (c) => text(c.request_model)),
  extra("session", "Session", "session_id", (c) => text(c.session_id)),
  extra("user", "User", "user_id", (c) => text(c.user_id)),
  extra("prompt", "Prompt", "prompt_name", (c) => text([c.prompt_name, c.prompt_version].filter(Boolean).join(" "))),
  extra("tags", "Tags", "tags", (c) => text(c.tags.join(", "))),
  extra("finish", "Finish", "finish_reason", (c) => text(c.finish_reason)),
  extra("rules", "Guard rules", "guard_verdict", (c) => text(c.rules.join(", "))),
  extra("trace", "Trace", "trace_id", (c) => text(c.trace_id)),
];

const USUAL = ["time", "status", "model", "said", "guards", "latency", "cost"];

// The chosen ones in the order of the table; time, which holds the link, is always there.
export function chosen(query: URLSearchParams): Column[] {
  const asked = (query.get("columns") ?? "").split(",").filter((id) => COLUMNS.some((one) => one.id === id));
  const ids = asked.length ? ["time", ...asked] : USUAL;
  return COLUMNS.filter((one) => ids.includes(one.id));
}

export function toggledColumn(query: URLSearchParams, id: string): URLSearchParams {
  const now = chosen(query).map((one) => one.id);
  const next = COLUMNS.map((one) => one.id).filter((one) => (one === id ? !now.includes(one) : now.includes(one)));
  return change(query, { columns: next.join() === USUAL.join() ? null : next.join() });
}

function answered(c: CallRow): string {
  if (c.output_preview) return c.output_preview;
  if (c.status !== "ok") return c.failure;
  return c.finish_reason.startsWith("tool") ? "calls a tool" : UNSAID[c.operation]?.word ?? "";
}
