// A rule being made: its fields, and beside them what it would have done in the last seven days.
import { useEffect, useRef, useState } from "preact/hooks";
import { filtersOf, LABELS } from "../filters";
import { Problem } from "../parts/notice";
import { go } from "../place";
import { send } from "../send";
import { RuleChart, Spells } from "./alert_parts";
import type { BackTest, Choices, MetricChoice, Rule } from "./alert_records";
import { conditionWords, span, TYPED } from "./alert_words";

const TRY_MS = 400;
const REPEATS = [0, 1800, 3600, 14400, 43200, 86400];
const WAITS = [0, 60, 120, 300, 600, 1800, 3600];
const GROUP_WORDS: Record<string, string> = { service: "service", env: "environment", provider: "provider", model: "model" };

interface Start { metric: string; name: string; threshold: number; window_s: number; minimum_calls: number; for_s: number; by: string[]; condition: "above" | "below" }
// What a first rule of each kind may be.
export const STARTS: readonly Start[] = [
  { metric: "burn_rate", name: "Failure budget of 99%", threshold: 0, window_s: 300, minimum_calls: 20, for_s: 0, by: ["service"], condition: "above" },
  { metric: "failure_rate", name: "Many calls fail", threshold: 0.1, window_s: 300, minimum_calls: 20, for_s: 120, by: ["service", "model"], condition: "above" },
  { metric: "latency_p95", name: "Calls are slow", threshold: 10_000, window_s: 900, minimum_calls: 20, for_s: 300, by: ["model"], condition: "above" },
  { metric: "cost_per_hour", name: "Cost is high", threshold: 10, window_s: 3600, minimum_calls: 0, for_s: 0, by: ["service"], condition: "above" },
  { metric: "no_data", name: "A service went silent", threshold: 30, window_s: 300, minimum_calls: 50, for_s: 0, by: ["service"], condition: "above" },
  { metric: "fail_open", name: "Checks failed open", threshold: 0, window_s: 300, minimum_calls: 0, for_s: 0, by: ["service"], condition: "above" },
];
const BLANK: Rule = {
  name: "", metric: "failure_rate", kind: "", scope: {}, by: [], condition: "above", threshold: 0.1, clear: null, window_s: 300, for_s: 0, minimum_calls: 20,
  target: 0.99, budget: "", severity: "warning", channels: [], repeat_s: 14400, enabled: true,
};

// A new rule takes the filters of the address for its own.
export function startOf(query: URLSearchParams, choices: Choices): Rule {
  const start = STARTS.find((one) => one.metric === query.get("start"));
  const scope: Record<string, string[]> = {};
  for (const { key, value } of filtersOf(query)) if (!/^(min|max)_/.test(key)) (scope[key] ??= []).push(value);
  return { ...BLANK, ...start, scope, channels: choices.channels.map((c) => c.id), budget: choices.budgets[0]?.id ?? "" };
}

type Row = [key: string, value: string];

export function RuleForm({ start, id, version, choices, dark, back }: { start: Rule; id: string; version: number; choices: Choices; dark: boolean; back: string }) {
  const [rule, setRule] = useState(start);
  const [rows, setRows] = useState<Row[]>(() => Object.entries(start.scope).flatMap(([key, values]) => values.map((v): Row => [key, v])));
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const metric = choices.metrics.find((one) => one.name === rule.metric) ?? choices.metrics[0]!;
  const whole = { ...rule, scope: scopeOf(rows) };
  const set = (changes: Partial<Rule>) => setRule((old) => ({ ...old, ...changes }));
  const pick = (name: string) => {
    const next = choices.metrics.find((one) => one.name === name)!;
    const first = STARTS.find((one) => one.metric === name);
    set({ metric: name, kind: "", by: rule.by.filter((b) => next.by.includes(b)), clear: null, ...(next.unit === metric.unit ? {} : { threshold: first?.threshold ?? (next.unit === "share" ? 0.1 : 1) }) });
  };
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    send<{ id: string }>(id ? "PUT" : "POST", id ? `/api/alerts/${id}` : "/api/alerts", { rule: whole, version })
      .then((saved) => go(`/alerts/${saved.id}`), (why: Error) => setError(why.message))
      .finally(() => setBusy(false));
  };
  return (
    <form class="alerts-form" onSubmit={save}>
      <div class="panel alerts-fields">
        <header><h2>{id ? "Change the rule" : "New rule"}</h2></header>
        <label>Name<input required maxLength={120} value={rule.name} onInput={(e) => set({ name: e.currentTarget.value })} placeholder="What people read first" /></label>
        <label>Watch
          <select value={rule.metric} onChange={(e) => pick(e.currentTarget.value)}>{choices.metrics.map((m) => <option key={m.name} value={m.name}>{m.text}</option>)}</select>
        </label>
        {metric.kinds.length > 0 && (
          <label>Of kind
            <select value={rule.kind} onChange={(e) => set({ kind: e.currentTarget.value })}><option value="">any</option>{metric.kinds.map((k) => <option key={k} value={k}>{k.replaceAll("_", " ")}</option>)}</select>
          </label>
        )}
        <Condition rule={rule} metric={metric} choices={choices} set={set} />
        {metric.source !== "sidecar" && metric.source !== "budget" && <Scope rows={rows} setRows={setRows} />}
        {metric.by.length > 0 && (
          <fieldset><legend>One alert for each</legend>
            {metric.by.map((name) => <label key={name} class="tick"><input type="checkbox" checked={rule.by.includes(name)} disabled={!rule.by.includes(name) && rule.by.length >= 2} onChange={(e) => set({ by: e.currentTarget.checked ? [...rule.by, name] : rule.by.filter((b) => b !== name) })} />{GROUP_WORDS[name]}</label>)}
          </fieldset>
        )}
        <Telling rule={rule} choices={choices} set={set} />
        {error && <Problem text={error} />}
        <div class="alerts-buttons"><button type="submit" class="button primary" disabled={busy}>Save</button><a class="button" href={back}>Cancel</a></div>
      </div>
      <Trial rule={whole} metric={metric} dark={dark} />
    </form>
  );
}

