import { useEffect, useState } from "preact/hooks";
import { ago, exact, NONE, timeOf } from "../format";
import { Chart } from "../parts/chart";
import { Chip } from "../parts/chip";
import { go, href } from "../place";
import { isoSeconds } from "../range";
import type { BackTest, Happened, Phase, Rule, Unit } from "./alert_records";
import { callsQuery, figure, span } from "./alert_words";

// small red words on light red are hard to read
const BAD = "bad alerts-bad";
const PHASES: Record<Phase, [string, string]> = { firing: ["firing", BAD], pending: ["about to fire", "warn"], ok: ["quiet", "good"], off: ["off", "quiet"] };
export function PhaseChip({ phase }: { phase: Phase }) {
  return <Chip word={PHASES[phase][0]} tone={PHASES[phase][1]} />;
}

const WINDOWLESS = new Set(["burn_rate", "no_data", "budget_share"]);
const TONES = ["one", "two", "three", "mark", "stop", "cached", "ok", "quiet-fill"];

export function RuleChart({ test, rule, unit, title, dark }: { test: BackTest; rule: Rule; unit: Unit; title: string; dark: boolean }) {
  const constant = (value: number) => test.t.map(() => value);
  const zoom = (from: number, to: number) => go(href("/calls", callsQuery(rule, isoSeconds(from), isoSeconds(to))));
  const lines = test.lines.map((line, i) => ({ name: line.group || title, tone: TONES[i % TONES.length]!, values: line.values }));
  const limits = [{ name: rule.condition === "above" ? "fires above" : "fires below", tone: "bad", values: constant(test.threshold) }];
  if (test.clear !== test.threshold) limits.push({ name: "clears at", tone: "quiet-fill", values: constant(test.clear) });
  return (
    <Chart title={title} note={`${WINDOWLESS.has(rule.metric) ? "" : `each point over ${span(rule.window_s)}; `}drag to see the calls`} t={test.t} step={test.step}
      kind="lines" format={(n) => figure(n, unit)} lines={[...lines, ...limits]} dark={dark} onZoom={zoom} />
  );
}

export function Spells({ test, rule, unit }: { test: BackTest; rule: Rule; unit: Unit }) {
  if (!test.known) return <p class="note quiet">No past is kept of this figure, so nobody can say when it would have fired.</p>;
  if (test.lines.every((line) => line.values.every((v) => v === null)))
    return <p class="note warn-text" role="status">In the last 7 days there were never enough calls to say anything: ask for fewer calls, or look at a longer time.</p>;
  if (!test.spells.length) return <p class="note" role="status">In the last 7 days it would <b>not have fired</b>.</p>;
  return (
    <>
      <p class="note" role="status">In the last 7 days it would have fired <b>{test.spells.length === 1 ? "once" : `${test.spells.length} times`}</b> and told people {test.notifications === 1 ? "once" : `${test.notifications} times`}.</p>
      <div class="scroll"><table class="alerts-spells">
        <thead><tr><th>From</th><th class="n">For</th><th>Of</th><th class="n">Worst</th></tr></thead>
        <tbody>{test.spells.slice(0, 10).map((spell) => (
          <tr key={spell.group + spell.start}>
            <td><a href={href("/calls", callsQuery(rule, isoSeconds(spell.start - Math.max(rule.window_s, 600) * 1000), isoSeconds(spell.end ?? test.t.at(-1)!)))} title={exact(spell.start * 1000)}>{timeOf(spell.start * 1000)}</a></td>
            <td class="n">{spell.end ? span(Math.round((spell.end - spell.start) / 60_000) * 60) : "until now"}</td>
            <td>{spell.group || "all"}</td><td class="n">{figure(spell.peak, unit)}</td>
          </tr>
        ))}</tbody>
      </table></div>
      {test.spells.length > 10 && <p class="note quiet">and {test.spells.length - 10} times before.</p>}
    </>
  );
}

const EVENTS: Record<string, [string, string]> = {
  firing: ["fired", BAD], repeated: ["still firing", "warn"], resolved: ["over", "good"], delivered: ["delivered", "quiet"], failed: ["not delivered", BAD],
  dropped: ["not sent", BAD], lost: ["not kept", BAD], snoozed: ["snoozed", "plain"], woken: ["snooze ended", "plain"],
};

export function HistoryTable({ events, units, named }: { events: Happened[]; units: Record<string, Unit>; named: boolean }) {
  return (
    <div class="scroll" tabIndex={0}><table class="alerts-history">
      <thead><tr><th>When</th><th>What</th>{named && <th>Rule</th>}<th>Of</th><th class="n">Figure</th><th>How</th></tr></thead>
      <tbody>{events.map((e) => (
        <tr key={e.id}>
          <td title={exact(e.at * 1000)}>{timeOf(e.at * 1000)}</td>
          <td><Chip word={EVENTS[e.event]?.[0] ?? e.event} tone={EVENTS[e.event]?.[1] ?? "plain"} /></td>
          {named && <td><a data-row href={`/alerts/${encodeURIComponent(e.rule)}`}>{e.name}</a></td>}
          <td>{e.group || NONE}</td>
          <td class="n">{e.value === null || !units[e.rule] ? NONE : figure(e.value, units[e.rule]!)}</td>
          <td class="alerts-how">{howOf(e)}</td>
        </tr>
      ))}</tbody>
    </table></div>
  );
}

function howOf(e: Happened): string {
  const until = e.event === "snoozed" ? /^until (\d+)(?:: (.*))?$/s.exec(e.detail) : null;
  const text = until ? `until ${timeOf(Number(until[1]) * 1000)}${until[2] ? `: ${until[2]}` : ""}` : e.detail;
  const tries = e.attempts > 1 ? `${e.attempts} attempts` : "";
  return [e.channel && `to ${e.channel}`, e.actor && `by ${e.actor}`, tries, text].filter(Boolean).join(" · ");
}

// Counts up between two answers.
export function Ago({ at }: { at: number }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  return <>{ago(at * 1000)}</>;
}
