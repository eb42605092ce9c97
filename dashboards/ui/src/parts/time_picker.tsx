import { useEffect, useRef, useState } from "preact/hooks";
import { rangeName } from "../format";
import { change, go, href, type Place } from "../place";
import { PRESETS, isoSeconds, rangeOf, withRange } from "../range";
import { Icon } from "./icon";

const MINUTE_MS = 60_000;

export function TimePicker({ here }: { here: Place }) {
  const [open, set] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const { from, to } = rangeOf(here.query);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape") set(false);
    };
    const asked = () => set((old) => !old);
    const outside = (event: MouseEvent) => {
      if (!box.current?.contains(event.target as Node)) set(false);
    };
    addEventListener("keydown", key);
    addEventListener("spanward-time", asked);
    addEventListener("mousedown", outside);
    return () => {
      removeEventListener("keydown", key);
      removeEventListener("spanward-time", asked);
      removeEventListener("mousedown", outside);
    };
  }, []);
  useEffect(() => set(false), [here.query.toString()]);
  useEffect(() => {
    if (open) box.current?.querySelector<HTMLElement>(".menu a")?.focus();
  }, [open]);
  const named = to === "now" ? PRESETS.find(([value]) => value === from)?.[1] : undefined;
  return (
    <div class="picker" ref={box}>
      <button type="button" class="button" aria-haspopup="true" aria-expanded={open} onClick={() => set(!open)} title="Time range (t)">
        <Icon name="clock" /> {named ?? (to === "now" ? `Since ${from}` : rangeName(Date.parse(from), Date.parse(to)))}
        <Icon name="down" />
      </button>
      {open && (
        <div class="menu" role="dialog" aria-label="Time range">
          <ul>
            {PRESETS.map(([value, name]) => (
              <li key={value}>
                <a href={href(here.path, withRange(here.query, value, "now"))} aria-current={value === from && to === "now"}>{name}</a>
              </li>
            ))}
          </ul>
          <Custom here={here} />
          <p class="quiet">Your local time, {Intl.DateTimeFormat().resolvedOptions().timeZone}. Drag over a chart to zoom.</p>
        </div>
      )}
    </div>
  );
}

function Custom({ here }: { here: Place }) {
  const { from, to } = rangeOf(here.query);
  const start = Date.parse(from);
  const end = Date.parse(to);
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const a = Date.parse(String(form.get("from")));
    const b = Date.parse(String(form.get("to")));
    if (a < b) go(href(here.path, change(here.query, { from: isoSeconds(a), to: isoSeconds(b) })));
  };
  return (
    <form onSubmit={apply}>
      <label>From <input type="datetime-local" name="from" required defaultValue={field(start || Date.now() - 60 * MINUTE_MS)} /></label>
      <label>To <input type="datetime-local" name="to" required defaultValue={field(end || Date.now())} /></label>
      <button type="submit" class="button primary">Apply</button>
    </form>
  );
}

function field(ms: number): string {
  return new Date(ms - new Date(ms).getTimezoneOffset() * MINUTE_MS).toISOString().slice(0, 16);
}
