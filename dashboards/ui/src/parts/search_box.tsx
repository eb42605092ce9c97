import { useEffect, useRef } from "preact/hooks";
import { change, go, href, type Place } from "../place";
import { Icon } from "./icon";

// Searches while one types; the address follows, the history keeps one entry for the whole word. A search in all of
// what was said takes seconds, so it waits for Enter.
export function SearchBox({ here }: { here: Place }) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const text = here.query.get("q") ?? "";
  const inside = here.query.get("in") === "content";
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = text;
  }, [text]);
  const search = () => {
    const typed = input.current?.value.trim() ?? "";
    go(href(here.path, change(here.query, { q: typed || null })), text !== "" && typed !== "");
  };
  const later = () => {
    clearTimeout(timer.current);
    if (!inside || !input.current?.value) timer.current = window.setTimeout(search, 300);
  };
  const now = (event: SubmitEvent) => {
    event.preventDefault();
    clearTimeout(timer.current);
    search();
  };
  const where = (event: { currentTarget: HTMLSelectElement }) => {
    const typed = input.current?.value.trim() ?? "";
    go(href(here.path, change(here.query, { q: typed || null, in: event.currentTarget.value === "content" ? "content" : null })));
  };
  return (
    <form class="search" role="search" onSubmit={now}>
      <Icon name="search" />
      <input ref={input} type="search" data-search placeholder={inside ? "Search all that was said, then press Enter" : "Search prompts and answers, or paste a trace, session or user id"} aria-label="Search calls" defaultValue={text} onInput={later} />
      <select class="calls-where" aria-label="Search in" value={inside ? "content" : "previews"} onChange={where}>
        <option value="previews">first words</option>
        <option value="content">all that was said</option>
      </select>
      <kbd>/</kbd>
    </form>
  );
}
