import "./alerts.css";
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { count, timeOf } from "../format";
import type { PageProps } from "../pages";
import { Nothing, Problem } from "../parts/notice";
import { Chip } from "../parts/chip";
import { Icon } from "../parts/icon";
import { change, go, href, type Place } from "../place";
import { send } from "../send";
import { useTitle } from "../title";
import { RuleForm, startOf, STARTS } from "./alert_form";
import { Ago, HistoryTable, PhaseChip, RuleChart } from "./alert_parts";
import type { Alert as Data, Alerts as List, BackTest, Choices, History, Sent, Undelivered, Unit } from "./alert_records";
import { callsQuery, conditionWords, figure, scopeWords } from "./alert_words";

const LIVE_MS = 5000;

export function Alerts({ here, dark }: PageProps) {
  useTitle("Alerts");
  const making = here.query.has("new");
  return making ? <NewRule here={here} dark={dark} /> : <Overview here={here} />;
}

function NewRule({ here, dark }: { here: Place; dark: boolean }) {
  const { data, error } = useAnswer<Choices>("/api/alert-choices");
  return (
    <>
      <div class="page-head"><a class="up" data-up href="/alerts"><Icon name="left" /> Alerts</a><h1>New rule</h1></div>
      {error && <Problem text={error} />}
      {data && <RuleForm key={here.query.get("start")} start={startOf(here.query, data)} id="" version={0} choices={data} dark={dark} back="/alerts" />}
    </>
  );
}

function Overview({ here }: { here: Place }) {
  const { data, error } = useAnswer<List>("/api/alerts", LIVE_MS);
  const cursor = here.query.get("cursor") ?? "";
  const history = useAnswer<History>(`/api/alert-history?${new URLSearchParams({ limit: "30", ...(cursor ? { cursor } : {}) })}`, cursor ? 0 : LIVE_MS);
  const units: Record<string, Unit> = Object.fromEntries((data?.alerts ?? []).map((a) => [a.id, a.unit]));
  return (
    <>
      <div class="page-head">
        <h1>Alerts</h1>
        {data && <Checked engine={data.engine} />}
        <span class="grow" />
        {data && data.alerts.length > 0 && <a class="button" href="/api/alert-rules" download="spanward-alerts.yml" title="An alerting-rules file over what /metrics shows">Rules for Prometheus</a>}
        <a class="button primary" href={href("/alerts", change(here.query, { new: "" }))}>New rule</a>
      </div>
      {error && <Problem text={error} />}
      {data?.engine.problem && <Problem text={data.engine.problem} />}
      {data && data.engine.lost > 0 && <Problem text={`${count(data.engine.lost)} events found no room while the store was away: people were told, the history will not have them.`} />}
      {data && data.unreadable > 0 && <Problem text={`${count(data.unreadable)} rules were written by another version and cannot be read; they are not watched.`} />}
      {data && data.undelivered.length > 0 && <Waiting undelivered={data.undelivered} />}
      {data && (data.alerts.length ? <RuleTable data={data} /> : <FirstRules here={here} />)}
      {(history.data?.events.length ?? 0) > 0 && (
        <section class="panel alerts-section"><header><h2>History</h2></header>
          <HistoryTable events={history.data!.events} units={units} named />
          <p class="paging">{cursor && <a class="button" href={href("/alerts", change(here.query, { cursor: null }))}>Newest</a>}{history.data!.next && <a class="button" href={`/alerts?cursor=${encodeURIComponent(history.data!.next)}`}>Older</a>}</p>
        </section>
      )}
    </>
  );
}

function Checked({ engine }: { engine: List["engine"] }) {
  if (!engine.at) return <span class="quiet">not checked yet</span>;
  const late = Date.now() - engine.at > 3 * engine.every_s * 1000 + 60_000;
  return <span class={late ? "bad-text" : "quiet"}>{late ? "last checked " : "checked "}<Ago at={engine.at} />, every {engine.every_s} s</span>;
}

function Waiting({ undelivered }: { undelivered: Undelivered[] }) {
  const tried = undelivered.filter((one) => one.why);
  if (!tried.length) return null;
  return (
    <section class="panel alerts-section" aria-label="Not delivered yet">
      <header><h2>{count(tried.length)} not delivered yet</h2></header>
      <div class="scroll" tabIndex={0}><table>
        <thead><tr><th>What</th><th>To</th><th>Why</th><th class="n">Attempts</th><th>Next</th></tr></thead>
        <tbody>{tried.slice(0, 20).map((one) => <tr key={one.id}><td>{one.title}</td><td>{one.channel}</td><td class="bad-text">{one.why}</td><td class="n">{one.attempts}</td><td>{timeOf(one.next * 1000)}</td></tr>)}</tbody>
      </table></div>
    </section>
  );
}

