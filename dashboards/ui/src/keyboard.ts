// Keys of the whole page. Rows are links marked `data-row`; a call page marks its neighbours `data-next`, `data-previous`.
import { PAGES } from "./pages";
import { change, go, href, place } from "./place";

export function typing(event: KeyboardEvent): boolean {
  return (event.target as Element).matches("input, textarea, select") || event.metaKey || event.ctrlKey || event.altKey;
}

function click(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.click();
}

function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")];
  if (!rows.length) return click(by > 0 ? "[data-next]" : "[data-previous]");
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
}

const AFTER_G: Record<string, string> = Object.fromEntries(PAGES.filter((page) => page.key).map((page) => [page.key, page.path]));

export function listen(showHelp: () => void): () => void {
  let g = false;
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") return (document.activeElement as HTMLElement | null)?.blur();
    if (event.key === "k" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      return void dispatchEvent(new Event("spanward-palette"));
    }
    if (typing(event)) return;
    const path = g ? AFTER_G[event.key] : undefined;
    g = event.key === "g";
    if (path) return go(href(path, change(place().query, {})));
    const act: (() => void) | undefined = {
      "?": showHelp,
      "/": () => document.querySelector<HTMLElement>("[data-search]")?.focus(),
      t: () => dispatchEvent(new Event("spanward-time")),
      j: () => step(1),
      k: () => step(-1),
      u: () => click("[data-up]"),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}
