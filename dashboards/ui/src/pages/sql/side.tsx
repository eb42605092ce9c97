// What may be asked, and what was asked before: tables and columns, saved queries, examples, this session's history.
import { timeOf } from "../../format";
import type { SavedQuery, Table } from "./records";

export const EXAMPLES: readonly (readonly [string, string])[] = [
  ["Calls and failures by hour", "SELECT toStartOfHour(ts) AS hour, status, count() AS calls\nFROM llm_calls\nWHERE ts >= now() - INTERVAL 1 DAY\nGROUP BY hour, status\nORDER BY hour"],
  ["Cost by model and app", "SELECT model, service, round(sum(cost_usd), 4) AS cost, count() AS calls, countIf(cost_usd IS NULL) AS unpriced\nFROM llm_calls\nWHERE ts >= now() - INTERVAL 7 DAY\nGROUP BY model, service\nORDER BY cost DESC\nLIMIT 20"],
  ["Slowest calls", "SELECT ts, trace_id, span_id, service, model, latency_ms, ttft_ms, output_tokens\nFROM llm_calls\nWHERE ts >= now() - INTERVAL 1 DAY\nORDER BY latency_ms DESC\nLIMIT 50"],
  ["What the guards found", "SELECT rule, label, mode, action, count() AS findings, uniq(trace_id) AS traces\nFROM guard_events\nWHERE ts >= now() - INTERVAL 7 DAY AND label != ''\nGROUP BY rule, label, mode, action\nORDER BY findings DESC\nLIMIT 50"],
  ["Latency by prompt version", "SELECT prompt_name, prompt_version, count() AS calls, quantile(0.5)(latency_ms) AS p50, quantile(0.95)(latency_ms) AS p95\nFROM llm_calls\nWHERE ts >= now() - INTERVAL 7 DAY AND prompt_name != ''\nGROUP BY prompt_name, prompt_version\nORDER BY calls DESC\nLIMIT 50"],
  ["Who changed the policy", "SELECT ts, actor, action, subject, detail\nFROM audit\nORDER BY ts DESC\nLIMIT 50"],
];

interface Props {
  tables: readonly Table[];
  queries: readonly SavedQuery[];
  past: readonly { sql: string; us: number }[];
  insert: (text: string) => void;
  open: (sql: string) => void;
  openSaved: (query: SavedQuery) => void;
}

export function SqlSide({ tables, queries, past, insert, open, openSaved }: Props) {
  return (
    <aside class="sql-side" aria-label="To choose from">
      <details class="panel" open><summary><h2>Saved</h2></summary>
        {queries.length ? <ul>{queries.map((query) => <li key={query.id}><button type="button" class="link" data-row title={query.sql} onClick={() => openSaved(query)}>{query.name}</button></li>)}</ul> : <p class="note quiet">None yet. Save what you ask again.</p>}
      </details>
      <details class="panel" open={!queries.length}><summary><h2>Examples</h2></summary>
        <ul>{EXAMPLES.map(([name, sql]) => <li key={name}><button type="button" class="link" title={sql} onClick={() => open(sql)}>{name}</button></li>)}</ul>
      </details>
      <details class="panel" open><summary><h2>Tables</h2></summary>
        {tables.map((table) => (
          <details key={table.name} class="sql-table"><summary title={table.text}><code>{table.name}</code><span class="quiet">{table.text}</span></summary>
            <p><button type="button" class="link" onClick={() => insert(table.name)}>insert {table.name}</button></p>
            <ul>{table.columns.map((column) => <li key={column.name}><button type="button" class="link mono" onClick={() => insert(column.name)} title="Insert">{column.name}</button> <span class="quiet">{column.type}{column.text && ` · ${column.text}`}{column.key && " · key"}</span></li>)}</ul>
          </details>
        ))}
      </details>
      {past.length > 0 && (
        <details class="panel"><summary><h2>Asked in this session</h2></summary>
          <ul>{past.map((each) => <li key={each.us}><button type="button" class="link" title={each.sql} onClick={() => open(each.sql)}>{each.sql.replace(/\s+/g, " ").slice(0, 60)}</button> <span class="quiet">{timeOf(each.us)}</span></li>)}</ul>
        </details>
      )}
    </aside>
  );
}
