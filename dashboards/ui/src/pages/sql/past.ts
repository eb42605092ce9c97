// What was asked in this session of the browser, the newest first.
export interface Asked {
  sql: string;
  us: number;
}

const KEY = "spanward.sql";
const MOST = 30;

export function past(): Asked[] {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as Asked[];
  } catch {
    return [];
  }
}

export function remember(sql: string): Asked[] {
  const next = [{ sql, us: Date.now() * 1000 }, ...past().filter((each) => each.sql !== sql)].slice(0, MOST);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // no room: not remembered
  }
  return next;
}
