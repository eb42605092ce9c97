import { LABELS, cleared, filtersOf, toggled, wordFor } from "../filters";
import { href, type Place } from "../place";
import { Icon } from "./icon";

export function FilterBar({ here }: { here: Place }) {
  const filters = filtersOf(here.query);
  const q = here.query.get("q");
  if (!filters.length && !q) return null;
  return (
    <div class="filters" aria-label="Filters in force">
      {filters.map(({ key, name, value, not }) => (
        <a key={key + value} class="filter" href={href(here.path, toggled(here.query, key, value))} title="Remove this filter">
          <span>{LABELS[name]}</span> {not && "not "}<b>{wordFor(name, value) || "(none)"}</b> <Icon name="close" />
        </a>
      ))}
      {q && here.path === "/" && <span class="filter"><span>Text</span> <b>{q}</b></span>}
      <a class="clear" href={href(here.path, cleared(here.query))}>Clear all</a>
    </div>
  );
}
