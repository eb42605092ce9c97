import { useEffect, useRef } from "preact/hooks";
import { change, go, href, type Place } from "../place";
import { Icon } from "./icon";

// Searches while one types; the address follows, the history keeps one entry for the whole word.
export function SearchBox({ here }: { here: Place }) {
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);
  const text = here.query.get("q") ?? "";
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = text;
  }, [text]);
  const search = () => {
    const typed = input.current?.value.trim() ?? "";
    go(href(here.path, change(here.query, { q: typed || null })), text !== "" && typed !== "");
  };
  const later = () => {
    clearTimeout(timer.current);
    timer.current = window.setTimeout(search, 300);
  };
  const now = (event: SubmitEvent) => {
    event.preventDefault();
    clearTimeout(timer.current);
    search();
  };
  return (
    <form class="search" role="search" onSubmit={now}>
      <Icon name="search" />
      <input ref={input} type="search" data-search placeholder="Search prompts and answers, or paste a trace, session or user id" aria-label="Search calls" defaultValue={text} onInput={later} />
      <kbd>/</kbd>
    </form>
  );
}
