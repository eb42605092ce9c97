import { useAnswer } from "../answer";
import { ago, axisUsd, compact, count, delta, exact, percent, usd } from "../format";
import type { PageProps } from "../pages";
import { Chart } from "../parts/chart";
import { Chip, Status } from "../parts/chip";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, NoCalls, Nothing, Problem } from "../parts/notice";
import { Paging } from "../parts/paging";
import { change, go, href, type Place } from "../place";
import { asked, isLive, isoSeconds, withRange } from "../range";
import { useTitle } from "../title";
import { named, signedShare, toCalls } from "./cost_links";
import type { Sums } from "./cost_records";
import type { OneUser, SessionList, UserList } from "./people_records";
import { SessionTable } from "./session_table";
import "./people.css";

const SORTS = [["cost", "Cost"], ["calls", "Calls"], ["failures", "Failed"], ["blocks", "Blocked"], ["found", "By guards"], ["tokens", "Tokens"]] as const;
const LIST_MS = 15_000;

export function Users({ here, stored }: PageProps) {
  useTitle("Users");
  const cursor = here.query.get("cursor");
  const told = here.query.get("sort") ?? "cost";
  const sort = SORTS.some(([key]) => key === told) ? told : "cost";
  const query = asked(change(here.query, { view: null }));
  const { data, error } = useAnswer<UserList>(`/api/users?${query}&sort=${sort}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, isLive(here.query) && !cursor ? LIST_MS : 0);
  if (stored === 0) return <FirstSteps />;
  return (
    <div class="people-page">
      <div class="page-head"><h1>Users</h1><FilterBar here={here} />
        {data && <span class="quiet">{count(data.total)} user{data.total === 1 ? "" : "s"}{data.anonymous > 0 && <>, and <a href={toCalls(here.query, { user: "" })}>{count(data.anonymous)} calls</a> of nobody</>}</span>}
      </div>
      {error && <Problem text={error} />}
      {data?.users.length ? <List here={here} data={data} sort={sort} /> : data && (
        <NoCalls here={here} title="No user in this range">
          <p>Calls belong to a user when the app says so: <code>{'with spanward.user("…"):'}</code> An id is shown as it was given, so give a pseudonym if names are not to be here.</p>
        </NoCalls>
      )}
      <Paging here={here} next={data?.next ?? null} what="users" />
    </div>
  );
}

function List({ here, data, sort }: { here: Place; data: UserList; sort: string }) {
  const kept = change(here.query, { sort: null });
  return (
    <div class="panel scroll"><table class="people-table">
      <thead><tr>
        <th scope="col">User</th>
        {SORTS.map(([key, name]) => (
          <th key={key} scope="col" class={`n ${key === "found" || key === "tokens" ? "optional" : ""}`} aria-sort={sort === key ? "descending" : undefined}>
            <a class={sort === key ? "on" : ""} href={href("/users", change(here.query, { sort: key === "cost" ? null : key }))}>{name}{sort === key && <span aria-hidden="true"> ↓</span>}</a>
          </th>
        ))}
        <th scope="col" class="n optional">Last seen</th>
      </tr></thead>
      <tbody>{data.users.map((u) => {
        const to = (filters: Record<string, string> = {}) => toCalls(here.query, { user: u.user, ...filters });
        return (
          <tr key={u.user}>
            <td class="people-id"><a data-row href={href(`/users/${encodeURIComponent(u.user)}`, kept)} title={u.user}>{u.user}</a></td>
            <td class="n">{usd(u.cost)}{u.unpriced > 0 && u.cost !== null && <a href={to({ priced: "no" })} title={`${count(u.unpriced)} calls have no price`}> +?</a>}</td>
            <td class="n"><a class="plain" href={to()}>{count(u.calls)}</a></td>
            <td class="n">{u.errors ? <a class="bad-text" href={to({ status: "error" })}>{count(u.errors)} ({percent(u.errors / u.calls)})</a> : <span class="quiet">0</span>}</td>
            <td class="n">{u.blocked ? <a href={to({ status: "blocked" })}>{count(u.blocked)}</a> : <span class="quiet">0</span>}</td>
            <td class="n optional">{u.found || <span class="quiet">0</span>}</td>
            <td class="n optional">{compact(u.input_tokens + u.output_tokens)}</td>
            <td class="n optional quiet" title={exact(u.last_us)}>{ago(u.last_us)}</td>
          </tr>
        );
      })}</tbody>
    </table></div>
  );
}

export function User({ here, ids, dark }: PageProps) {
  const name = ids.user!;
  useTitle(`User ${name}`);
  const query = asked(change(here.query, { view: null, user: null }));
  const { data, error } = useAnswer<OneUser>(`/api/users/${encodeURIComponent(name)}?${query}`);
  const sessions = useAnswer<SessionList>(`/api/sessions?${asked(change(here.query, { view: null, user: name }))}&limit=10`);
  const zoom = (from: number, to: number) => go(href(here.path, withRange(here.query, isoSeconds(from), isoSeconds(to))));
  const to = (filters: Record<string, string> = {}) => toCalls(here.query, { user: name, ...filters });
  return (
    <div class="people-page">
      <div class="page-head"><a class="up" href={href("/users", change(here.query, {}))}>Users</a><h1 class="people-name">{name}</h1><FilterBar here={here} /></div>
      {error && <Problem text={error} />}
      {data && <Sum data={data} to={to} />}
      {data && data.totals.calls > 0 && (
        <>
          <div class="people-charts">
            <Chart title="Calls" t={data.series.t} step={data.step} kind="bars" format={count} axis={compact} dark={dark} onZoom={zoom}
              lines={[
                { name: "ok", tone: "ok", values: data.series.calls.map((n, i) => n - (data.series.errors[i] ?? 0) - (data.series.blocked[i] ?? 0)) },
                { name: "failed", tone: "bad", values: data.series.errors, href: to({ status: "error" }) }, { name: "blocked", tone: "stop", values: data.series.blocked, href: to({ status: "blocked" }) },
              ]} />
            <Chart title="Cost" note="US dollars" t={data.series.t} step={data.step} kind="bars" format={usd} axis={axisUsd} dark={dark} onZoom={zoom} lines={[{ name: "cost", tone: "one", values: data.series.cost }]} />
          </div>
          <div class="tables">
            <Parts title="Models" dimension="model" parts={data.models} to={to} />
            <Parts title="Prompts" dimension="prompt" parts={data.prompts} to={to} />
            <section class="panel" aria-label="Failures and blocks"><header><h2>Failures and blocks</h2></header>
              {data.failures.length ? <table><tbody>{data.failures.map((f) => (
                <tr key={f.status + f.error_type}><td><a href={to({ status: f.status, ...(f.error_type ? { error_type: f.error_type } : {}) })}><Status status={f.status} error={f.error_type} /></a></td>
                  <td class="message"><a class="plain" href={href(`/calls/${f.trace_id}/${f.span_id}`, change(here.query, {}))} title={f.message}>{f.message || "latest"}</a></td><td class="n">{count(f.calls)}</td></tr>
              ))}</tbody></table> : <p class="nothing">none</p>}
            </section>
            <section class="panel" aria-label="Guard findings"><header><h2>Guard findings</h2></header>
              {data.findings.length ? <table><tbody>{data.findings.map((f) => (
                <tr key={f.rule + f.kind}><td><a href={to({ rule: f.rule })}>{f.rule || "(unnamed)"}</a></td><td><Chip word={f.kind} /></td><td class="n">{count(f.events)}</td></tr>
              ))}</tbody></table> : <p class="nothing">none</p>}
            </section>
          </div>
        </>
      )}
      {data && data.totals.calls === 0 && <Nothing title="No call of this user in this range"><p><a href={href(here.path, withRange(here.query, "now-30d", "now"))}>Look at the last 30 days</a>.</p></Nothing>}
      {sessions.error && <Problem text={sessions.error} />}
      {sessions.data && sessions.data.sessions.length > 0 && (
        <section class="panel" aria-label="Sessions"><header><h2>Sessions</h2><span class="grow" /><a href={href("/sessions", change(here.query, { user: name }))}>all</a></header>
          <SessionTable here={here} sessions={sessions.data.sessions} />
        </section>
      )}
    </div>
  );
}

function Sum({ data: { totals: t, previous: p }, to }: { data: OneUser; to: (filters?: Record<string, string>) => string }) {
  const moved = delta(t.cost, p.cost);
  return (
    <section class="panel people-sum" aria-label="Sum"><p>
      <a href={to()}><b>{count(t.calls)}</b> call{t.calls === 1 ? "" : "s"}</a> · <b>{t.calls ? usd(t.cost) : "$0"}</b>{moved !== null && <span class="quiet"> ({signedShare(moved)} against the period before)</span>}
      {t.unpriced > 0 && <> · <a href={to({ priced: "no" })}>{count(t.unpriced)} unpriced</a></>}{" · "}{compact(t.input_tokens + t.output_tokens)} tokens
      {t.errors > 0 && <> · <a class="bad-text" href={to({ status: "error" })}>{count(t.errors)} failed</a></>}{t.blocked > 0 && <> · <a href={to({ status: "blocked" })}>{count(t.blocked)} blocked</a></>}
    </p></section>
  );
}

function Parts({ title, dimension, parts, to }: { title: string; dimension: string; parts: (Sums & { value: string })[]; to: (filters: Record<string, string>) => string }) {
  const top = Math.max(...parts.map((part) => part.calls), 1);
  return (
    <section class="panel" aria-label={title}><header><h2>{title}</h2></header><div class="scroll"><table>
      <thead><tr><th scope="col">{title.slice(0, -1)}</th><th scope="col" class="n">Calls</th><th scope="col" class="n">Failed</th><th scope="col" class="n">Cost</th></tr></thead>
      <tbody>{parts.map((part) => (
        <tr key={part.value}><td class="bar"><i style={{ width: `${(100 * part.calls) / top}%` }} aria-hidden="true" /><a href={to({ [dimension]: part.value })}>{named(dimension, part.value)}</a></td>
          <td class="n">{count(part.calls)}</td><td class="n">{percent(part.errors / part.calls)}</td><td class="n">{usd(part.cost)}{part.unpriced > 0 && part.cost !== null && " +?"}</td></tr>
      ))}</tbody>
    </table></div></section>
  );
}