interface Part { rule: Rule; set: (changes: Partial<Rule>) => void }

function Condition({ rule, metric, choices, set }: Part & { metric: MetricChoice; choices: Choices }) {
  const typed = TYPED[metric.unit] ?? { factor: 1, suffix: "" };
  const shown = (n: number) => +(n * typed.factor).toPrecision(10);
  if (metric.source === "budget" && !choices.budgets.length) return <p class="note quiet">There is no budget yet: make one on the page <a href="/cost">Cost</a>.</p>;
  return (
    <>
      {metric.source === "budget" && <label>Budget<select value={rule.budget} onChange={(e) => set({ budget: e.currentTarget.value })}>{choices.budgets.map((b) => <option key={b.id} value={b.id}>{b.name}</option>)}</select></label>}
      {metric.source === "burn" && (
        <label>Calls that shall not fail<span class="unit"><input type="number" required min="50" max="99.999" step="any" value={+(rule.target * 100).toPrecision(7)} onInput={(e) => set({ target: e.currentTarget.valueAsNumber / 100 })} /> %</span>
          <small class="quiet">Fires when failures use up a month's allowance 14.4 times too fast for an hour, 6 times for 6 hours, or at once for 3 days.</small></label>
      )}
      {metric.fixed === null && (
        <fieldset class="level"><legend>Fires when it is</legend>
          <select aria-label="Above or below" value={rule.condition} onChange={(e) => set({ condition: e.currentTarget.value as Rule["condition"], clear: null })}><option value="above">above</option><option value="below">below</option></select>
          <span class="unit"><input aria-label="Threshold" type="number" required min="0" step="any" value={shown(rule.threshold)} onInput={(e) => set({ threshold: e.currentTarget.valueAsNumber / typed.factor })} /> {typed.suffix}</span>
        </fieldset>
      )}
      {metric.fixed === null && (
        <label>And is over at<span class="unit"><input type="number" min="0" step="any" placeholder={String(shown(rule.threshold))} value={rule.clear === null ? "" : shown(rule.clear)} onInput={(e) => set({ clear: e.currentTarget.value === "" ? null : e.currentTarget.valueAsNumber / typed.factor })} /> {typed.suffix}</span>
          <small class="quiet">Some way off the threshold keeps it from coming and going.</small></label>
      )}
      {(metric.source === "calls" || metric.source === "guards") && <label>Over the last<select value={rule.window_s} onChange={(e) => set({ window_s: Number(e.currentTarget.value) })}>{choices.windows.map((s) => <option key={s} value={s}>{span(s)}</option>)}</select></label>}
      {metric.source !== "burn" && <label>For at least<select value={rule.for_s} onChange={(e) => set({ for_s: Number(e.currentTarget.value) })}>{[...new Set([...WAITS, rule.for_s])].map((s) => <option key={s} value={s}>{s ? span(s) : "one look"}</option>)}</select></label>}
      {metric.sampled && <label>{metric.source === "silence" ? "Of who made calls before, at least" : "With at least"}<span class="unit"><input type="number" required min="0" step="1" value={rule.minimum_calls} onInput={(e) => set({ minimum_calls: e.currentTarget.valueAsNumber })} /> calls</span></label>}
    </>
  );
}

