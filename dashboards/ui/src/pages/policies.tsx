// Policies: which there are and which is in force; one of them to read, edit, test, dry-run, compare and put back.
import "./policies.css";
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { ago, count, exact } from "../format";
import type { PageProps } from "../pages";
import { Tag } from "./policies/tag";
import { Problem } from "../parts/notice";
import { change, href, type Place } from "../place";
import { useTitle } from "../title";
import { DiffTab } from "./policies/diff";
import { DryRunTab } from "./policies/dry_run";
import { EditTab } from "./policies/edit";
import { HistoryTab } from "./policies/history";
import { useDraft } from "./policies/draft";
import type { Card, PolicyList, PolicyShown } from "./policies/records";
import { RulesTab } from "./policies/rules";
import { TestTab } from "./policies/test";

const KINDS: Record<Card["kind"], string> = { shipped: "shipped", file: "file", folder: "folder", missing: "missing" };
const LOOK_MS = 5000;

export function Policies(_: PageProps) {
  useTitle("Policies");
  const { data, error } = useAnswer<PolicyList>("/api/policies", LOOK_MS);
  return (
    <>
      <div class="page-head"><h1>Policies</h1></div>
      {error && <Problem text={error} />}
      {data && <List data={data} />}
    </>
  );
}

function List({ data: { in_force: now, policies } }: { data: PolicyList }) {
  const own = policies.find((card) => card.id === "in-force");
  const rest = policies.filter((card) => card.id !== "in-force");
  return (
    <div class="policies">
      <section class="panel policies-now" aria-label="In force">
        <header><h2>In force</h2><Tag tone="good">{now.hash}</Tag></header>
        <p class="policies-name"><a href="/policies/in-force" data-row>{now.name}</a></p>
        <p class="note quiet">
          {now.since_us === null ? "Since the sidecar was started" : <span title={exact(now.since_us)}>Since {ago(now.since_us)}, by {now.by}</span>}
          {own && <> · {count(own.rules)} rules{own.shadow > 0 && <>, <a href="/policies/in-force#shadow">{count(own.shadow)} only watching</a></>} · {own.kind === "shipped" ? "shipped with the software" : own.named}</>}
        </p>
        {now.problem && <Problem text={`What the file says now was not taken, so this one stays: ${now.problem}`} />}
        {own?.problem && own.problem !== now.problem && <Problem text={own.problem} />}
        {now.degraded.map((text) => <p key={text} class="note warn-text">{text}</p>)}
      </section>
      <section class="panel" aria-label="Others"><header><h2>Others to start from or compare with</h2></header>
        <div class="scroll"><table>
          <thead><tr><th scope="col">Policy</th><th scope="col">From</th><th scope="col" class="n">Rules</th><th scope="col">Hash</th><th scope="col"><span class="unseen">Compare</span></th></tr></thead>
          <tbody>{rest.map((card) => (
            <tr key={card.id}>
              <td><a href={`/policies/${encodeURIComponent(card.id)}`} data-row>{card.id}</a>{card.hash === now.hash && <> <Tag tone="good">in force</Tag></>}{card.problem && <p class="bad-text">{card.problem}</p>}</td>
              <td class="quiet">{KINDS[card.kind]}</td><td class="n">{card.problem ? "" : count(card.rules)}</td><td><code>{card.hash}</code></td>
              <td class="n">{card.hash && card.hash !== now.hash && <a href={`/policies/${encodeURIComponent(card.id)}?tab=diff&against=in-force`}>compare with in force</a>}</td>
            </tr>
          ))}</tbody>
        </table></div>
      </section>
    </div>
  );
}

const TABS = [["rules", "Rules"], ["edit", "Edit"], ["test", "Test"], ["dry-run", "Dry run"], ["diff", "Compare"], ["history", "History"]] as const;

export function Policy({ here, ids }: PageProps) {
  const name = ids["name"] ?? "in-force";
  useTitle(`Policy ${name}`);
  const [saves, setSaves] = useState(0);
  const start = here.query.get("start") ?? "0";
  const find = here.query.get("find") ?? "";
  const { data, error } = useAnswer<PolicyShown>(`/api/policies/${encodeURIComponent(name)}?${new URLSearchParams({ start, find })}`, 0, saves);
  const tab = TABS.find(([id]) => id === here.query.get("tab"))?.[0] ?? "rules";
  return (
    <>
      <div class="page-head"><h1><a href="/policies" data-up>Policies</a> / {data?.card.name || name}</h1>
        {data && <Where data={data} />}
      </div>
      <nav class="policies-tabs" aria-label="Parts of the policy">
        {TABS.map(([id, words]) => <a key={id} href={tabHref(here, id)} aria-current={id === tab ? "page" : undefined}>{words}</a>)}
      </nav>
      {error && <Problem text={error} />}
      {data?.card.problem && <Problem text={data.card.problem} />}
      {data && <Tab tab={tab} here={here} name={name} data={data} saved={() => setSaves(saves + 1)} />}
    </>
  );
}

function tabHref(here: Place, tab: string): string {
  const gone = { start: null, find: null, before: null, run: null, version: null, of: null };
  return href(here.path, change(here.query, { ...gone, tab: tab === "rules" ? null : tab }));
}

function Where({ data: { card, in_force } }: { data: PolicyShown }) {
  return (
    <>
      <Tag tone={in_force ? "good" : ""}>{in_force ? "in force" : "not in force"}</Tag>
      <code>{card.hash}</code>
      <span class="quiet">{card.kind === "shipped" ? "shipped" : card.named}</span>
    </>
  );
}

function Tab({ tab, here, name, data, saved }: { tab: string; here: Place; name: string; data: PolicyShown; saved: () => void }) {
  const work = useDraft(name, data.files, here);
  useEffect(() => work.restore(here), [here.query.get("version")]);
  const changes = ["edit", "test", "dry-run"].includes(tab);
  if (changes && !data.may_edit) return <p class="panel note">This needs a key that may edit policies. Reading, comparing and the history do not.</p>;
  if (changes && !work.draft) return <p class="panel note">There is no text to work on: {data.card.problem || "the policy has no file"}</p>;
  if (tab === "edit") return <EditTab here={here} name={name} data={data} work={work} saved={saved} />;
  if (tab === "test") return <TestTab name={name} work={work} />;
  if (tab === "dry-run") return <DryRunTab here={here} name={name} work={work} />;
  if (tab === "diff") return <DiffTab here={here} name={name} data={data} work={work} />;
  if (tab === "history") return <HistoryTab here={here} name={name} inForce={data.in_force} />;
  return <RulesTab here={here} name={name} data={data} saved={saved} />;
}
