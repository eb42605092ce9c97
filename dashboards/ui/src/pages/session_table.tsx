// A list of sessions, on their own page and on a user's.
import { compact, count, dayOf, exact, clockOf, ms, usd } from "../format";
import { change, href, type Place } from "../place";
import type { Listed } from "./people_records";

export function SessionTable({ here, sessions }: { here: Place; sessions: Listed[] }) {
  const kept = change(here.query, { sort: null, view: null });
  return (
    <div class="scroll"><table class="people-table">
      <thead><tr>
        <th scope="col">Latest</th><th scope="col">Session</th><th scope="col" class="people-words">Last words</th><th scope="col" class="n">Calls</th>
        <th scope="col">Trouble</th><th scope="col" class="n optional">Length</th><th scope="col" class="n optional">Tokens</th><th scope="col" class="n">Cost</th>
      </tr></thead>
      <tbody>{sessions.map((s) => (
        <tr key={s.session_id}>
          <td class="people-time" title={exact(s.last_us)}>{clockOf(s.last_us)} <small>{dayOf(s.last_us)}</small></td>
          <td class="people-id">
            <a data-row href={href(`/sessions/${encodeURIComponent(s.session_id)}`, kept)} title={s.session_id}>{s.session_id}</a>
            <small>{[s.services.join(", "), s.users.join(", ")].filter(Boolean).join(" · ")}</small>
          </td>
          <td class="people-words"><span>{s.said ?? <i class="quiet">not for this key</i>}</span><small>{s.answered}</small></td>
          <td class="n">{count(s.calls)}<small>{s.models.join(", ")}</small></td>
          <td><Trouble of={s} /></td>
          <td class="n optional">{s.last_us === s.first_us ? "one call" : lasted(s.last_us - s.first_us)}</td>
          <td class="n optional">{compact(s.input_tokens + s.output_tokens)}</td>
          <td class="n">{usd(s.cost)}{s.unpriced > 0 && s.cost !== null && " +?"}</td>
        </tr>
      ))}</tbody>
    </table></div>
  );
}

// A session may last days.
export function lasted(us: number): string {
  const s = us / 1e6;
  if (s < 3600) return ms(us / 1000);
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.round((s % 86400) / 3600)} h`;
}

export function Trouble({ of: s }: { of: { errors: number; blocked: number; found: number } }) {
  return (
    <span class="chips people-chips">
      {s.errors > 0 && <span class="chip bad">{count(s.errors)} failed</span>}
      {s.blocked > 0 && <span class="chip stop">{count(s.blocked)} blocked</span>}
      {s.found - s.blocked > 0 && <span class="chip warn">{count(s.found - s.blocked)} by guards</span>}
    </span>
  );
}