function RuleTable({ data }: { data: List }) {
  const names = Object.fromEntries(data.channels.map((c) => [c.id, c.name]));
  return (
    <section class="panel alerts-section"><header><h2>Rules</h2></header>
      <div class="scroll"><table class="alerts-rules">
        <thead><tr><th>State</th><th>Rule</th><th class="n">Now</th><th class="optional">Since</th><th class="optional">Tells</th></tr></thead>
        <tbody>{data.alerts.map((a) => {
          const worst = a.groups[0];
          const firing = a.groups.filter((g) => g.phase === "firing").length;
          return (
            <tr key={a.id}>
              <td><PhaseChip phase={a.phase} />{a.snooze && <Chip word="snoozed" tone="plain" />}</td>
              <td><a data-row href={`/alerts/${a.id}`}>{a.rule.name}</a><small class="quiet">{conditionWords(a.rule, a.metric, a.unit)}{Object.keys(a.rule.scope).length > 0 && ` · ${scopeWords(a.rule)}`}</small>
                {a.problem && <small class="bad-text">could not be checked: {a.problem}</small>}</td>
              <td class="n">{worst ? figure(worst.value, a.unit) : "–"}<small class="quiet">{firing > 1 ? `${firing} firing` : (worst?.group ?? "")}</small></td>
              <td class="optional">{worst ? <Ago at={worst.since} /> : "–"}</td>
              <td class="optional">{a.rule.channels.map((c) => names[c] ?? "removed").join(", ") || <span class="quiet">nobody</span>}</td>
            </tr>
          );
        })}</tbody>
      </table></div>
    </section>
  );
}

function FirstRules({ here }: { here: Place }) {
  return (
    <Nothing title="Nothing is watched yet">
      <p>A rule watches a figure and tells people when it is wrong. Start from one of these; before you save it you see when it would have fired.</p>
      <ul class="alerts-starts">{STARTS.map((start) => <li key={start.metric}><a class="button" href={href("/alerts", change(here.query, { new: "", start: start.metric }))}>{start.name}</a></li>)}</ul>
    </Nothing>
  );
}

export function Alert({ here, ids, dark }: PageProps) {
  const id = encodeURIComponent(ids.rule ?? "");
  const [turn, again] = useState(0);
  const { data, error } = useAnswer<Data>(`/api/alerts/${id}`, LIVE_MS, turn);
  const choices = useAnswer<Choices>("/api/alert-choices");
  useTitle(data?.rule.name ?? "Alert");
  const editing = here.query.has("edit");
  const metric = choices.data?.metrics.find((m) => m.name === data?.rule.metric);
  return (
    <>
      <div class="page-head">
        <a class="up" data-up href="/alerts"><Icon name="left" /> Alerts</a>
        <h1>{data?.rule.name ?? "Alert"}</h1>
        {data && <><PhaseChip phase={data.phase} /><Chip word={data.rule.severity} tone={data.rule.severity === "critical" ? "bad alerts-bad" : data.rule.severity === "warning" ? "warn" : "quiet"} /></>}
        <span class="grow" />
        {data && !editing && <a class="button" href={`/alerts/${id}?edit`}>Edit</a>}
      </div>
      {error && <Problem text={error} />}
      {data && (editing ? choices.data && <RuleForm start={data.rule} id={data.id} version={data.version} choices={choices.data} dark={dark} back={`/alerts/${id}`} />
        : <One data={data} dark={dark} past={metric?.past ?? false} turn={turn} again={() => again((n) => n + 1)} />)}
    </>
  );
}

function One({ data, dark, past, turn, again }: { data: Data; dark: boolean; past: boolean; turn: number; again: () => void }) {
  return (
    <div class="alerts-one">
      <p class="alerts-said"><b>{conditionWords(data.rule, data.metric, data.unit)}</b>{Object.keys(data.rule.scope).length > 0 && <> of calls with {scopeWords(data.rule)}</>}{data.rule.by.length > 0 && <>, one alert for each {data.rule.by.join(" and ")}</>}{data.rule.minimum_calls > 0 && <>, with at least {count(data.rule.minimum_calls)} calls</>}.</p>
      {data.problem && <Problem text={`It could not be checked the last time: ${data.problem}`} />}
      {data.snooze && <p class="panel note">Snoozed until {timeOf(data.snooze.until * 1000)}{data.snooze.actor && ` by ${data.snooze.actor}`}{data.snooze.note && `: ${data.snooze.note}`}. Nobody is told until then.</p>}
      <Groups data={data} />
      {past && <Series data={data} dark={dark} />}
      <Actions data={data} again={again} />
      <OwnHistory data={data} turn={turn} />
    </div>
  );
}

