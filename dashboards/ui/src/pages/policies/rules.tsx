// The rules as sentences, and those that only watch with what they would have done.
import { Tag } from "./tag";
import { useState } from "preact/hooks";
import { useAnswer } from "../../answer";
import { count } from "../../format";

import { Nothing, Problem } from "../../parts/notice";
import { change, go, href, type Place } from "../../place";
import { send } from "../../send";
import type { Choice, PolicyShown, Rule, RuleShown, Saved, Shadows } from "./records";
import { Taken } from "./taken";

const TONES: Record<string, string> = { block: "stop", redact: "mark", pseudonymise: "mark", flag: "warn", allow: "" };
const DONE: Record<string, string> = {
  block: "the call is blocked", redact: "it is taken out", pseudonymise: "a placeholder takes its place", flag: "it is noted, the call goes on", allow: "nothing is done",
};
const STAGES: Record<string, string> = { input: "prompts", output: "answers", tool_call: "tool calls", tool_result: "tool results", retrieval: "retrieved documents" };
const PAGE = 100;

export function RulesTab({ here, name, data, saved }: { here: Place; name: string; data: PolicyShown; saved: () => void }) {
  const find = here.query.get("find") ?? "";
  const to = (start: number) => href(here.path, change(here.query, { start: start ? String(start) : null }));
  if (data.card.problem) return null;
  return (
    <div class="policies">
      {name === "in-force" && data.card.shadow > 0 && <Watching data={data} saved={saved} />}
      <section class="panel" aria-label="Defaults"><header><h2>For every rule that does not say</h2></header>
        <p class="note">When a guard fails: <b>{failure(data.defaults["on_error"])}</b> · takes longer than {count(Number(data.defaults["timeout_ms"]))} ms: <b>{failure(data.defaults["on_timeout"])}</b>
          {data.defaults["latency_budget_ms"] && <> · budget {count(Number(data.defaults["latency_budget_ms"]))} ms</>}
          {data.extends && <> · extends {/[/.]/.test(data.extends) ? <code>{data.extends}</code> : <a href={`/policies/${data.extends}`}>{data.extends}</a>}</>}</p>
        {Object.keys(data.detectors).length > 0 && <p class="note">Own detectors: {Object.keys(data.detectors).map((each) => <code key={each}>{each} </code>)}</p>}
      </section>
      <form class="policies-find" role="search" onSubmit={(event) => {
        event.preventDefault();
        go(href(here.path, change(here.query, { start: null, find: String(new FormData(event.currentTarget).get("find") ?? "") || null })));
      }}>
        <label>Find in rules <input name="find" type="search" defaultValue={find} data-search /></label>
        <span class="quiet">{count(data.found)} {data.found === 1 ? "rule" : "rules"}</span>
      </form>
      {data.found === 0 && <Nothing title="No rule says this">{find && <p><a href={href(here.path, change(here.query, { find: null }))}>All rules</a></p>}</Nothing>}
      <ul class="policies-rules">{data.rules.map((each) => <RuleCard key={each.rule.name} shown={each} defaults={data.defaults} />)}</ul>
      {data.found > PAGE && (
        <p class="policies-pages">{data.start > 0 && <a class="button" href={to(Math.max(0, data.start - PAGE))}>Before</a>}
          <span class="quiet">{count(data.start + 1)}–{count(data.start + data.rules.length)} of {count(data.found)}</span>
          {data.start + PAGE < data.found && <a class="button" href={to(data.start + PAGE)}>Next</a>}</p>
      )}
    </div>
  );
}

function failure(action: unknown): string {
  return { block: "the call is blocked", flag: "the call goes on, marked", allow: "the call goes on" }[String(action)] ?? String(action);
}

function RuleCard({ shown: { rule, file, line, inherited }, defaults }: { shown: RuleShown; defaults: PolicyShown["defaults"] }) {
  return (
    <li class="panel policies-rule" id={`rule-${rule.name}`}>
      <header><h2>{rule.name}</h2><Tag tone={TONES[rule.action] ?? ""}>{rule.action}</Tag>{rule.mode === "shadow" && <Tag tone="warn">only watches</Tag>}
        <span class="grow" /><span class="quiet" title={inherited ? "Inherited: it is written in a policy that this one extends" : "Written here"}>{inherited ? "inherited from " : ""}{file}:{line}</span></header>
      <dl>
        <dt>When</dt><dd>{whenOf(rule)}</dd>
        <dt>Detects</dt><dd>{Object.entries(rule.detect).map(([detector, labels]) => <Detects key={detector} detector={detector} labels={labels} rule={rule} />)}</dd>
        <dt>Then</dt><dd>{DONE[rule.action] ?? rule.action}{rule.restore && ", and what it stood for comes back in the answer"}{rule.reply !== null && <>; the application gets “{rule.reply}”</>}{rule.mode === "shadow" && " — but now it only notes what it would do"}</dd>
        {(rule.on_error ?? rule.on_timeout) && <><dt>If it fails</dt><dd>{failure(rule.on_error ?? defaults["on_error"])}; too slow: {failure(rule.on_timeout ?? defaults["on_timeout"])}</dd></>}
        {rule.stream && <><dt>Streams</dt><dd>{rule.stream.mode}{rule.stream.mode === "window" && `, ${rule.stream.window} characters held back`}</dd></>}
        {rule.latency_budget_ms && <><dt>Budget</dt><dd>{rule.latency_budget_ms} ms</dd></>}
      </dl>
      <p class="note"><a href={href("/calls", new URLSearchParams({ from: "now-7d", rule: rule.name }))}>Calls that it acted on in 7 days</a></p>
    </li>
  );
}

