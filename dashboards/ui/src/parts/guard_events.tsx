import { ms } from "../format";
import type { CallDetail, GuardEvent } from "../records";
import { Chip } from "./chip";

export function GuardEvents({ call, events }: { call: CallDetail; events: GuardEvent[] }) {
  return (
    <section class="panel guards" aria-label="Guards">
      <header>
        <h2>Guards</h2>
        {call.guard_verdict && <Chip word={call.guard_verdict} title="verdict: what the policy found" />}
        {call.guard_action && call.guard_action !== "allow" && call.guard_action !== "none" && <span class="quiet">action: {call.guard_action}</span>}
      </header>
      {call.degraded > 0 && <p class="note warn-text">A guard ran on less than its full engine.</p>}
      {call.content_withheld && <p class="note warn-text">Content was not stored: {call.content_withheld}</p>}
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
                rule <b>{e.rule}</b> on {e.stage.replace("_", " ")} · {e.detector}{e.engine && ` (${e.engine})`} · {e.mode === "shadow" ? "shadow: nothing was changed" : `action ${e.action}`} · {ms(e.latency_ms)}
              </p>
              {e.degraded > 0 && <p class="warn-text">degraded engine</p>}
              {e.reason && <p class="quiet">{e.reason}</p>}
            </li>
          ))}
        </ul>
      ) : <p class="note quiet">{call.guard_verdict && call.guard_verdict !== "none" ? "No rule found anything." : call.guard_verdict === "none" ? "No guard looked at this call." : "No verdict was recorded."}</p>}
      <p class="note quiet">{call.policy_hash ? <>policy <code>{call.policy_hash}</code></> : null}{call.guard_latency_ms > 0 && <> · {ms(call.guard_latency_ms)} added</>}</p>
    </section>
  );
}
