// What needs a person, gravest first, each with the calls behind it.
import { LABELS } from "../filters";
import { calls, count, ms, percent, times } from "../format";
import { change, href, type Place } from "../place";
import type { Rule, Verdicts } from "./guards_records";

const RISES = 5;

export function Says({ here, data }: { here: Place; data: Verdicts }) {
  const { totals, trouble, shadow, rules } = data;
  const to = (filters: Record<string, string | readonly string[]>) => href("/calls", change(here.query, filters));
  const reported = trouble.reports.reduce((sum, r) => sum + r.count, 0);
  const slower = slowed(data);
  const open = trouble.failures.filter((f) => f.verdict === "fail_open");
  const risen = rules.filter((r) => r.moved.sure && (r.moved.ratio ?? 2) > 1).slice(0, RISES);
  const fallen = rules.filter((r) => r.moved.sure && r.moved.ratio !== null && r.moved.ratio < 1).slice(0, RISES);
  const items = [
    totals.failed_open > 0 && (
      <li key="open" class="bad"><a href={to({ guard: "failed_open" })}>{calls(totals.failed_open)} went on unjudged</a> because a guard failed{open.length > 0 && <>: {open.slice(0, 3).map((f, i) => <span key={i}>{i > 0 && ", "}{f.reason} ({count(f.calls)})</span>)}</>}.</li>
    ),
    reported > 0 && <li key="reports" class="bad">Apps could not reach the guards {count(reported)} times: {trouble.reports.slice(0, 3).map((r) => `${r.service}, ${r.reason} (${count(r.count)})`).join("; ")}.</li>,
    totals.unguarded > 0 && (
      <li key="bare" class="warn"><a href={to({ guard: "unguarded" })}>{calls(totals.unguarded)} had no guard at all</a>{trouble.unguarded[0] && <>, most in <a href={to({ guard: "unguarded", service: trouble.unguarded[0].service })}>{trouble.unguarded[0].service || "(unnamed)"}</a></>}.</li>
    ),
    ...trouble.now.map((reason) => <li key={reason} class="warn">A detector runs on less than its full engine: {reason}.</li>),
    ...risen.map((rule) => <Risen key={rule.name} here={here} rule={rule} />),
    ...fallen.map((rule) => <li key={`fallen ${rule.name}`} class="note"><a href={to({ rule: rule.name })}>{rule.name}</a> found something only {times(rule.moved.ratio ?? 1)} as often as in the period before.</li>),
    slower && <li key="slow" class="warn">Guards add {ms(totals.latency[1])} to calls at p95; in the period before it was {ms(data.previous.latency[1])}{slower.name && <>. The slowest is <a href={href("/guards", change(here.query, { detector: slower.name }))}>{slower.name}</a> with {ms(slower.p95)}</>}.</li>,
    shadow.rules.length > 0 && <li key="shadow" class="note">Rules in shadow <a href="#shadow">would have blocked {calls(shadow.blocked)}</a>{shadow.modified > 0 && ` and modified ${count(shadow.modified)}`}.</li>,
  ].filter(Boolean);
  return (
    <section class="panel guards-says" aria-label="What needs attention">
      {items.length ? <ul>{items}</ul> : <p class="note quiet">Every call was guarded, no guard failed, and no rule found clearly more or less than in the period before.</p>}
    </section>
  );
}

function Risen({ here, rule }: { here: Place; rule: Rule }) {
  const { ratio } = rule.moved;
  return (
    <li class="warn">
      <a href={href("/calls", change(here.query, { rule: rule.name }))}>{rule.name}</a>{" "}
      {ratio === null ? `found something in ${calls(rule.calls)}, and nothing in the period before` : `found something ${times(ratio)} as often as in the period before (${rule.rate?.toFixed(1)} of 1000 calls)`}
      {rule.causes.length > 0 && <>; {rule.causes.map((c, i) => (
        <span key={c.by}>{i > 0 && ", "}{percent(c.share)} of the growth is <a href={href("/calls", change(here.query, { rule: rule.name, [c.by]: c.value }))}>{(LABELS[c.by] ?? c.by).toLowerCase()} {c.value}</a></span>
      ))}</>}.
    </li>
  );
}

// Half as much again, and something to feel: 5 ms.
function slowed({ totals, previous, detectors }: Verdicts): { name: string; p95: number } | null {
  const now = totals.latency[1];
  const before = previous.latency[1];
  if (now === undefined || before === undefined || now < 1.5 * before || now - before < 5) return null;
  const slowest = detectors.filter((d) => d.latency.length).sort((a, b) => b.latency[1]! - a.latency[1]!)[0];
  return { name: slowest?.name ?? "", p95: slowest?.latency[1] ?? 0 };
}
