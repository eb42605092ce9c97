// One's own questions to the store: a statement, its rows as a table or a chart, and what may be asked.
import "./sql.css";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { count, ms } from "../format";
import type { PageProps } from "../pages";
import { Problem } from "../parts/notice";
import { change, go, href, type Place } from "../place";
import { send } from "../send";
import { useTitle } from "../title";
import { Editor, EditorKeys } from "./editor";
import { Drawn } from "./sql/chart";
import { past, remember } from "./sql/past";
import type { Result, SavedQuery, Table } from "./sql/records";
import { Rows } from "./sql/result";
import { EXAMPLES, SqlSide } from "./sql/side";
import { between, completer, markOf, narrower, pastLimit, plainProblem } from "./sql/statement";

// Longer statements stay out of the address: not every proxy lets such addresses through. Saved, they can be shared.
const LONGEST = 1800;

interface Outcome {
  sql: string;
  result: Result | null;
  problem: string;
  ms: number;
  busy: boolean;
}

const NOTHING: Outcome = { sql: "", result: null, problem: "", ms: 0, busy: false };

// Runs what the address asks, once for each statement and each wish; a newer question ends the one before.
function useOutcome(sql: string, wish: number): Outcome {
  const [outcome, set] = useState<Outcome>(NOTHING);
  useEffect(() => {
    if (!sql.trim()) return set(NOTHING);
    const control = new AbortController();
    const started = performance.now();
    set((old) => ({ ...old, sql, problem: "", busy: true }));
    const ended = (of: Partial<Outcome>) => {
      if (!control.signal.aborted) set({ ...NOTHING, sql, ms: performance.now() - started, ...of });
    };
    send<Result>("POST", "/api/query", { sql }, { signal: control.signal }).then((result) => ended({ result }), (why: Error) => ended({ problem: why.message }));
    return () => control.abort();
  }, [sql, wish]);
  return outcome;
}

export function Sql({ here, dark }: PageProps) {
  useTitle("SQL");
  const tables = useAnswer<{ tables: Table[] }>("/api/schema");
  const complete = useMemo(() => completer(tables.data?.tables ?? []), [tables.data]);
  const [saves, setSaves] = useState(0);
  const saved = useAnswer<{ queries: SavedQuery[]; may_keep: boolean }>("/api/queries", 0, saves);
  const id = here.query.get("saved");
  const opened = saved.data?.queries.find((query) => query.id === id);
  const asked = here.query.get("sql") ?? opened?.sql ?? "";
  const [long, setLong] = useState("");
  const [wish, setWish] = useState(0);
  const running = long || asked;
  const outcome = useOutcome(running, wish);
  const [text, setText] = useState(asked || EXAMPLES[0]![1]);
  useEffect(() => {
    if (asked) {
      setText(asked);
      setLong("");
    }
  }, [asked]);
  const [history, setHistory] = useState(past);
  const area = useRef<HTMLDivElement>(null);

  const run = (sql: string, to: Record<string, string | null> = {}) => {
    if (!sql.trim()) return;
    setText(sql);
    setHistory(remember(sql));
    const fits = sql.length <= LONGEST;
    setLong(fits ? "" : sql);
    setWish(wish + 1);
    const changes = { sql: opened && sql === opened.sql ? null : fits ? sql : null, saved: opened && sql === opened.sql ? opened.id : null, ...to };
    go(href(here.path, change(here.query, changes)));
  };
  const fresh = { x: null, y: null, series: null, sort: null, view: null, kind: null };
  const openSaved = (query: SavedQuery) => {
    setWish(wish + 1);
    go(href(here.path, change(new URLSearchParams(query.show), { saved: query.id })));
  };
  const insert = (word: string) => {
    const element = area.current?.querySelector("textarea");
    if (!element) return;
    element.focus();
    if (!document.execCommand("insertText", false, word)) setText(`${text} ${word}`);
  };
  const mark = outcome.problem ? markOf(outcome.sql, outcome.problem) : null;
  return (
    <>
      <div class="page-head"><h1>SQL</h1>{opened && <span class="quiet">{opened.name}{opened.sql !== text && ", changed"}</span>}</div>
      {tables.error && <Problem text={tables.error} />}
      <div class="sql">
        <SqlSide tables={tables.data?.tables ?? []} queries={saved.data?.queries ?? []} past={history} insert={insert} open={(sql) => run(sql, { ...fresh, saved: null })} openSaved={openSaved} />
        <div class="sql-main">
          <div ref={area}><Editor label="SQL" text={text} rows={18} marks={mark && outcome.sql === text ? [mark] : []} onText={setText} onRun={() => run(text)} complete={complete} /></div>
          <div class="sql-run">
            <button type="button" class="button primary" disabled={!text.trim()} onClick={() => run(text)}>{outcome.busy ? "Running…" : "Run"}</button>
            <Save here={here} text={text} opened={opened} mayKeep={saved.data?.may_keep ?? false} done={(query) => { setSaves(saves + 1); if (query) openSaved(query); else go("/sql"); }} />
            <EditorKeys run="runs it" />
          </div>
          {long && <p class="note quiet">This statement is too long for the address; save it to share it.</p>}
          <Answer here={here} outcome={outcome} dark={dark} run={run} />
        </div>
      </div>
    </>
  );
}