function whenOf({ when }: Rule): string {
  const stages = when.stage.length === 5 ? "everything that goes in or comes out" : when.stage.map((stage) => STAGES[stage] ?? stage).join(", ");
  const others = Object.entries(when).filter(([key, values]) => key !== "stage" && values.length).map(([key, values]) => `${key.replace("_", " ")} ${values.join(" or ")}`);
  return [stages, ...others].join(" · ");
}

const FEW = 12;

function Detects({ detector, labels, rule }: { detector: string; labels: Record<string, Choice>; rule: Rule }) {
  const [all, show] = useState(false);
  const every = Object.entries(labels);
  const own = (choice: Choice) => (typeof choice === "number" || choice.action === rule.action ? "" : ` → ${choice.action}`);
  const from = (choice: Choice) => (typeof choice === "number" ? choice : choice.threshold);
  const alike = every.length > 1 && every.every(([, choice]) => choice === every[0]![1]);
  return (
    <p><b>{detector}</b>: {every.slice(0, all ? undefined : FEW).map(([label, choice], i) => <span key={label}>{i > 0 && ", "}{label}{!alike && <span class="quiet"> ≥ {from(choice)}{own(choice)}</span>}</span>)}
      {!every.length && <span class="bad-text">nothing</span>}
      {every.length > FEW && <> <button type="button" class="link" onClick={() => show(!all)}>{all ? "fewer" : `and ${every.length - FEW} more`}</button></>}{alike && <span class="quiet"> each ≥ {from(every[0]![1])}</span>}</p>
  );
}

function Watching({ data, saved }: { data: PolicyShown; saved: () => void }) {
  const { data: told, error } = useAnswer<Shadows>("/api/policies/shadow?days=7");
  const [asked, ask] = useState("");
  const [problem, fail] = useState("");
  const [done, finish] = useState<Saved | null>(null);
  const rules = data.watching;
  const put = (rule: string) => {
    fail("");
    send<Saved>("POST", "/api/policies/promote", { rules: [rule], hash: data.card.hash }).then((answer) => {
      ask("");
      finish(answer);
    }, (why: Error) => fail(why.message));
  };
  return (
    <section class="panel" id="shadow" aria-label="Rules that only watch"><header><h2>Rules that only watch</h2><span class="quiet">what they would have done in 7 days{told && `, of ${count(told.calls)} calls`}</span></header>
      {(error || problem) && <Problem text={error || problem} />}
      {done && <Taken saved={done} then={saved} />}
      <table><thead><tr><th scope="col">Rule</th><th scope="col">Would have</th><th scope="col" class="n"><span class="unseen">Put in force</span></th></tr></thead><tbody>
        {rules.map(({ rule, inherited }) => {
          const found = told?.rules.filter((each) => each.rule === rule.name) ?? [];
          return (
            <tr key={rule.name}><td>{rule.name}</td>
              <td>{found.map((each) => <p key={each.verdict}>{each.would} <a href={href("/calls", new URLSearchParams({ from: "now-7d", rule: rule.name }))}>{count(each.calls)} {each.calls === 1 ? "call" : "calls"}</a> {each.labels.length > 0 && <span class="quiet">({each.labels.join(", ")})</span>}</p>)}
                {told && !found.length && <span class="quiet">met no call</span>}</td>
              <td class="n">{!data.may_edit || data.card.why_fixed || inherited ? <span class="quiet">{inherited ? "promote it where it is written" : data.card.why_fixed || "needs a key that may edit policies"}</span>
                : asked === rule.name ? <><span>From the next second on it acts. </span><button type="button" class="button small primary" onClick={() => put(rule.name)}>Put in force</button> <button type="button" class="button small" onClick={() => ask("")}>Leave it</button></>
                : <button type="button" class="button small" onClick={() => ask(rule.name)}>Put in force…</button>}</td></tr>
          );
        })}
      </tbody></table>
    </section>
  );
}
