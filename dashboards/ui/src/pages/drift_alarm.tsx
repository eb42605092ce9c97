import "./drift.css";
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { ago, count, exact, local, percent, timeOf } from "../format";
import { Chart } from "../parts/chart";
import { Chip } from "../parts/chip";
import { Icon } from "../parts/icon";
import { Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { go, href } from "../place";
import { isoSeconds } from "../range";
import { send } from "../send";
import { useTitle } from "../title";
import type { AlarmPage, AlarmRow, Change, Segment } from "./drift_records";

const HOUR_MS = 3_600_000;
const points = (share: number) => `${share >= 0 ? "+" : "−"}${(100 * Math.abs(share)).toFixed(1)}`;

export function DriftAlarm({ ids, dark }: PageProps) {
  const id = ids["alarm"] ?? "";
  const { data, error } = useAnswer<AlarmPage>(`/api/drift/${encodeURIComponent(id)}`);
  useTitle(data ? `${data.alarm.title} drifts` : "Drift");
  if (error) return <><h1 class="unseen">Drift alarm</h1><Problem text={error} /><p><a href="/drift">All streams</a></p></>;
  if (!data) return <h1 class="unseen">Drift alarm</h1>;
  const { alarm: a, history: h } = data;
  return (
    <div class="drift">
      <div class="page-head">
        <div><a class="up" data-up href="/drift"><Icon name="left" /> Drift</a></div>
        <h1>{a.title} of {a.service}: {a.text}</h1>
        <p class="quiet">
          <Chip word={a.until === null ? "drifting" : "over"} tone={a.until === null ? "bad" : "quiet"} /> since <span title={exact(a.since * 1000)}>{local(a.since * 1000)}</span> ({ago(a.since * 1000)}), found {local(a.found * 1000)}
          {a.until !== null && <>, over {local(a.until * 1000)}</>}. <a href={calls(a, {})}>{count(data.calls)} calls</a>. Effect {a.effect.toFixed(2)}, Hellinger distance {data.hellinger.toFixed(2)}, PSI {data.psi.toFixed(2)} (for comparison only).
        </p>
      </div>
      <p class={`drift-cause ${data.cause.key ? "named" : ""}`} role="status">{data.cause.text}</p>
      <div class="drift-columns">
        <Segments data={data} />
        <Changes data={data} />
      </div>
      <div class="drift-columns">
        <Chart title="Share and what was to be expected" note="by window of 500 calls, or of a day with 200" t={h.t} step={HOUR_MS} kind="lines" format={percent} dark={dark}
          onZoom={(from, to) => go(href("/calls", new URLSearchParams({ service: a.service, from: isoSeconds(from), to: isoSeconds(to) })))}
          lines={[{ name: "share", tone: "bad", values: h.share }, { name: "expected at least", tone: "quiet-fill", values: known(h, h.low) }, { name: "at most", tone: "quiet-fill", values: known(h, h.high) }]} />
        <Buckets data={data} />
      </div>
      <Typical data={data} />
      {a.until === null && <Accept alarm={a} />}
    </div>
  );
}

function known(h: AlarmPage["history"], values: number[]): (number | null)[] {
  return values.map((v, i) => ((h.high[i] ?? 1) - (h.low[i] ?? 0) < 0.999 ? v : null));
}

// The calls since the change, of a segment or bucket.
function calls(a: AlarmRow, filters: Record<string, string>): string {
  const to = a.until === null ? {} : { to: isoSeconds(a.until) };
  return href("/calls", new URLSearchParams({ from: isoSeconds(a.since), ...to, service: a.service, ...filters }));
}

function filtersFor(s: Segment): Record<string, string> | null {
  if (s.key === "prompt_version") {
    const cut = s.value.lastIndexOf(" ");
    return cut > 0 ? { prompt: s.value.slice(0, cut), prompt_version: s.value.slice(cut + 1) } : null;
  }
  return ["prompt", "model", "provider", "user_group", "env", "operation", "rule", "policy"].includes(s.key) ? { [s.key]: s.value } : null;
}

function Segments({ data }: { data: AlarmPage }) {
  return (
    <section class="panel" aria-label="Who carries it">
      <header><h2>Who carries it</h2><span class="quiet">the change of the share, cut by segment</span></header>
      <div class="scroll" tabIndex={0} role="region" aria-label="Segments, a table"><table>
        <thead><tr><th scope="col">Segment</th><th scope="col" class="n">Of calls</th><th scope="col" class="n" title="The share within the segment, since and before">Its share</th><th scope="col" class="n" title="How much of the change is gone without this segment">Carries</th><th scope="col" class="n" title="Change of the others, in points">Without it</th></tr></thead>
        <tbody>
          {data.cause.segments.map((s) => {
            const filters = filtersFor(s);
            return (
              <tr key={`${s.key} ${s.value}`}>
                <td><span class="quiet">{s.name}</span> {filters ? <a href={calls(data.alarm, filters)}>{s.value || "(none)"}</a> : s.value || "(none)"}</td>
                <td class="n">{percent(s.part)} <small class="quiet">was {percent(s.part_before)}</small></td>
                <td class="n">{percent(s.share)} <small class="quiet">was {s.part_before ? percent(s.expected) : "–"}</small></td>
                <td class="n"><b>{percent(Math.max(s.carried, 0))}</b></td>
                <td class="n">{points(s.without)}</td>
              </tr>
            );
          })}
        </tbody>
      </table></div>
    </section>
  );
}

function Changes({ data }: { data: AlarmPage }) {
  const changed = data.changes.filter((c) => c.changed);
  const same = data.changes.filter((c) => !c.changed);
  return (
    <section class="panel drift-changes" aria-label="What else changed">
      <header><h2>What changed at that time</h2></header>
      {changed.length ? <ul>{changed.map((c) => <li key={c.key}><b>{c.name}</b> {described(c)}{c.first !== null && <small class="quiet"> first seen {timeOf(c.first * 1000)}</small>}</li>)}</ul>
        : <p class="note quiet">Nothing that is recorded.</p>}
      {data.deeds.length > 0 && <><h3>What people did, six hours before to six after</h3><ul>{data.deeds.map((d) => <li key={`${d.at}${d.subject}`}>{timeOf(d.at * 1000)} {d.actor || "somebody"}: {d.action} {d.subject}</li>)}</ul></>}
      <h3>What did not</h3>
      <ul>{same.map((c) => <li key={c.key}>{c.name} <span class="quiet">{c.kept.join(", ") || "not recorded"}</span></li>)}</ul>
    </section>
  );
}

function described(c: Change): string {
  const parts = [c.new.length && `new: ${c.new.map((v) => v || "(none)").join(", ")}`, c.gone.length && `gone: ${c.gone.map((v) => v || "(none)").join(", ")}`];
  return parts.filter(Boolean).join("; ");
}

function Buckets({ data }: { data: AlarmPage }) {
  const sorted = [...data.buckets].sort((a, b) => Number(b.in_change) - Number(a.in_change));
  const rows = data.buckets.some((b) => / and more$/.test(b.word)) ? data.buckets : sorted;
  return (
    <section class="panel" aria-label="All values">
      <header><h2>All values</h2><span class="quiet">those that moved are bold</span></header>
      <div class="scroll drift-buckets" tabIndex={0} role="region" aria-label="All values, a table"><table>
        <thead><tr><th scope="col">Value</th><th scope="col" class="n">Since</th><th scope="col" class="n">Before</th><th scope="col" class="n">Points</th></tr></thead>
        <tbody>
          {rows.map((b) => (
            <tr key={b.bucket} class={b.in_change ? "moved" : ""}>
              <td>{b.filters ? <a href={calls(data.alarm, b.filters)}>{b.word}</a> : b.word.replace(/ and more$/, "")}</td>
              <td class="n">{percent(b.now)}</td><td class="n quiet">{percent(b.before)}</td><td class="n">{points(b.now - b.before)}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
    </section>
  );
}

function Typical({ data }: { data: AlarmPage }) {
  return (
    <section class="panel drift-typical" aria-label="Typical inputs">
      <header><h2>Typical of what is new</h2><span class="quiet">inputs with the words that were rarer before</span></header>
      {data.typical === null ? <p class="note quiet">Showing what was said needs a key that may see content.</p>
        : data.typical.length === 0 ? <p class="note quiet">No text is stored for these calls.</p>
          : <ul>{data.typical.map((t) => (
            <li key={t.span_id}>
              <a href={href(`/calls/${t.trace_id}/${t.span_id}`, new URLSearchParams())}>{t.preview}</a>
              {t.words.length > 0 && <small class="quiet">{t.words.join(", ")}</small>}
            </li>
          ))}</ul>}
    </section>
  );
}

function Accept({ alarm }: { alarm: AlarmRow }) {
  const [reason, setReason] = useState("");
  const [error, setError] = useState("");
  const accept = (event: Event) => {
    event.preventDefault();
    send("POST", `/api/drift/${encodeURIComponent(alarm.id)}/accept`, { reason }).then(() => go("/drift"), (why: Error) => setError(why.message));
  };
  return (
    <form class="panel drift-accept" onSubmit={accept}>
      <p>Is this how it should be? Then its baseline begins anew at {local(alarm.since * 1000)}, and it learns until it has 14 days of it. A change that nobody accepts is taken as normal after 14 days.</p>
      <label>Reason <input value={reason} maxLength={500} onInput={(event) => setReason(event.currentTarget.value)} /></label>
      <button type="submit" class="button">Accept as the new normal</button>
      {error && <Problem text={error} />}
    </form>
  );
}
