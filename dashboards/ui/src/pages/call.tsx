import "./call.css";
import type { PageProps } from "../pages";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { curlOf, hasCurl, otlpOf } from "../copy_as";
import { costOf, count, counted, ms, timeOf, tokensOf } from "../format";
import { marksIn, messagesOf, toolsOf } from "../messages";
import { Chip, GuardChips, Status } from "../parts/chip";
import { Copy } from "../parts/copy";
import { Identity, Times, Tokens } from "../parts/facts";
import { GuardEvents } from "../parts/guard_events";
import { Icon } from "../parts/icon";
import { MessageView, Text } from "../parts/message_view";
import { Missed } from "../parts/missed";
import { Problem } from "../parts/notice";
import { Reader } from "../parts/reader";
import { Revealing } from "../parts/reveal";
import { noAnswer, Outcome, whyWithheld } from "../parts/outcome";
import { Attributes, Waterfall } from "../parts/waterfall";
import { change, href, type Place } from "../place";
import { useTitle } from "../title";
import { asked } from "../range";
import { verdictsAt } from "../verdicts_at";
import type { CallDetail, CallPage, Content, GuardEvent, Ids } from "../records";

const YOUNG_MS = 60_000;
const AGAIN_MS = 2000;

export function CallView({ here, ids }: PageProps) {
  const { trace, span } = ids;
  // rules that only flag are judged after the call was stored: a young call may still get findings
  const [young, setYoung] = useState(false);
  const { data, error } = useAnswer<CallPage>(`/api/calls/${trace}/${span}?${asked(here.query, ["sort"])}`, young ? AGAIN_MS : 0);
  useEffect(() => setYoung(data !== null && Date.now() - data.call.us / 1000 < YOUNG_MS), [data]);
  useTitle(data ? data.call.model || data.call.request_model || "Call" : "Call");
  return (
    <div class="call">
      {error && <Problem text={error} />}
      {data && <Page here={here} data={data} />}
    </div>
  );
}

function Page({ here, data }: { here: Place; data: CallPage }) {
  const { call: c, content, events, spans } = data;
  const own = spans.find((s) => s.span_id === c.span_id);
  const reading = here.query.get("read") === "trace";
  return (
    <Revealing trace={c.trace_id}>
      <Title here={here} data={data} />
      <Outcome call={c} events={events} />
      <Tabs here={here} reading={reading} />
      {reading ? <Reader trace={c.trace_id} query={here.query} /> : (
      <div class="columns">
        <div class="talk">
          {data.hidden ? <p class="panel note quiet">What was said is hidden from you: it takes a key whose role may see content.</p> : <Talk call={c} content={content} events={events} />}
          <Waterfall spans={spans} more={data.more_spans} here={c.span_id} trace={c.trace_id} query={here.query} />
          {own && (
            <details class="panel raw">
              <summary><h2>Raw attributes</h2> <span class="quiet">{count(Object.keys(own.attributes).length)} of the span, {count(Object.keys(own.resource).length)} of the resource</span></summary>
              <Attributes of={own.attributes} what="the attributes" />
              <h3>Resource</h3>
              <Attributes of={own.resource} />
            </details>
          )}
        </div>
        <div class="call-side">
          <GuardEvents call={c} events={events} degraded={own?.attributes["spanward.guard.degraded"] ?? ""} />
          <div class="panel call-missed"><Missed trace={c.trace_id} span={c.span_id} /></div>
          <Tokens call={c} />
          <Times call={c} />
          <Identity call={c} query={here.query} />
        </div>
      </div>
      )}
    </Revealing>
  );
}

function Tabs({ here, reading }: { here: Place; reading: boolean }) {
  const to = (read: string | null) => href(here.path, change(here.query, { read }));
  return (
    <nav class="call-tabs" aria-label="Ways to read">
      <a class="button small" href={to(null)} aria-current={reading ? undefined : "page"}>This call</a>
      <a class="button small" href={to("trace")} aria-current={reading ? "page" : undefined}>All that was said in the trace</a>
    </nav>
  );
}

