// The trace a call stood in: one bar a span, in the order of the tree; a row opens its attributes.
import { useState } from "preact/hooks";
import { ms } from "../format";
import { href } from "../place";
import type { Span } from "../records";
import { isOperation, OperationSaid } from "./operation";

interface Row {
  span: Span;
  depth: number;
}

export function ordered(spans: readonly Span[]): Row[] {
  const known = new Set(spans.map((s) => s.span_id));
  const below = new Map<string, Span[]>();
  for (const span of spans) {
    const parent = known.has(span.parent_span_id) ? span.parent_span_id : "";
    below.set(parent, [...(below.get(parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const seen = new Set<string>();
  const walk = (parent: string, depth: number) => {
    for (const span of below.get(parent) ?? []) {
      if (seen.has(span.span_id)) continue;
      seen.add(span.span_id);
      rows.push({ span, depth });
      walk(span.span_id, depth + 1);
    }
  };
  walk("", 0);
  for (const span of spans) if (!seen.has(span.span_id)) rows.push({ span, depth: 0 });
  return rows;
}

interface Reading {
  name: string;
  note: string;
  tone: string;
}

// A guard names its rule, an HTTP attempt its address and answer; others keep their own name.
export function reading({ name, attributes: a, status, is_call: call }: Span): Reading {
  const tone = status === "error" ? "bad" : call ? "one" : "rest";
  if (name === "run_guardrail") return { name: `guard ${a["gen_ai.guardrail.policy.rule.id"] ?? ""}`.trim(), note: a["spanward.guardrail.stage"] ?? "", tone: "mark" };
  const method = a["http.request.method"];
  if (method) return { name: `${method} ${pathOf(a["url.full"] ?? "")}`.trim(), note: a["http.response.status_code"] ?? a["error.type"] ?? "", tone };
  return { name, note: "", tone };
}

function pathOf(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return host + pathname;
  } catch {
    return url;
  }
}

interface Props {
  spans: Span[];
  more: boolean;
  here: string;
  trace: string;
  query: URLSearchParams;
}

export function Waterfall({ spans, more, here, trace, query }: Props) {
  const [open, set] = useState("");
  if (!spans.length) return null;
  const start = Math.min(...spans.map((s) => s.us));
  const end = Math.max(...spans.map((s) => s.us + s.duration_us), start + 1);
  const share = (us: number) => (100 * us) / (end - start);
  return (
    <section class="panel waterfall" aria-label="Trace">
      <header><h2>Trace</h2><span class="quiet">{spans.length}{more && "+"} span{spans.length === 1 ? "" : "s"}, {ms((end - start) / 1000)}</span></header>
      <div class="lane scale quiet" aria-hidden="true"><span /><span class="marks-of-time">{[0, 0.25, 0.5, 0.75].map((part) => <i key={part}>{part ? ms((part * (end - start)) / 1000) : "0"}</i>)}</span><span /></div>
      <ol>
        {ordered(spans).map(({ span: s, depth }) => {
          const { name, note, tone } = reading(s);
          return (
            <li key={s.span_id} class={s.span_id === here ? "here" : ""}>
              <div class="lane">
                <span class="label" style={{ paddingLeft: `${Math.min(depth, 12) * 14}px` }}>
                  <button type="button" class="link" aria-expanded={open === s.span_id} onClick={() => set(open === s.span_id ? "" : s.span_id)} title={`${name}: show its attributes`}>{name}</button>
                  {note && <span class={tone === "bad" ? "bad-text" : "quiet"}>{note}</span>}
                  {s.is_call > 0 && s.span_id !== here && <a href={href(`/calls/${trace}/${s.span_id}`, query)}>open</a>}
                </span>
                <span class="track">
                  <i class={tone} style={{ left: `${share(s.us - start)}%`, width: `max(2px, ${share(s.duration_us)}%)` }} />
                </span>
                <span class="n quiet">{ms(s.duration_us / 1000)}</span>
              </div>
              {open === s.span_id && isOperation(s) && <OperationSaid span={s} trace={trace} />}
              {open === s.span_id && <Attributes of={{ ...(s.status_message ? { "status message": s.status_message } : {}), ...(s.scope ? { scope: s.scope } : {}), service: s.service, ...s.attributes }} />}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

export function Attributes({ of }: { of: Record<string, string> }) {
  const names = Object.keys(of).sort();
  return (
    <table class="attributes">
      <tbody>{names.map((name) => <tr key={name}><th scope="row">{name}</th><td>{of[name]}</td></tr>)}</tbody>
    </table>
  );
}
