// Tables of what was found: by rule, with how right it is, and by detector, label, stage.
import { compact, count, ms, NONE, percent, times } from "../format";
import { change, href, type Place } from "../place";
import { GUARD_KINDS, GUARD_WORDS, type GuardKind } from "../records";
import type { Group, Moved, Precision, Verdicts } from "./guards_records";

const FEWEST = 10;
const ALL = ["enforce", "shadow"];
// Which events a kind is made of, as filters of calls.
const OF_KIND: Record<GuardKind, Record<string, string | readonly string[]>> = {
  blocked: { event_action: "block", event_mode: "enforce" },
  modified: { event_action: "modify", event_mode: "enforce" },
  flagged: { event_verdict: ["warn", "deny", "modify"], event_action: ["allow", "none", "flag"], event_mode: "enforce" },
  shadow: { event_mode: "shadow" },
  failed_open: { event_verdict: "fail_open" },
};

export function Rules({ here, data }: { here: Place; data: Verdicts }) {
  if (!data.rules.length) {
    return <section class="panel" aria-label="Rules"><header><h2>Rules</h2></header><p class="nothing">No rule found anything in {count(data.totals.calls)} calls. <a href="/policies">See which rules there are</a>.</p></section>;
  }
  return (
    <section class="panel" aria-label="Rules">
      <header><h2>Rules</h2><span class="quiet">calls in which each found something, against the period of the same length before</span></header>
      <div class="scroll"><table class="guards-rules">
        <thead><tr>
          <th scope="col">Rule</th><th scope="col" class="n">Calls</th><th scope="col" class="n">of 1000</th><th scope="col">Trend</th>
          <th scope="col">What was done</th><th scope="col" class="n optional">Findings</th><th scope="col" class="n optional">p50, p95</th><th scope="col">Right, by people</th>
        </tr></thead>
        <tbody>
          {data.rules.map((rule) => (
            <tr key={rule.name}>
              <td>
                <a data-row href={href("/calls", change(here.query, { rule: rule.name }))}>{rule.name || "(unnamed)"}</a>
                {rule.modes.includes("shadow") && <span class="chip quiet">{rule.modes.length === ALL.length ? "partly shadow" : "shadow"}</span>}
                <small class="quiet">{[...rule.labels.slice(0, 4), ...(rule.labels.length > 4 ? [`${rule.labels.length - 4} more`] : [])].join(", ")}</small>
              </td>
              <td class="n">{count(rule.calls)}</td>
              <td class="n">{ofThousand(rule.rate)}</td>
              <td><Trend moved={rule.moved} calls={rule.calls} before={rule.before} /></td>
              <td class="guards-kinds">{GUARD_KINDS.filter((kind) => rule.kinds[kind]).map((kind) => (
                <a key={kind} class={`chip ${kind}`} href={href("/calls", change(here.query, { rule: rule.name, ...OF_KIND[kind] }))}>{GUARD_WORDS[kind]} {count(rule.kinds[kind])}</a>
              ))}</td>
              <td class="n optional">{compact(rule.findings)}</td>
              <td class="n optional">{rule.latency.length ? `${ms(rule.latency[0])}, ${ms(rule.latency[1])}` : NONE}</td>
              <td><Rightness here={here} rule={rule.name} precision={rule.precision} /></td>
            </tr>
          ))}
        </tbody>
      </table></div>
      <p class="note quiet">Latency is the detectors' work where they found something. How right a rule is weighs labels by how many findings score alike; the interval is 95%.</p>
    </section>
  );
}

function ofThousand(rate: number | null): string {
  return rate !== null && rate < 10 ? rate.toFixed(1) : count(rate);
}

function Trend({ moved, calls, before }: { moved: Moved; calls: number; before: number }) {
  const title = `${count(calls)} calls now, ${count(before)} before`;
  if (moved.ratio === null) return <span class="quiet" title={title}>{before ? NONE : "new"}</span>;
  const text = times(moved.ratio);
  if (!moved.sure) return <span class="quiet" title={`${title}: no more than counts of this size waver`}>{text}</span>;
  return <b class={moved.ratio > 1 ? "warn-text" : ""} title={title}>{moved.ratio > 1 ? "▲" : "▼"} {text}</b>;
}

function Rightness({ here, rule, precision: p }: { here: Place; rule: string; precision: Precision | null }) {
  const to = href("/guards/review", change(here.query, { rule, sort: null }));
  if (!p) return <a href={to}>label some</a>;
  const n = p.right + p.wrong;
  const missed = p.missed > 0 && <small class="quiet">{count(p.missed)} missed</small>;
  if (p.precision === null || p.low === null || p.high === null) {
    return <span class="guards-right"><a href={to}>too few labels</a><small class="quiet">{n} of {FEWEST}</small>{missed}</span>;
  }
  return (
    <span class="guards-right">
      <b>{percent(p.precision)}</b>
      <span class="guards-interval" aria-hidden="true"><i style={{ left: `${100 * p.low}%`, right: `${100 * (1 - p.high)}%` }} /><u style={{ left: `${100 * p.precision}%` }} /></span>
      <small class="quiet">{percent(p.low)} to {percent(p.high)}, <a href={to}>{n} labels</a></small>{missed}
    </span>
  );
}

export function Groups({ here, title, filter, groups }: { here: Place; title: string; filter: string; groups: Group[] }) {
  const named = groups.filter((group) => group.name);
  const top = Math.max(...named.map((g) => g.calls), 1);
  if (!named.length) return null;
  const timed = filter === "detector";
  return (
    <section class="panel" aria-label={title}>
      <header><h2>{title}</h2></header>
      <div class="scroll"><table>
        <thead><tr><th scope="col">{title.replace(/s$/, "")}</th><th scope="col" class="n">Calls</th><th scope="col" class="n">of 1000</th><th scope="col">Trend</th>{timed && <th scope="col" class="n">p50, p95</th>}</tr></thead>
        <tbody>
          {named.slice(0, 20).map((g) => (
            <tr key={g.name}>
              <td class="bar"><i style={{ width: `${(100 * g.calls) / top}%` }} aria-hidden="true" /><a href={href("/calls", change(here.query, { [filter]: g.name }))}>{g.name.replace("_", filter === "stage" ? " " : "_")}</a></td>
              <td class="n">{count(g.calls)}</td>
              <td class="n">{ofThousand(g.rate)}</td>
              <td><Trend moved={g.moved} calls={g.calls} before={g.before} /></td>
              {timed && <td class="n">{g.latency.length ? `${ms(g.latency[0])}, ${ms(g.latency[1])}` : NONE}</td>}
            </tr>
          ))}
        </tbody>
      </table></div>
      {named.length > 20 && <p class="note quiet">{named.length - 20} more; <a href={href("/calls", change(here.query, {}))}>narrow the calls</a> to see them.</p>}
    </section>
  );
}
