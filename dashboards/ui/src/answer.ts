// Asking the API: the answer before stays while the next is on its way; polls while the tab is seen.
import { useEffect, useState } from "preact/hooks";
import { send } from "./send";
import { allTold } from "./tell";

export interface Answer<T> {
  data: T | null;
  error: string;
  busy: boolean;
}

// Another `turn` asks again: after one has changed what the answer is about.
export function useAnswer<T>(url: string, everyMs = 0, turn = 0): Answer<T> {
  const [answer, set] = useState<Answer<T>>({ data: null, error: "", busy: true });
  useEffect(() => {
    const control = new AbortController();
    let timer = 0;
    let asking = false;
    const look = () => {
      clearTimeout(timer);
      if (asking) return;
      asking = true;
      allTold().then(() => send<T>("GET", url, undefined, { signal: control.signal })).then((data) => {
        if (!control.signal.aborted) set({ data, error: "", busy: false });
      }, (why: Error) => {
        if (!control.signal.aborted) set((old) => ({ ...old, error: why.message, busy: false }));
      }).finally(() => {
        asking = false;
        if (!control.signal.aborted && everyMs && !document.hidden) timer = window.setTimeout(look, everyMs);
      });
    };
    const seen = () => {
      if (document.hidden) clearTimeout(timer);
      else if (everyMs) look();
    };
    set((old) => ({ ...old, busy: true }));
    look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      control.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [url, everyMs, turn]);
  return answer;
}
