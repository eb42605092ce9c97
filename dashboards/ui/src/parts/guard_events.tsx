import { ms } from "../format";
import type { CallDetail, GuardEvent } from "../records";
import { Chip, GuardChips } from "./chip";
import { whyWithheld } from "./outcome";

const DONE: Record<string, string> = { shadow: "shadow: nothing was changed", allow: "let through", modify: "replaced", block: "blocked" };

function reasons(json: string): string[] {
  try {
    const parsed: unknown = JSON.parse(json);
    return Array.isArray(parsed) ? parsed.map(String) : [json];
  } catch {
    return json ? [json] : [];
  }
}

export function GuardEvents({ call, events, degraded }: { call: CallDetail; events: GuardEvent[]; degraded: string }) {
  return (
    <section class="panel guards" aria-label="Guards">
      <header>
        <h2>Guards</h2>
        <GuardChips call={call} />
      </header>
      {call.content_withheld && <p class="note warn-text">Content was not stored: {whyWithheld(call.content_withheld)}.</p>}
      {events.length ? (
        <ul class="events">
          {events.map((e, i) => (
            <li key={i} class={e.mode}>
              <p>
                <Chip word={e.verdict} /> <b>{e.label || e.detector}</b>
                {e.findings > 1 && <span class="quiet">×{e.findings}</span>}
                <span class="grow" />
                {e.score > 0 && <span class="score" title="score">{e.score.toFixed(2)}</span>}
              </p>
              <p class="quiet">
                rule <b>{e.rule}</b> on {e.stage.replace("_", " ")} · {e.detector}{e.engine && ` (${e.engine})`}{e.degraded > 0 && <span class="warn-text"> degraded</span>} · {DONE[e.mode === "shadow" ? "shadow" : e.action] ?? `action ${e.action}`} · {ms(e.latency_ms)}
              </p>
              {e.reason && <p class="quiet">{e.reason}</p>}
            </li>
          ))}
        </ul>
      ) : <p class="note quiet">{call.guard_verdict && call.guard_verdict !== "none" ? "No rule found anything." : call.guard_verdict === "none" ? "No guard looked at this call." : "No verdict was recorded."}</p>}
      {call.degraded > 0 && (
        <details class="note degraded"><summary class="warn-text">A guard ran on less than its full engine</summary>{reasons(degraded).map((r) => <p key={r} class="quiet">{r}</p>)}</details>
      )}
      <p class="note quiet">{call.policy_hash ? <>policy <code>{call.policy_hash}</code></> : null}{call.guard_latency_ms > 0 && <> · {ms(call.guard_latency_ms)} added</>}</p>
    </section>
  );
}