function Groups({ data }: { data: Data }) {
  const worded = data.groups.some((g) => g.text);
  if (!data.groups.length) return <p class="panel note quiet">{data.phase === "off" ? "The rule is switched off." : "Not enough calls to say anything yet."}</p>;
  return (
    <section class="panel" aria-label="State"><div class="scroll"><table>
      <thead><tr><th>State</th><th>Of</th><th class="n">Now</th><th>Since</th>{worded && <th>In words</th>}</tr></thead>
      <tbody>{data.groups.map((g) => <tr key={g.group}><td><PhaseChip phase={g.phase} /></td><td>{g.group || "all"}</td><td class="n"><a href={data.unit === "bytes" || data.unit === "seconds" ? "/health" : href("/calls", callsQuery(data.rule, `now-${Math.max(1, Math.ceil(data.rule.window_s / 3600))}h`, "now", g.names))}>{figure(g.value, data.unit)}</a></td><td><Ago at={g.since} /></td>{worded && <td class="quiet">{g.text}</td>}</tr>)}</tbody>
    </table></div>{data.left_out > 0 && <p class="note warn-text">{count(data.left_out)} further groups are not watched: narrow the rule down.</p>}</section>
  );
}

function Series({ data, dark }: { data: Data; dark: boolean }) {
  const { data: test, error } = useAnswer<BackTest>(`/api/alerts/${data.id}/series?days=7`, 60_000);
  if (error) return <Problem text={error} />;
  return test && <RuleChart test={test} rule={data.rule} unit={data.unit} title={data.metric} dark={dark} />;
}

const SNOOZES: readonly (readonly [string, number])[] = [["1 hour", 1], ["4 hours", 4], ["1 day", 24], ["1 week", 168]];

function Actions({ data, again }: { data: Data; again: () => void }) {
  const [hours, setHours] = useState(1);
  const [note, setNote] = useState("");
  const [sent, setSent] = useState<Sent[] | null>(null);
  const [error, setError] = useState("");
  const [sure, setSure] = useState(false);
  const [busy, setBusy] = useState(false);
  const doing = (work: Promise<unknown>) => {
    setBusy(true);
    setError("");
    void work.then(again, (why: Error) => setError(why.message)).finally(() => setBusy(false));
  };
  const snooze = (event: SubmitEvent) => {
    event.preventDefault();
    doing(send("PUT", `/api/alerts/${data.id}/snooze`, { until: Date.now() + hours * 3_600_000, note }));
  };
  return (
    <section class="panel alerts-actions" aria-label="What to do">
      {data.snooze ? <button type="button" class="button" disabled={busy} onClick={() => doing(send("DELETE", `/api/alerts/${data.id}/snooze`))}>End the snooze</button> : (
        <form onSubmit={snooze}>
          <label>Snooze for <select value={hours} onChange={(e) => setHours(Number(e.currentTarget.value))}>{SNOOZES.map(([word, h]) => <option key={h} value={h}>{word}</option>)}</select></label>
          <label class="grow">because <input value={note} maxLength={500} onInput={(e) => setNote(e.currentTarget.value)} placeholder="who works on it, where" /></label>
          <button type="submit" class="button" disabled={busy}>Snooze</button>
        </form>
      )}
      <button type="button" class="button" disabled={busy} onClick={() => doing(send<{ sent: Sent[] }>("POST", `/api/alerts/${data.id}/test`).then((told) => setSent(told.sent)))}>Send a test</button>
      {sure ? <><button type="button" class="button bad-text" disabled={busy} onClick={() => void send("DELETE", `/api/alerts/${data.id}`).then(() => go("/alerts"), (why: Error) => setError(why.message))}>Really remove it</button><button type="button" class="button" onClick={() => setSure(false)}>Keep it</button></>
        : <button type="button" class="button" onClick={() => setSure(true)}>Remove</button>}
      {error && <Problem text={error} />}
      {sent && <ul class="alerts-sent" role="status">{sent.map((one) => <li key={one.channel}><i class={`dot ${one.delivered ? "good" : "bad"}`} /> {one.name}: {one.delivered ? "it was taken" : one.why}</li>)}</ul>}
    </section>
  );
}

function OwnHistory({ data, turn }: { data: Data; turn: number }) {
  const [more, setMore] = useState(50);
  const { data: history, error } = useAnswer<History>(`/api/alert-history?rule=${data.id}&limit=${more}`, LIVE_MS, turn);
  if (error) return <Problem text={error} />;
  return (
    <section class="panel" aria-label="History"><header><h2>History</h2></header>
      {history && (history.events.length ? <HistoryTable events={history.events} units={{ [data.id]: data.unit }} named={false} /> : <p class="note quiet">Nothing happened yet.</p>)}
      {history?.next && more < 199 && <p class="paging"><button type="button" class="button" onClick={() => setMore(199)}>More</button></p>}
    </section>
  );
}
