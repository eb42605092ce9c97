// cmd/ctrl-K: go to a page, or look for what was typed among the calls.
import { useEffect, useRef, useState } from "preact/hooks";
import { PAGES } from "../pages";
import { change, go, href, type Place } from "../place";

interface Choice { name: string; what: string; href: string }

export function Palette({ here }: { here: Place }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  useEffect(() => {
    const asked = () => {
      setText("");
      setAt(0);
      if (!dialog.current?.open) dialog.current?.showModal();
    };
    addEventListener("spanward-palette", asked);
    return () => removeEventListener("spanward-palette", asked);
  }, []);
  const choices = choicesFor(here, text);
  const take = (choice: Choice | undefined) => {
    dialog.current?.close();
    if (choice) go(choice.href);
  };
  const pressed = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setAt((at + step + choices.length) % Math.max(choices.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(choices[at]);
    }
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Go to" onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={`palette-${at}`} aria-label="Page, or text to look for" placeholder="Go to a page, or look for a text, trace, session or user"
        value={text} onInput={(event) => { setText(event.currentTarget.value); setAt(0); }} onKeyDown={pressed} />
      <ul id="palette-list" role="listbox" aria-label="Where to">
        {choices.map((choice, i) => (
          <li key={choice.href} id={`palette-${i}`} role="option" aria-selected={i === at} class={i === at ? "on" : ""} onClick={() => take(choice)}>{choice.name}<span class="quiet">{choice.what}</span></li>
        ))}
      </ul>
    </dialog>
  );
}

function choicesFor(here: Place, text: string): Choice[] {
  const wanted = text.trim().toLowerCase();
  const range = new URLSearchParams();
  for (const key of ["from", "to"]) for (const value of here.query.getAll(key)) range.append(key, value);
  const pages = PAGES.filter((page) => page.group && page.name.toLowerCase().includes(wanted));
  const found = pages.map((page) => ({ name: page.name, what: page.group as string, href: href(page.path, range) }));
  if (wanted) found.push({ name: `Calls with “${text.trim()}”`, what: "search", href: href("/calls", change(range, { q: text.trim() })) });
  return found;
}
