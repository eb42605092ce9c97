// Rules on trial, and where guards did less than they should.
import { ago, count, exact, percent, timeOf } from "../format";
import { change, href, type Place } from "../place";
import type { GuardFailure, Shadowed, Verdicts } from "./guards_records";

const DONE: Record<string, string> = { fail_open: "let through", deny: "blocked", none: "not started" };

export function ShadowRules({ here, shadow }: { here: Place; shadow: Verdicts["shadow"] }) {
  if (!shadow.rules.length) return null;
  return (
    <section class="panel" id="shadow" aria-label="Rules in shadow">
      <header><h2>Rules in shadow</h2><span class="quiet">what they would have done, had they been in force</span></header>
      <ul class="guards-shadow">
        {shadow.rules.map((rule) => <Would key={rule.rule + rule.verdict} here={here} rule={rule} />)}
      </ul>
    </section>
  );
}

function Would({ here, rule: r }: { here: Place; rule: Shadowed }) {
  const list = href("/calls", change(here.query, { rule: r.rule, event_mode: "shadow", event_verdict: r.verdict }));
  const told = r.would === "failed" ? "could not have judged" : `would have ${r.would}`;
  return (
    <li>
      <p><b>{r.rule}</b> <a href={list}>{told} {count(r.calls)} call{r.calls === 1 ? "" : "s"}</a>{r.labels.length > 0 && <span class="quiet"> · {r.labels.join(", ")}</span>}</p>
      <p class="quiet">for example {r.examples.map((e, i) => (
        <span key={e.trace_id + e.span_id}>{i > 0 && ", "}<a href={href(`/calls/${e.trace_id}/${e.span_id}`, here.query)} title={exact(e.us)}>{e.service || "a call"} at {timeOf(e.us)}</a>{e.score > 0 && ` (${e.score.toFixed(2)})`}</span>
      ))}
      </p>
      <p class="guards-acts">
        <a class="button small" href={href("/guards/review", change(here.query, { rule: r.rule }))}>Label its findings</a>
        {r.policy && <a class="button small" href={`/policies/${encodeURIComponent(r.policy)}`}>Promote it in {r.policy}</a>}
      </p>
    </li>
  );
}

export function Failures({ here, trouble }: { here: Place; trouble: Verdicts["trouble"] }) {
  const { failures, skipped, engines } = trouble;
  if (!failures.length && !skipped.length && !engines.length) return null;
  return (
    <div class="guards-by">
      <Reasons here={here} title="Guards that failed" failures={failures} />
      <Reasons here={here} title="Detectors skipped for want of time" failures={skipped} />
      {engines.length > 0 && (
        <section class="panel" aria-label="Less than the full engine">
          <header><h2>Less than the full engine</h2></header>
          <div class="scroll"><table>
            <thead><tr><th scope="col">Detector</th><th scope="col">Ran on</th><th scope="col" class="n">Calls</th></tr></thead>
            <tbody>{engines.map((e) => <tr key={e.detector + e.engine}><td><a href={href("/calls", change(here.query, { detector: e.detector }))}>{e.detector}</a></td><td>{e.engine || "–"}</td><td class="n">{count(e.calls)}</td></tr>)}</tbody>
          </table></div>
        </section>
      )}
    </div>
  );
}

function Reasons({ here, title, failures }: { here: Place; title: string; failures: GuardFailure[] }) {
  if (!failures.length) return null;
  return (
    <section class="panel guards-failed" aria-label={title}>
      <header><h2>{title}</h2></header>
      <div class="scroll"><table>
        <thead><tr><th scope="col">Reason</th><th scope="col">Rule</th><th scope="col">The call was</th><th scope="col" class="n">Calls</th><th scope="col" class="n optional">Last</th></tr></thead>
        <tbody>
          {failures.map((f) => (
            <tr key={f.rule + f.detector + f.verdict + f.mode + f.reason}>
              <td>{f.reason}</td>
              <td>{f.rule}{f.mode === "shadow" && <span class="quiet"> in shadow</span>}</td>
              <td>{f.mode === "shadow" ? "untouched" : DONE[f.verdict] ?? f.verdict}</td>
              <td class="n"><a href={href("/calls", change(here.query, { rule: f.rule, detector: f.detector, event_verdict: f.verdict, event_mode: f.mode }))}>{count(f.calls)}</a></td>
              <td class="n quiet optional" title={exact(f.last_us)}>{ago(f.last_us)}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
    </section>
  );
}

export function Unguarded({ here, trouble }: { here: Place; trouble: Verdicts["trouble"] }) {
  if (!trouble.unguarded.length) return null;
  return (
    <section class="panel" aria-label="Calls without a guard">
      <header><h2>Calls without a guard</h2></header>
      <div class="scroll"><table>
        <thead><tr><th scope="col">App</th><th scope="col" class="n">Calls</th><th scope="col" class="n">Share</th></tr></thead>
        <tbody>
          {trouble.unguarded.map((u) => (
            <tr key={`${u.service} ${u.env}`}>
              <td><a href={href("/calls", change(here.query, { guard: "unguarded", service: u.service, env: u.env }))}>{u.service || "(unnamed)"}</a> <span class="quiet">{u.env}</span></td>
              <td class="n">{count(u.calls)}</td><td class="n">{percent(u.calls / u.of)}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
      <p class="note quiet">These apps run with guards off, or call models in a way that no guard stands in. <code>spanward doctor</code> in the app's environment says which.</p>
    </section>
  );
}
