// Tokens and cost, times, and who called: three short lists beside the messages.
import type { ComponentChildren } from "preact";
import { costOf, count, counted, exact, local, ms } from "../format";
import { href } from "../place";
import { around } from "../range";
import type { CallDetail } from "../records";
import { Copy } from "./copy";
import { CostParts } from "./cost_parts";

type Fact = readonly [string, ComponentChildren];

function List({ title, facts }: { title: string; facts: (Fact | false | "" | 0)[] }) {
  return (
    <section class="panel facts" aria-label={title}>
      <header><h2>{title}</h2></header>
      <dl>{facts.filter((f): f is Fact => Boolean(f)).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}

export function Tokens({ call: c }: { call: CallDetail }) {
  if (!counted(c) && c.input_tokens + c.output_tokens === 0) return <Uncounted call={c} />;
  const fresh = Math.max(0, c.input_tokens - c.cached_tokens - c.cache_write_tokens);
  const total = Math.max(c.input_tokens + c.output_tokens, 1);
  const kinds = [["one", fresh], ["cached", c.cached_tokens + c.cache_write_tokens], ["two", c.output_tokens - c.reasoning_tokens], ["three", c.reasoning_tokens]] as const;
  return (
    <section class="panel facts" aria-label="Tokens and cost">
      <header><h2>Tokens and cost</h2></header>
      <div class="shares" aria-hidden="true">{kinds.map(([tone, n]) => n > 0 && <i key={tone} class={tone} style={{ width: `${(100 * n) / total}%` }} />)}</div>
      <dl>
        <div><dt><i class="key one" />Input</dt><dd>{count(fresh)}</dd></div>
        {c.cached_tokens > 0 && <div><dt><i class="key cached" />Read from cache</dt><dd>{count(c.cached_tokens)}</dd></div>}
        {c.cache_write_tokens > 0 && <div><dt><i class="key cached" />Written to cache</dt><dd>{count(c.cache_write_tokens)}</dd></div>}
        <div><dt><i class="key two" />Output</dt><dd>{count(c.output_tokens - c.reasoning_tokens)}</dd></div>
        {c.reasoning_tokens > 0 && <div><dt><i class="key three" />Reasoning</dt><dd>{count(c.reasoning_tokens)}</dd></div>}
        <div class="sum"><dt>Total</dt><dd>{count(c.input_tokens + c.output_tokens)}</dd></div>
        <div class="sum"><dt>Cost</dt><dd class={c.cost === null ? "quiet" : "cost"}>{costOf(c)}</dd></div>
        {counted(c) && <div><dt>Counted by</dt><dd>{c.usage_source}</dd></div>}
        {c.price_version && <div><dt>Prices</dt><dd>{c.price_version}</dd></div>}
      </dl>
      {c.cost !== null && c.cost > 0 && <CostParts key={c.trace_id + c.span_id} call={c} />}
    </section>
  );
}

function Uncounted({ call: c }: { call: CallDetail }) {
  return (
    <section class="panel facts" aria-label="Tokens and cost">
      <header><h2>Tokens and cost</h2></header>
      {c.status === "ok" ? (
        <p class="note warn-text">The provider reported no usage, so nothing can be priced.{c.stream > 0 && c.provider === "openai" && <> A stream does with <code>{'stream_options={"include_usage": True}'}</code>.</>}</p>
      ) : <p class="note quiet">No usage was reported: the call did not come to an end.</p>}
    </section>
  );
}

export function Times({ call: c }: { call: CallDetail }) {
  const writing = c.latency_ms - c.ttft_ms;
  return (
    <List title="Time" facts={[
      ["Started", <span title={exact(c.us)}>{local(c.us)}</span>],
      ["Latency", ms(c.latency_ms)],
      c.ttft_ms > 0 && ["First token", ms(c.ttft_ms)],
      c.ttft_ms > 0 && writing > 0 && c.output_tokens > 0 && ["Speed", `${((1000 * c.output_tokens) / writing).toFixed(0)} tokens/s`],
      c.stream > 0 && ["Stream", `${count(c.chunks)} chunks, ${c.stream_end || "end unknown"}`],
    ]} />
  );
}

export function Identity({ call: c, query }: { call: CallDetail; query: URLSearchParams }) {
  const range = around(query, c.us / 1000);
  const to = (filters: Record<string, string>) => href("/calls", new URLSearchParams({ ...range, ...filters }));
  const link = (key: string, value: string) => <a href={to({ [key]: value })} title="All calls like it">{value}</a>;
  return (
    <List title="Call" facts={[
      ["Service", link("service", c.service)], c.env && ["Environment", link("env", c.env)], ["Provider", link("provider", c.provider)],
      ["Operation", link("operation", c.operation)], ["Model", link("model", c.model)], c.request_model !== c.model && ["Asked for", c.request_model], c.finish_reason && ["Finish", link("finish_reason", c.finish_reason)],
      c.session_id && ["Session", <a href={to({ session: c.session_id, sort: "time" })} title="The whole session, in order">{c.session_id}</a>], c.user_id && ["User", link("user", c.user_id)],
      c.user_group && ["User group", link("user_group", c.user_group)],
      c.prompt_name && ["Prompt", <>{link("prompt", c.prompt_name)}{c.prompt_version && <> version <a href={to({ prompt: c.prompt_name, prompt_version: c.prompt_version })}>{c.prompt_version}</a></>}</>],
      c.tags.length > 0 && ["Tags", c.tags.map((tag, i) => <>{i > 0 && ", "}{link("tag", tag)}</>)],
      ["Trace", <span class="id"><a href={to({ trace: c.trace_id, sort: "time" })} title="All calls of this trace"><code>{c.trace_id.slice(0, 16)}…</code></a><Copy text={c.trace_id} what="trace id" /></span>],
      ["Span", <span class="id"><code>{c.span_id}</code><Copy text={c.span_id} what="span id" /></span>],
    ]} />
  );
}
