// Every change with who and when, from the audit log; texts that are kept can be compared and put back.
import { Tag } from "./tag";
import { useAnswer } from "../../answer";
import { exact, local } from "../../format";

import { Nothing, Problem } from "../../parts/notice";
import { change, href, type Place } from "../../place";
import type { Entry, History } from "./records";

const WORDS: Record<string, string> = {
  "policy.reload": "taken up", "policy.restart": "changed while the sidecar was down", "policy.save": "saved here", "policy.create": "created here",
  "policy.save_failed": "save failed", "policy.promote": "put in force", "policy.promote_failed": "promotion failed",
};

const BY: Record<string, string> = { restart: "not known", "file change": "a change of the file" };

export function HistoryTab({ here, name, inForce }: { here: Place; name: string; inForce: boolean }) {
  const before = here.query.get("before");
  const { data, error } = useAnswer<History>(`/api/policies/history?${new URLSearchParams({ name, ...(before ? { before } : {}) })}`);
  const now = useAnswer<{ hash: string }>("/api/policies/status").data?.hash;
  if (error) return <Problem text={error} />;
  if (!data) return null;
  if (!data.entries.length) return <Nothing title="Nothing was changed yet"><p>{inForce ? "Each save, each change of the file and each promotion will be listed here." : "What is not in force has a history once it was saved from here."}</p></Nothing>;
  return (
    <section class="panel" aria-label="History">
      <div class="scroll"><table>
        <thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">Who</th><th scope="col">Version</th><th scope="col"><span class="unseen">Do</span></th></tr></thead>
        <tbody>{data.entries.map((entry) => <Row key={`${entry.us}${entry.action}`} here={here} entry={entry} now={now} />)}</tbody>
      </table></div>
      {data.next && <p class="note"><a href={href(here.path, change(here.query, { before: data.next }))}>Earlier</a></p>}
    </section>
  );
}

function Row({ here, entry, now }: { here: Place; entry: Entry; now: string | undefined }) {
  const to = (changes: Record<string, string>) => href(here.path, change(new URLSearchParams(), changes));
  return (
    <tr>
      <td title={exact(entry.us)}>{local(entry.us)}</td>
      <td>{WORDS[entry.action] ?? entry.action}{entry.rules && <>: {entry.rules}</>}</td>
      <td>{BY[entry.actor] ?? (entry.actor || "somebody on this machine")}</td>
      <td><code>{entry.from || "–"}</code> → <code>{entry.to || "–"}</code>{entry.to === now && <> <Tag tone="good">in force</Tag></>}</td>
      <td class="n policies-do">
        {entry.from_kept && entry.to_kept && <a data-row href={to({ tab: "diff", of: entry.to, against: entry.from })}>what changed</a>}
        {entry.to_kept && entry.to !== now && <a href={to({ tab: "diff", against: entry.to })}>compare with now</a>}
        {entry.to_kept && entry.to !== now && <a href={to({ tab: "edit", version: entry.to })}>edit this version</a>}
      </td>
    </tr>
  );
}
