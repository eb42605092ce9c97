// Tokens and cost, times, and who called: three short lists beside the messages.
import type { ComponentChildren } from "preact";
import { costOf, count, exact, local, ms } from "../format";
import { href } from "../place";
import type { CallDetail } from "../records";
import { Copy } from "./copy";

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
        <div><dt>Counted by</dt><dd>{c.usage_source || "nobody"}</dd></div>
        {c.price_version && <div><dt>Prices</dt><dd>{c.price_version}</dd></div>}
      </dl>
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
  const link = (key: string, value: string) => {
    const next = new URLSearchParams({ from: query.get("from") ?? "now-24h", [key]: value });
    return <a href={href("/calls", next)}>{value}</a>;
  };
  return (
    <List title="Call" facts={[
      ["Service", c.service], c.env && ["Environment", c.env], ["Provider", c.provider], ["Operation", c.operation],
      ["Model", c.model], c.request_model !== c.model && ["Asked for", c.request_model], c.finish_reason && ["Finish", c.finish_reason],
      c.session_id && ["Session", link("session", c.session_id)], c.user_id && ["User", link("user", c.user_id)],
      c.prompt_name && ["Prompt", <>{link("prompt", c.prompt_name)} {c.prompt_version}</>],
      c.tags.length > 0 && ["Tags", c.tags.join(", ")],
      ["Trace", <span class="id"><code>{c.trace_id.slice(0, 16)}…</code><Copy text={c.trace_id} what="trace id" /></span>],
      ["Span", <span class="id"><code>{c.span_id}</code><Copy text={c.span_id} what="span id" /></span>],
    ]} />
  );
}