interface SaveProps {
  here: Place;
  text: string;
  opened: SavedQuery | undefined;
  mayKeep: boolean;
  // none: it was removed
  done: (query: SavedQuery | null) => void;
}

function Save({ here, text, opened, mayKeep, done }: SaveProps) {
  const [open, set] = useState(false);
  const [problem, fail] = useState("");
  if (!mayKeep) return null;
  const show = change(here.query, { sql: null, saved: null }).toString();
  const put = (id: string, name: string, version: number) => {
    fail("");
    send<SavedQuery>("PUT", `/api/queries/${id}`, { name, sql: text, show, version }).then((query) => {
      set(false);
      done(query);
    }, (why: Error) => fail(why.message));
  };
  const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return (
    <>
      {opened && <button type="button" class="button" onClick={() => put(opened.id, opened.name, opened.version)}>Save “{opened.name}”</button>}
      <button type="button" class="button" aria-expanded={open} onClick={() => set(!open)}>{opened ? "Save as…" : "Save…"}</button>
      {opened && <button type="button" class="button" onClick={() => void send("DELETE", `/api/queries/${opened.id}`).then(() => done(null), (why: Error) => fail(why.message))}>Remove</button>}
      {open && <form onSubmit={(event) => { event.preventDefault(); put(fresh(), String(new FormData(event.currentTarget).get("name")), 0); }}>
        <label>Name <input name="name" required maxLength={120} autocomplete="off" /></label> <button class="button primary small">Save query</button></form>}
      {problem && <Problem text={problem} />}
    </>
  );
}

function Answer({ here, outcome, dark, run }: { here: Place; outcome: Outcome; dark: boolean; run: (sql: string) => void }) {
  const { result, problem, busy, sql } = outcome;
  if (problem) return <Failed sql={sql} problem={problem} run={run} />;
  if (!result) return busy ? <p class="note quiet" aria-busy="true">Asking the store…</p> : null;
  const chart = here.query.get("view") === "chart";
  const to = (view: string | null) => href(here.path, change(here.query, { view }));
  const zoom = (from: number, until: number) => {
    const next = between(sql, from, until);
    if (next) run(next);
  };
  return (
    <section class="panel sql-answer" aria-label="Answer">
      <header><h2>{count(result.rows.length)} {result.rows.length === 1 ? "row" : "rows"}</h2><span class="quiet">{ms(outcome.ms)}{busy && ", asking again…"}</span><span class="grow" />
        <nav class="sql-views" aria-label="Show as"><a href={to(null)} aria-current={chart ? undefined : "true"}>Table</a><a href={to("chart")} aria-current={chart ? "true" : undefined}>Chart</a></nav></header>
      {!result.rows.length ? <p class="nothing">Nothing was found. Is the time long enough?</p> : chart ? <Drawn here={here} result={result} dark={dark} zoom={zoom} /> : <Rows here={here} result={result} />}
    </section>
  );
}

const SPANS = ["1 HOUR", "1 DAY", "7 DAY"] as const;

function Failed({ sql, problem, run }: { sql: string; problem: string; run: (sql: string) => void }) {
  const less = pastLimit(problem) ? SPANS.map((span) => [span, narrower(sql, span)] as const).filter(([, next]) => next !== null && next !== sql) : [];
  return (
    <>
      <Problem text={plainProblem(problem)} />
      {pastLimit(problem) && <p class="note">A question may take 30 s, 100,000 rows and 512 MB. Ask for less{less.length > 0 && <>: {less.map(([span, next]) => <button key={span} type="button" class="button small" onClick={() => run(next!)}>only the last {span.toLowerCase().replace("7 day", "7 days")}</button>)}</>}</p>}
    </>
  );
}
