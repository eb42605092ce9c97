// The trace a call stood in: one bar a span, in the order of the tree; a row opens its attributes.
import { useMemo, useState } from "preact/hooks";
import { ms } from "../format";
import { href } from "../place";
import type { Span } from "../records";
import { Icon } from "./icon";
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

// What stands before the name of a span with others below it.
const FOLD_PX = 24;

// Rows below a folded span are left out. A zoom shows one span's time as the whole width, and only what is below it.
export function Waterfall({ spans, more, here, trace, query }: Props) {
  const [open, set] = useState("");
  const [folded, fold] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState("");
  const rows = useMemo(() => ordered(spans), [spans]);
  if (!spans.length) return null;
  const parents = new Set(rows.filter((row, i) => (rows[i + 1]?.depth ?? 0) > row.depth).map((row) => row.span.span_id));
  const shown = visible(rows, folded, zoom);
  const zoomed = zoom ? shown[0]?.span : undefined;
  const start = zoomed ? zoomed.us : Math.min(...spans.map((s) => s.us));
  const end = zoomed ? Math.max(zoomed.us + zoomed.duration_us, start + 1) : Math.max(...spans.map((s) => s.us + s.duration_us), start + 1);
  const share = (us: number) => Math.min(100, Math.max(0, (100 * us) / (end - start)));
  const toggle = (id: string) => fold((old) => (old.has(id) ? new Set([...old].filter((one) => one !== id)) : new Set([...old, id])));
  return (
    <section class="panel waterfall" aria-label="Trace">
      <header>
        <h2>Trace</h2><span class="quiet">{spans.length}{more && "+"} span{spans.length === 1 ? "" : "s"}, {ms((end - start) / 1000)}{shown.length < rows.length && `, ${shown.length} shown`}</span>
        <span class="grow" />
        {zoomed && <button type="button" class="button small" onClick={() => setZoom("")}>Whole trace</button>}
        {parents.size > 1 && <button type="button" class="button small" onClick={() => fold(folded.size ? new Set() : parents)}>{folded.size ? "Unfold all" : "Fold all"}</button>}
      </header>
      <div class="lane scale quiet" aria-hidden="true"><span /><span class="marks-of-time">{[0, 0.25, 0.5, 0.75].map((part) => <i key={part}>{part ? ms((part * (end - start)) / 1000) : "0"}</i>)}</span><span /></div>
      <ol>
        {shown.map(({ span: s, depth }) => {
          const { name, note, tone } = reading(s);
          const left = share(s.us - start);
          return (
            <li key={s.span_id} class={s.span_id === here ? "here" : ""}>
              <div class="lane">
                <span class="label" style={{ paddingLeft: `${Math.min(depth, 12) * 14 + (parents.size && !parents.has(s.span_id) ? FOLD_PX : 0)}px` }}>
                  {parents.has(s.span_id) && <button type="button" class="ghost call-fold" aria-expanded={!folded.has(s.span_id)} aria-label={`What is below ${name}`} onClick={() => toggle(s.span_id)}><Icon name={folded.has(s.span_id) ? "right" : "down"} /></button>}
                  <button type="button" class="link" aria-expanded={open === s.span_id} onClick={() => set(open === s.span_id ? "" : s.span_id)} title={`${name}: show its attributes`}>{name}</button>
                  {note && <span class={tone === "bad" ? "bad-text" : "quiet"}>{note}</span>}
                  {s.is_call > 0 && s.span_id !== here && <a href={href(`/calls/${trace}/${s.span_id}`, query)}>open</a>}
                </span>
                <span class="track">
                  <i class={tone} style={{ left: `${left}%`, width: `max(2px, ${share(s.us + s.duration_us - start) - left}%)` }} />
                </span>
                <span class="n quiet">{ms(s.duration_us / 1000)}</span>
              </div>
              {open === s.span_id && s.span_id !== zoom && parents.has(s.span_id) && <p class="note"><button type="button" class="link" onClick={() => setZoom(s.span_id)}>Zoom to this span</button></p>}
              {open === s.span_id && isOperation(s) && <OperationSaid span={s} trace={trace} />}
              {open === s.span_id && <Attributes of={{ ...(s.status_message ? { "status message": s.status_message } : {}), ...(s.scope ? { scope: s.scope } : {}), service: s.service, ...s.attributes }} />}
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function visible(rows: readonly Row[], folded: ReadonlySet<string>, zoom: string): Row[] {
  const at = rows.findIndex((row) => row.span.span_id === zoom);
  const top = at < 0 ? -1 : rows[at]!.depth;
  const end = at < 0 ? rows.length : rows.findIndex((row, i) => i > at && row.depth <= top);
  const shown: Row[] = [];
  let under = Infinity;
  for (const row of rows.slice(Math.max(at, 0), end < 0 ? rows.length : end)) {
    if (row.depth > under) continue;
    under = folded.has(row.span.span_id) ? row.depth : Infinity;
    shown.push({ span: row.span, depth: row.depth - Math.max(top, 0) });
  }
  return shown;
}

const SEARCHED_FROM = 12;

// Many of them can be searched, by name and value.
export function Attributes({ of, what }: { of: Record<string, string>; what?: string }) {
  const [wanted, set] = useState("");
  const low = wanted.toLowerCase();
  const names = Object.keys(of).sort().filter((name) => name.toLowerCase().includes(low) || of[name]!.toLowerCase().includes(low));
  return (
    <>
    {what && (wanted || Object.keys(of).length >= SEARCHED_FROM) && <label class="call-find">Find in {what} <input type="search" value={wanted} onInput={(event) => set(event.currentTarget.value)} /></label>}
    {wanted && !names.length && <p class="note quiet">No name or value holds it.</p>}
    <table class="attributes">
      <tbody>{names.map((name) => <tr key={name}><th scope="row">{name}</th><td>{of[name]}</td></tr>)}</tbody>
    </table>
    </>
  );
}