function Scope({ rows, setRows }: { rows: Row[]; setRows: (rows: Row[]) => void }) {
  const put = (i: number, row: Row) => setRows(rows.map((old, at) => (at === i ? row : old)));
  const names = Object.keys(LABELS).filter((name) => !/^(min|max)_/.test(name));
  return (
    <fieldset><legend>Of these calls only</legend>
      {rows.map(([key, value], i) => (
        <div key={i} class="alerts-scope">
          <select aria-label={`Filter ${i + 1}`} value={key.replace(/!$/, "")} onChange={(e) => put(i, [e.currentTarget.value + (key.endsWith("!") ? "!" : ""), value])}>{names.map((name) => <option key={name} value={name}>{LABELS[name]}</option>)}</select>
          <select aria-label={`Is or is not, filter ${i + 1}`} value={key.endsWith("!") ? "!" : ""} onChange={(e) => put(i, [key.replace(/!$/, "") + e.currentTarget.value, value])}><option value="">is</option><option value="!">is not</option></select>
          <input aria-label={`Value of filter ${i + 1}`} value={value} onInput={(e) => put(i, [key, e.currentTarget.value])} />
          <button type="button" class="ghost" aria-label={`Remove filter ${i + 1}`} onClick={() => setRows(rows.filter((_, at) => at !== i))}>remove</button>
        </div>
      ))}
      <button type="button" class="link" onClick={() => setRows([...rows, ["service", ""]])}>add a filter</button>
    </fieldset>
  );
}

function Telling({ rule, choices, set }: Part & { choices: Choices }) {
  return (
    <>
      <fieldset><legend>Tell</legend>
        {choices.channels.map((c) => <label key={c.id} class="tick"><input type="checkbox" checked={rule.channels.includes(c.id)} onChange={(e) => set({ channels: e.currentTarget.checked ? [...rule.channels, c.id] : rule.channels.filter((one) => one !== c.id) })} />{c.name} <span class="quiet">{c.kind}</span></label>)}
        {!choices.channels.length && <p class="quiet">Nobody yet: add a channel in <a href="/settings">Settings</a>. Without one the rule is only seen here.</p>}
      </fieldset>
      <label>How bad<select value={rule.severity} onChange={(e) => set({ severity: e.currentTarget.value as Rule["severity"] })}><option value="critical">critical</option><option value="warning">warning</option><option value="info">info</option></select></label>
      <label>While it lasts, tell again<select value={rule.repeat_s} onChange={(e) => set({ repeat_s: Number(e.currentTarget.value) })}>{REPEATS.map((s) => <option key={s} value={s}>{s ? `every ${span(s)}` : "never"}</option>)}</select></label>
      <label class="tick"><input type="checkbox" checked={rule.enabled} onChange={(e) => set({ enabled: e.currentTarget.checked })} />switched on</label>
    </>
  );
}

function Trial({ rule, metric, dark }: { rule: Rule; metric: MetricChoice; dark: boolean }) {
  const [test, setTest] = useState<{ of: Rule; data: BackTest } | null>(null);
  const [error, setError] = useState("");
  const asked = JSON.stringify({ ...rule, name: rule.name || "-", channels: [], severity: "info" });
  const latest = useRef("");
  useEffect(() => {
    latest.current = asked;
    const timer = setTimeout(() => {
      send<BackTest>("POST", "/api/alert-try", { rule: JSON.parse(asked) as Rule }).then(
        (data) => latest.current === asked && (setTest({ of: rule, data }), setError("")),
        (why: Error) => latest.current === asked && setError(why.message),
      );
    }, TRY_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <div class="alerts-trial">
      <section class="panel" aria-label="Would have fired">
        <header><h2>Would it have fired?</h2></header>
        <p class="note"><b>{conditionWords(rule, metric.text, metric.unit)}</b></p>
        {error ? <p class="note warn-text">{error}</p> : test ? <Spells test={test.data} rule={rule} unit={metric.unit} /> : <p class="note quiet">Looking at the last 7 days…</p>}
      </section>
      {test?.data.known && test.of.metric === rule.metric && <RuleChart test={test.data} rule={rule} unit={metric.unit} title={metric.text} dark={dark} />}
    </div>
  );
}

function scopeOf(rows: Row[]): Record<string, string[]> {
  const scope: Record<string, string[]> = {};
  for (const [key, value] of rows) (scope[key] ??= []).push(value);
  return scope;
}