function Title({ here, data }: { here: Place; data: CallPage }) {
  const { call: c } = data;
  const own = data.spans.find((s) => s.span_id === c.span_id);
  const { content } = data;
  const to = (ids: Ids) => href(`/calls/${ids.trace_id}/${ids.span_id}`, here.query);
  return (
    <header class="title">
      <a class="up" data-up href={href("/calls", here.query)} title="Back to the list (u)"><Icon name="left" /> Calls</a>
      <h1>{c.model || c.request_model || c.operation}</h1>
      <Status status={c.status} />
      <GuardChips call={c} />
      {c.env === "demo" && <Chip word="demo" tone="quiet" />}
      <span class="quiet">{timeOf(c.us)} · {c.service} · {ms(c.latency_ms)}{(counted(c) || c.input_tokens + c.output_tokens > 0) && <> · {tokensOf(c)} tokens · <span class="price">{costOf(c)}</span></>}</span>
      <span class="grow" />
      <Copy text={location.href} what="link" label="Link" />
      <Copy text={() => JSON.stringify(data, null, 2)} what="call as JSON" label="JSON" />
      {own && <Copy text={() => otlpOf(c.trace_id, own, data.content)} what="span as OTLP JSON" label="OTLP" />}
      {hasCurl(c, content) && <Copy text={() => curlOf(c, content, own?.attributes ?? {})} what="request as curl, without a key" label="curl" />}
      <Step to={data.previous && to(data.previous)} name="previous" />
      <Step to={data.next && to(data.next)} name="next" />
    </header>
  );
}

function Step({ to, name }: { to: string | null; name: "previous" | "next" }) {
  const icon = <Icon name={name === "next" ? "right" : "left"} />;
  const label = `${name === "next" ? "Next" : "Previous"} call in the list (${name === "next" ? "j" : "k"})`;
  if (!to) return <span class="button small off" aria-hidden="true">{icon}</span>;
  return <a class="button small" href={to} title={label} aria-label={label} {...{ [`data-${name}`]: "" }}>{icon}</a>;
}

// Read once for a text, however often the page asks again.
function talkOf(content: Content) {
  const system = messagesOf(content.system, "system");
  const input = messagesOf(content.input, "user");
  const output = messagesOf(content.output, "assistant");
  return { system, input, output, tools: toolsOf(content.tools), marks: marksIn([...system, ...input, ...output]) };
}

function Talk({ call, content, events }: { call: CallDetail; content: Content | null; events: GuardEvent[] }) {
  const told = useMemo(() => content && talkOf(content), [content?.system, content?.input, content?.output, content?.tools]);
  const withheld = call.content_withheld;
  if (!content || !told) {
    return (
      <p class="panel note quiet">
        {withheld ? `The content of this call was not stored: ${whyWithheld(withheld)}.` : "No content is stored for this call: it carried none, or its time to live is over."}
      </p>
    );
  }
  const { system, input, output, tools, marks } = told;
  const verdicts = verdictsAt(events, input, output);
  return (
    <>
      {content.cut.length > 0 && <p class="panel note warn-text">Very long content was cut here: {content.cut.join(", ")}.</p>}
      {marks > 0 && <p class="marks"><Icon name="shield" /><span>{marks === 1 ? "1 value was" : `${marks} values were`} taken out by a guard and not stored; <mark>placeholders</mark> stand in</span></p>}
      {tools.length > 0 && (
        <details class="panel tools-offered">
          <summary><h2>Tools offered</h2> <span class="quiet">{tools.map((t) => t.name).join(", ")}</span></summary>
          {tools.map((t) => <div key={t.name} class="tool"><p><b>{t.name}</b> <span class="quiet">{t.description}</span></p><Text text={t.json} code /></div>)}
        </details>
      )}
      {system.map((m, i) => <MessageView key={`s${i}`} message={m} of="input" />)}
      {input.map((m, i) => <MessageView key={`i${i}`} message={m} of="input" events={verdicts.get(m) ?? []} />)}
      {output.length > 0 ? output.map((m, i) => <MessageView key={`o${i}`} message={m} of="output" events={verdicts.get(m) ?? []} />) : <p class="note quiet">{noAnswer(call)}</p>}
    </>
  );
}
