// The menu: groups of pages; on a narrow screen behind a button.
import { GROUPS, PAGES } from "../pages";
import { href, type Place } from "../place";
import { Icon } from "./icon";

// What a menu link keeps of the address: the range and the filters, nothing that belongs to one page.
const OWN = ["sort", "cursor", "tab", "columns", "view"];

export function Side({ here, open, close }: { here: Place; open: boolean; close: () => void }) {
  const kept = new URLSearchParams(here.query);
  for (const key of OWN) kept.delete(key);
  return (
    <nav class={`side ${open ? "open" : ""}`} aria-label="Pages" onClick={close}>
      {GROUPS.map((group) => (
        <div key={group}>
          <h2 id={`menu-${group}`}>{group}</h2>
          <ul aria-labelledby={`menu-${group}`}>
            {PAGES.filter((page) => page.group === group).map((page) => (
              <li key={page.path}>
                <a href={href(page.path, kept)} aria-current={isHere(page.path, here.path) ? "page" : undefined}>{page.icon && <Icon name={page.icon} />}{page.name}</a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}

function isHere(path: string, now: string): boolean {
  return path === "/" ? now === "/" : now === path || now.startsWith(`${path}/`);
}
