// Stored calls put to the draft: who would be blocked, redacted, newly missed. Runs beside the sidecar and can be stopped.
import { useEffect, useState } from "preact/hooks";
import { count, ms, timeOf, exact } from "../../format";
import { Problem } from "../../parts/notice";
import { change, go, href, type Place } from "../../place";
import { Refusal, send } from "../../send";
import type { Work } from "./draft";
import type { DryRun, Replayed, Side, Tally } from "./records";
import { Tag } from "./tag";

const LOOK_MS = 500;
const KINDS: readonly (readonly [string, string])[] = [
  ["blocked", "blocked"], ["changed", "redacted or pseudonymised"], ["flagged", "flagged"], ["would block", "would be blocked by a rule in shadow"],
  ["would change", "would be changed by a rule in shadow"], ["failed", "not judged whole: a guard failed"],
];
const ALWAYS = ["blocked", "changed", "flagged"];

export function DryRunTab({ here, name, work }: { here: Place; name: string; work: Work }) {
  const { file, text, changed } = work.draft!;
  const id = here.query.get("run");
  const [run, set] = useState<DryRun | null>(null);
  const [problem, fail] = useState("");
  const [calls, setCalls] = useState(1000);
  const [days, setDays] = useState(7);
  useEffect(() => {
    if (!id) return set(null);
    let timer = 0;
    let gone = false;
    const look = () => {
      send<DryRun>("GET", `/api/policies/dry-runs/${encodeURIComponent(id)}`).then((told) => {
        if (gone) return;
        set(told);
        if (told.state === "running") timer = window.setTimeout(look, LOOK_MS);
      }, (why: Error) => {
        if (gone) return;
        if (why instanceof Refusal) fail(why.message);
        else timer = window.setTimeout(look, 4 * LOOK_MS);
      });
    };
    look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [id]);
  const start = () => {
    fail("");
    send<DryRun>("POST", "/api/policies/dry-runs", { name, file: file.name, text, calls, days }).then((told) => {
      set(told);
      go(href(here.path, change(here.query, { run: told.id })), true);
    }, (why: Error) => fail(why.message));
  };
  const stop = () => void send<DryRun>("DELETE", `/api/policies/dry-runs/${id}`).catch((why: Error) => fail(why.message));
  const running = run?.state === "running";
  return (
    <div class="policies">
      <section class="panel policies-start" aria-label="Dry run">
        <p class="note">{changed ? "Your draft" : "The policy"} is put to stored calls and compared with what is in force. No call is touched, and nothing is changed.</p>
        <p class="note">
          <label>Newest <input type="number" min={1} max={5000} value={calls} onInput={(event) => setCalls(Number(event.currentTarget.value))} /> calls</label>{" "}
          <label>of the last <input type="number" min={1} max={90} value={days} onInput={(event) => setDays(Number(event.currentTarget.value))} /> days</label>{" "}
          {running ? <button type="button" class="button" onClick={stop}>Stop</button> : <button type="button" class="button primary" onClick={start}>Start</button>}
        </p>
        {run && <Progress run={run} />}
        {problem && <Problem text={problem} />}
        {run?.problem && <Problem text={run.problem} />}
      </section>
      {run?.result && <Result result={run.result} />}
    </div>
  );
}

function Progress({ run }: { run: DryRun }) {
  const words = {
    running: "going on", done: "done", stopped: "stopped: the time was over, so this is of the newest ones", cancelled: "stopped by you, so this is of the newest ones", failed: "failed",
  }[run.state];
  return (
    <p class="note" role="status"><progress aria-label="Progress" max={run.most} value={run.state === "done" ? run.most : run.calls} /> {count(run.calls)} {run.calls === 1 ? "call" : "calls"} in {run.seconds.toFixed(1)} s, {words}</p>
  );
}

function Result({ result }: { result: Replayed }) {
  const judged = result.calls - result.empty - result.unreadable;
  const { current, candidate } = result;
  return (
    <>
      <section class="panel" aria-label="What changes"><header><h2>{result.differing ? `${count(result.differing)} of ${count(judged)} calls would go another way` : "Nothing would change"}</h2></header>
        <p class="note quiet">{current.policy} <code>{current.hash}</code> → {candidate.policy} <code>{candidate.hash}</code>; {count(result.calls)} calls, {count(result.empty)} of them without recorded content{result.unreadable > 0 && `, ${count(result.unreadable)} that cannot be read`}</p>
        <div class="scroll"><table>
          <thead><tr><th scope="col">Calls</th><th scope="col" class="n">in force</th><th scope="col" class="n">draft</th><th scope="col">newly</th><th scope="col">no longer</th></tr></thead>
          <tbody>{KINDS.filter(([kind]) => ALWAYS.includes(kind) || current.calls[kind] || candidate.calls[kind]).map(([kind, words]) => (
            <tr key={kind}><td>{words}</td><td class="n">{count(current.calls[kind])}</td><td class="n">{count(candidate.calls[kind])}</td><td><Links tally={result.gained[kind]} /></td><td><Links tally={result.lost[kind]} /></td></tr>
          ))}</tbody>
        </table></div>
        <Labels title="Newly found" tallies={result.caught} /><Labels title="Newly missed" tallies={result.missed} />
        <p class="note quiet">A call's checks took {took(current)} with what is in force and {took(candidate)} with the draft, on this machine.</p>
        {[current, candidate].flatMap((side) => Object.entries(side.failures)).map(([reason, n]) => <p key={reason} class="note warn-text">{reason} ({count(n)})</p>)}
        {result.remembered > 0 && <p class="note quiet">{count(result.remembered)} calls hold placeholders: what stood there was taken out before it was recorded. Each counts as found by every rule that looks for its label; whether the draft would have found the value itself cannot be known from here.</p>}
        {result.foreign > 0 && <p class="note quiet">{count(result.foreign)} calls were guarded by another policy when they were made. What that one took out counts as above; what it left in is judged anew.</p>}
      </section>
      {result.changed.length > 0 && (
        <section class="panel" aria-label="Calls that change"><header><h2>Calls that change</h2>{result.differing > result.changed.length && <span class="quiet">the first {count(result.changed.length)}</span>}</header>
          <div class="scroll"><table>
            <thead><tr><th scope="col">Call</th><th scope="col">App, model</th><th scope="col">Newly</th><th scope="col">No longer</th><th scope="col">Labels</th><th scope="col">Rules</th></tr></thead>
            <tbody>{result.changed.map((call) => (
              <tr key={call.trace_id + call.span_id}>
                <td><a data-row href={`/calls/${call.trace_id}/${call.span_id}`} title={exact(call.us)}>{timeOf(call.us)}</a></td><td>{call.app}<br /><span class="quiet">{call.model}</span></td>
                <td>{call.gained.map((kind) => <Tag key={kind} tone={kind.includes("block") ? "stop" : "mark"}>{kind}</Tag>)}</td><td>{call.lost.map((kind) => <Tag key={kind}>{kind}</Tag>)}</td>
                <td>{call.caught.map((label) => <p key={label}>+ {label}</p>)}{call.missed.map((label) => <p key={label} class="bad-text">− {label}</p>)}</td><td>{call.rules.join(", ")}</td>
              </tr>
            ))}</tbody>
          </table></div>
        </section>
      )}
    </>
  );
}

function took({ latency_ms }: Side): string {
  return `${ms(latency_ms.p50)} (p99 ${ms(latency_ms.p99)})`;
}

function Links({ tally }: { tally: Tally | undefined }) {
  if (!tally) return null;
  return <>{count(tally.calls)} <span class="quiet">{tally.examples.map((trace, i) => <a key={trace} href={href("/calls", new URLSearchParams({ from: "now-90d", trace }))}>{i ? " · " : "such as "}{trace.slice(-6)}</a>)}</span></>;
}

function Labels({ title, tallies }: { title: string; tallies: Record<string, Tally> }) {
  const rows = Object.entries(tallies);
  return rows.length ? <p class="note"><b>{title}:</b> {rows.map(([label, tally]) => <span key={label}>{label} in <Links tally={tally} /> </span>)}</p> : null;
}
