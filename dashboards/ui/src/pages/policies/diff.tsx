// Against what is in force or any other version: by rule in words, and by text.
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../../answer";
import { exact, timeOf } from "../../format";
import { Problem } from "../../parts/notice";
import { change, go, href, type Place } from "../../place";
import { send } from "../../send";
import type { Work } from "./draft";
import { Lines } from "./lines";
import type { Difference, History, PolicyList, PolicyShown } from "./records";
import { Tag } from "./tag";

const TONES = { added: "good", removed: "stop", changed: "warn" } as const;

export function DiffTab({ here, name, data, work }: { here: Place; name: string; data: PolicyShown; work: Work }) {
  const against = here.query.get("against") ?? "in-force";
  const of = here.query.get("of");
  const draft = !of && work.draft?.changed && data.may_edit ? work.draft : null;
  const kept = `/api/policies/${encodeURIComponent(of ?? name)}/diff?${new URLSearchParams({ against })}`;
  const stored = useAnswer<Difference>(draft ? "/api/policies/status" : kept);
  const [ofDraft, set] = useState<{ data: Difference | null; error: string }>({ data: null, error: "" });
  useEffect(() => {
    if (!draft) return;
    send<Difference>("POST", "/api/policies/diff", { name, file: draft.file.name, text: draft.text, against })
      .then((told) => set({ data: told, error: "" }), (why: Error) => set({ data: null, error: why.message }));
  }, [draft?.text, against]);
  const { data: told, error } = draft ? ofDraft : stored;
  return (
    <div class="policies">
      <Against here={here} name={name} against={against} />
      {draft && <p class="panel note">This is your draft, which is not saved.</p>}
      {error && <Problem text={error} />}
      {told && "rules" in told && <Shown told={told} />}
    </div>
  );
}

function Against({ here, name, against }: { here: Place; name: string; against: string }) {
  const list = useAnswer<PolicyList>("/api/policies").data;
  const history = useAnswer<History>(`/api/policies/history?${new URLSearchParams({ name })}`).data;
  const versions = new Map<string, number>();
  for (const entry of history?.entries ?? []) for (const [hash, is] of [[entry.to, entry.to_kept], [entry.from, entry.from_kept]] as const) if (hash && is && !versions.has(hash)) versions.set(hash, entry.us);
  const known = list?.policies.some((card) => card.id === against) || versions.has(against);
  return (
    <p><label class="policies-against">Compared with <select value={against} onChange={(event) => go(href(here.path, change(here.query, { against: event.currentTarget.value })))}>
      {!known && <option value={against}>{against === "in-force" ? "what is in force" : against}</option>}
      <optgroup label="Policies">{list?.policies.map((card) => <option key={card.id} value={card.id}>{card.id === "in-force" ? "what is in force" : card.id}</option>)}</optgroup>
      <optgroup label="Versions of the past">{[...versions].map(([hash, us]) => <option key={hash} value={hash} title={exact(us)}>{hash}, {timeOf(us)}</option>)}</optgroup>
    </select></label></p>
  );
}

function Shown({ told }: { told: Difference }) {
  return (
    <>
      <section class="panel" aria-label="By rule"><header><h2>By rule</h2><span class="quiet">{told.before.name} <code>{told.before.hash}</code> → {told.after.name} <code>{told.after.hash}</code></span></header>
        {told.rules.length ? <ul class="policies-changes">{told.rules.map((each) => (
          <li key={each.rule + each.change}><Tag tone={TONES[each.change]}>{each.change}</Tag> <b>{each.rule || "the policy"}</b><ul>{each.words.map((words) => <li key={words}>{words}</li>)}</ul></li>
        ))}</ul> : <p class="note">They do the same.</p>}
      </section>
      <section class="panel" aria-label="By text"><header><h2>By text</h2></header>
        {told.text.length ? <Lines lines={told.text} /> : <p class="note quiet">No difference, or the text of one is not kept.</p>}
        {told.cut && <p class="note quiet">The rest is left out.</p>}
      </section>
    </>
  );
}
