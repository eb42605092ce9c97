// New calls as the sidecar tells them. While a tab is not seen it follows nothing: a browser opens few connections to one host.
import { useEffect, useState } from "preact/hooks";
import type { CallRow, TailEvent } from "./records";

const MOST = 300;

export interface Tail {
  // told as they come; without it, one has to look
  on: boolean;
  fresh: CallRow[];
}

export const keyOf = (call: { trace_id: string; span_id: string }): string => call.trace_id + call.span_id;

// An empty `url` follows nothing.
export function useTail(url: string): Tail {
  const [tail, set] = useState<Tail & { url: string }>({ url, on: false, fresh: [] });
  useEffect(() => {
    set({ url, on: false, fresh: [] });
    if (!url) return;
    let source: EventSource | null = null;
    const close = () => {
      source?.close();
      source = null;
    };
    const open = () => {
      close();
      source = new EventSource(url);
      source.onmessage = () => set((old) => ({ ...old, on: true }));
      source.addEventListener("calls", (event) => {
        const { calls } = JSON.parse((event as MessageEvent<string>).data) as TailEvent;
        set((old) => ({ ...old, fresh: added(old.fresh, calls) }));
      });
      source.onerror = () => set((old) => ({ ...old, on: false }));
    };
    const seen = () => {
      if (!document.hidden) return open();
      close();
      set((old) => ({ ...old, on: false }));
    };
    seen();
    document.addEventListener("visibilitychange", seen);
    return () => {
      close();
      document.removeEventListener("visibilitychange", seen);
    };
  }, [url]);
  return tail.url === url ? tail : { on: false, fresh: [] };
}

function added(old: CallRow[], calls: CallRow[]): CallRow[] {
  const known = new Set(old.map(keyOf));
  return [...calls.filter((call) => !known.has(keyOf(call))), ...old].slice(0, MOST);
}

// As the list is: the newest first, equals by their ids.
function before(a: CallRow, b: CallRow): number {
  return b.us - a.us || (a.trace_id < b.trace_id ? 1 : a.trace_id > b.trace_id ? -1 : a.span_id < b.span_id ? 1 : -1);
}

// The page of a list with what came since it was asked for; `came` are those the list did not count yet.
export function joined(calls: CallRow[], fresh: CallRow[], size: number): { calls: CallRow[]; came: number } {
  const known = new Set(calls.map(keyOf));
  const last = calls.at(-1);
  // what is older than a full page was counted with it, or belongs to a later page
  const came = fresh.filter((call) => !known.has(keyOf(call)) && (calls.length < size || !last || before(call, last) < 0));
  return { calls: [...calls, ...came].sort(before).slice(0, size), came: came.length };
}
