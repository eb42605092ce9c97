// A search through a long range is answered a stretch at a time: it goes on by itself until the page is full.
import { useEffect, useState } from "preact/hooks";
import { send } from "./send";
import type { CallList } from "./records";

export interface Search {
  data: CallList | null;
  // on its way through the range
  going: boolean;
  error: string;
}

const goesOn = ({ calls, next, searched }: CallList, size: number): boolean => next !== null && searched !== null && !searched.whole && calls.length < size;

// `first` is what `url` answered, which may be asked anew: then what was found stays until the search has come as far.
export function useSearchOn(first: CallList | null, url: string, size: number): Search {
  const [told, set] = useState<Search & { url: string }>({ url, data: null, going: false, error: "" });
  useEffect(() => {
    if (!first) return;
    const control = new AbortController();
    const show = (data: CallList, going: boolean, error = "") => set((old) => going && old.url === url && old.data && !old.going ? old : { url, data, going, error });
    const on = async () => {
      let data = first;
      while (goesOn(data, size)) {
        show(data, true);
        const more = await send<CallList>("GET", `${url}&cursor=${encodeURIComponent(data.next!)}&limit=${size - data.calls.length}`, undefined, { signal: control.signal });
        data = { ...more, calls: [...data.calls, ...more.calls], hidden: data.hidden || more.hidden };
      }
      show(data, false);
    };
    on().catch((why: Error) => {
      if (!control.signal.aborted) set((old) => ({ ...old, going: false, error: why.message }));
    });
    return () => control.abort();
  }, [first, url, size]);
  return told.url === url ? told : { data: null, going: false, error: "" };
}
