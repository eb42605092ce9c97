import { useAnswer } from "../answer";
import { clockOf, compact, costOf, count, exact, local, ms, tokensOf, usd } from "../format";
import type { PageProps } from "../pages";
import { GuardChips, Status } from "../parts/chip";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Problem } from "../parts/notice";
import { Paging } from "../parts/paging";
import { change, href, type Place } from "../place";
import { asked, isLive, isoSeconds } from "../range";
import { useTitle } from "../title";
import type { Message, Opened, SessionList, SessionStats, Turn } from "./people_records";
import { SessionTable, Trouble, lasted } from "./session_table";
import "./people.css";

const LIST_MS = 5000;
const LONG_PAUSE_MS = 60_000;

export function Sessions({ here, stored }: PageProps) {
  useTitle("Sessions");
  const cursor = here.query.get("cursor");
  const query = asked(change(here.query, { view: null, tab: null }));
  const { data, error } = useAnswer<SessionList>(`/api/sessions?${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, isLive(here.query) && !cursor ? LIST_MS : 0);
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="people-page">
      <div class="page-head"><h1>Sessions</h1><FilterBar here={here} /></div>
      {error && <Problem text={error} />}
      {data?.sessions.length ? <div class="panel"><SessionTable here={here} sessions={data.sessions} /></div> : data && <NoSession here={here} />}
      <Paging here={here} next={data?.next ?? null} what="sessions" />
    </div>
  );
}

function NoSession({ here }: { here: Place }) {
  return (
    <NoCalls here={here} title="No session in this range">
      <p>Calls belong to a session when the app says so: <code>{'with spanward.session("ticket-4711"):'}</code></p>
    </NoCalls>
  );
}

export function Session({ here, ids }: PageProps) {
  const name = ids.session!;
  useTitle(`Session ${name}`);
  const cursor = here.query.get("cursor");
  const { data, error } = useAnswer<Opened>(`/api/sessions/${encodeURIComponent(name)}${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`);
  return (
    <div class="people-page">
      <div class="page-head"><a class="up" href={href("/sessions", change(here.query, {}))}>Sessions</a><h1 class="people-name">{name}</h1></div>
      {error && <Problem text={error} />}
      {data && <Sum here={here} session={data.session} />}
      {data?.withheld && <p class="panel note">What was said is not shown for this key; it may not see content.</p>}
      {data && <ol class="people-turns">{data.turns.map((turn) => <OneTurn key={turn.call.trace_id + turn.call.span_id} here={here} turn={turn} />)}</ol>}
      <Paging here={here} next={data?.next ?? null} what="calls" />
    </div>
  );
}

function Sum({ here, session: s }: { here: Place; session: SessionStats }) {
  const range = { from: isoSeconds(s.first_us / 1000), to: new Date(Math.floor(s.last_us / 1000) + 1000).toISOString() };
  const all = href("/calls", new URLSearchParams({ ...range, session: s.session_id, sort: "time" }));
  return (
    <section class="panel people-sum" aria-label="Sum">
      <p>
        <a href={all}><b>{count(s.calls)}</b> call{s.calls === 1 ? "" : "s"}</a> in <b>{lasted(s.last_us - s.first_us)}</b>, begun <span title={exact(s.first_us)}>{local(s.first_us)}</span>
        {" · "}<b>{usd(s.cost)}</b>{s.unpriced > 0 && ` (${count(s.unpriced)} unpriced)`} · {compact(s.input_tokens + s.output_tokens)} tokens <Trouble of={s} />
      </p>
      <p class="quiet">
        {s.services.join(", ")} · {s.models.join(", ")}
        {s.users.map((user) => <>{" · "}<a key={user} href={href(`/users/${encodeURIComponent(user)}`, change(here.query, { sort: null }))}>{user}</a></>)}
      </p>
    </section>
  );
}

function OneTurn({ here, turn: t }: { here: Place; turn: Turn }) {
  const { call: c } = t;
  const answers = t.said?.answered ?? [];
  return (
    <li>
      {t.gap_ms !== null && Math.abs(t.gap_ms) >= 1 && <p class={`people-gap ${t.gap_ms >= LONG_PAUSE_MS ? "long" : ""}`}>{t.gap_ms < 0 ? "began before the one above had ended" : `${lasted(t.gap_ms * 1000)} later`}</p>}
      <article class={`panel people-turn ${c.status}`} aria-label={`Call at ${clockOf(c.us)}`}>
        <header>
          <a data-row href={href(`/calls/${c.trace_id}/${c.span_id}`, change(here.query, {}))} title={exact(c.us)}>{clockOf(c.us)}</a>
          <b>{c.model || c.request_model || "(unnamed)"}</b><span class="quiet">{c.service}{c.prompt_name && ` · ${c.prompt_name}`}</span>
          {c.status !== "ok" && <Status status={c.status} error={c.error_type} />}<GuardChips call={c} />
          <span class="grow" />
          <span class="quiet">{ms(c.latency_ms)} · {tokensOf(c)} tokens · {costOf(c)}</span><span class="people-far" title="cost of the session up to here">{usd(t.so_far)} so far</span>
        </header>
        {t.said?.asked.map((m, i) => <Words key={`q${i}`} message={m} />)}
        {answers.map((m, i) => <Words key={`a${i}`} message={m} />)}
        {!t.said && c.input_preview && <Words message={{ role: "user", text: c.input_preview, calls: [], cut: false }} />}
        {!t.said && c.output_preview && <Words message={{ role: "assistant", text: c.output_preview, calls: [], cut: false }} />}
        {!t.said && !c.input_preview && !c.output_preview && c.content_withheld && <p class="quiet">content withheld</p>}
        {c.failure && <p class="bad-text people-said">{c.failure}</p>}
        {c.rules.length > 0 && <p class="quiet">Guards: {c.rules.map((rule, i) => <>{i > 0 && ", "}<a key={rule} href={href("/calls", new URLSearchParams({ ...Object.fromEntries(here.query), session: c.session_id, rule }))}>{rule}</a></>)}</p>}
        {t.tools.map((tool) => <p key={tool.span_id} class="people-tool"><span class={`dot ${tool.status === "error" ? "bad" : "good"}`} /> ran <code>{tool.name.replace(/^execute_tool /, "")}</code> <span class="quiet">{ms(tool.latency_ms)}{tool.status === "error" && ", failed"}</span></p>)}
      </article>
    </li>
  );
}

function Words({ message: m }: { message: Message }) {
  return (
    <div class={`people-said ${m.role}`}>
      <span class="people-role">{m.role || "someone"}</span>
      <div>{m.text && <p>{m.text}{m.cut && " …"}</p>}{m.calls.length > 0 && <p class="quiet">calls {m.calls.map((name, i) => <>{i > 0 && ", "}<code key={i}>{name}</code></>)}</p>}</div>
    </div>
  );
}
