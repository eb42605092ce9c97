// Asking the API: the answer before stays while the next is on its way; polls while the tab is seen.
import { useEffect, useRef, useState } from "preact/hooks";
import { keep } from "./offers";
import { allTold } from "./tell";

export interface Answer<T> {
  data: T | null;
  error: string;
  busy: boolean;
}

async function ask<T>(url: string, signal: AbortSignal): Promise<T> {
  await allTold();
  const response = await fetch(url, { signal, headers: { accept: "application/json" } }).catch((why: unknown) => {
    throw signal.aborted ? why : new Error("The sidecar does not answer. Is `spanward serve` running?");
  });
  // an answer that breaks off, as one does that is no longer wanted, is none
  const body: unknown = await response.json().catch((why: unknown) => {
    if (response.ok) throw signal.aborted ? why : new Error("The sidecar's answer broke off.");
    return {};
  });
  keep(body);
  if (!response.ok) throw new Error((body as { message?: string }).message ?? `The sidecar answered ${response.status}.`);
  return body as T;
}

export function useAnswer<T>(url: string, everyMs = 0): Answer<T> {
  const [answer, set] = useState<Answer<T> & { url: string }>({ url: "", data: null, error: "", busy: true });
  const latest = useRef(url);
  latest.current = url;
  useEffect(() => {
    const control = new AbortController();
    let timer = 0;
    const again = () => {
      if (everyMs) timer = window.setTimeout(look, document.hidden ? 5 * everyMs : everyMs);
    };
    const look = () => {
      if (document.hidden && answer.data) return again();
      ask<T>(url, control.signal)
        .then((data) => {
          if (!control.signal.aborted) set({ url, data, error: "", busy: false });
        })
        .catch((why: Error) => {
          if (!control.signal.aborted) set((old) => ({ ...old, error: why.message, busy: false }));
        })
        .finally(() => {
          if (!control.signal.aborted) again();
        });
    };
    const seen = () => {
      if (document.hidden || !everyMs) return;
      clearTimeout(timer);
      look();
    };
    set((old) => ({ ...old, busy: true }));
    look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      control.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [url, everyMs]);
  return answer;
}
