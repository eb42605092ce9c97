// A statement as text: where an error points, and how to ask for less.
import type { Completion, Mark } from "../editor";
import type { Table } from "./records";

const PLACE = /line (\d+),? col(?:umn)? (\d+)/;
const NAMED = [/there is no (?:column|table) ([\w.]+)/, /the function (\w+) is not allowed/, /[Uu]nknown (?:expression )?(?:identifier|expression|function|table)[^`'"]*[`'"]?([\w.]+)/, /IN; .*name with a dot/];

// The line that an error is about: as it says, or where the name that it names stands.
export function markOf(sql: string, problem: string): Mark | null {
  const placed = PLACE.exec(problem);
  if (placed && !problem.startsWith("Code:")) return { line: Number(placed[1]), severity: "error", text: problem };
  for (const form of NAMED) {
    const name = form.exec(problem)?.[1];
    const at = name ? new RegExp(`\\b${name.replaceAll(".", "\\.")}\\b`, "i").exec(sql)?.index : undefined;
    if (at !== undefined) return { line: sql.slice(0, at).split("\n").length, severity: "error", text: problem };
  }
  return null;
}

// The server's text without what helps nobody here.
export function plainProblem(problem: string): string {
  return problem.replace(/^Code: \d+\. DB::Exception: /, "").replace(/ \(version .*$/, "").replace(/(?:: |\. )?While executing.*$/, "").slice(0, 1200);
}

export function pastLimit(problem: string): boolean {
  return /TIMEOUT_EXCEEDED|TOO_MANY_ROWS|MEMORY_LIMIT|TOO_MANY_BYTES|imeout exceeded|emory limit|max_result|broke off in the middle|limit for result/i.test(problem);
}

const LAST = /now\(\)\s*-\s*INTERVAL\s+\d+\s+\w+|now\(\)\s*-\s*to\w+\(\d+\)/i;

// The same question over a shorter time: the span that it names is made shorter, or one is put in.
export function narrower(sql: string, span: string): string | null {
  return LAST.test(sql) ? sql.replace(LAST, `now() - INTERVAL ${span}`) : withCondition(sql, (time) => `${time} >= now() - INTERVAL ${span}`);
}

const BETWEEN = / \w+ >= '[\d :-]{19}' AND \w+ < '[\d :-]{19}' AND/;

// The same question over a span of a chart; milliseconds.
export function between(sql: string, from: number, to: number): string | null {
  const at = (ms: number) => `'${new Date(ms).toISOString().slice(0, 19).replace("T", " ")}'`;
  return withCondition(sql.replace(BETWEEN, ""), (time) => `${time} >= ${at(from)} AND ${time} < ${at(to)}`);
}

function withCondition(sql: string, made: (time: string) => string): string | null {
  if ((sql.match(/\bSELECT\b/gi) ?? []).length !== 1) return null;
  const table = /\bFROM\s+(\w+)/i.exec(sql);
  if (!table) return null;
  const condition = made(/_1[mhd]$/.test(table[1]!) ? "t" : "ts");
  const where = /\bWHERE\b/i.exec(sql);
  if (where) return `${sql.slice(0, where.index + 5)} ${condition} AND${sql.slice(where.index + 5)}`;
  const end = table.index + table[0].length;
  return `${sql.slice(0, end)} WHERE ${condition}${sql.slice(end)}`;
}

const WORDS = ["SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "LIMIT", "count()", "quantile(0.95)(", "uniq(", "sum(", "avg(", "countIf(", "now()", "toStartOfHour(ts)", "toStartOfFiveMinutes(ts)", "INTERVAL", "DESC", "AND", "HAVING"];

export function completer(tables: readonly Table[]): (sql: string, caret: number) => Completion | null {
  return (sql, caret) => {
    const typed = /[\w.]*$/.exec(sql.slice(0, caret))![0];
    const low = typed.toLowerCase();
    const named = new Set([...sql.matchAll(/\b(?:FROM|JOIN)\s+(\w+)/gi)].map((found) => found[1]!));
    const near = tables.filter((table) => named.has(table.name));
    const columns = (near.length ? near : tables.slice(0, 3)).flatMap((table) => table.columns.map((column) => ({ word: column.name, text: column.text || column.type })));
    const every = [...columns, ...tables.map((table) => ({ word: table.name, text: table.text })), ...WORDS.map((word) => ({ word, text: "" }))];
    const seen = new Set<string>();
    const options = every.filter(({ word }) => word.toLowerCase().startsWith(low) && word !== typed && !seen.has(word) && Boolean(seen.add(word)));
    return { from: caret - typed.length, options };
  };
}
