import { useState } from "preact/hooks";
import { LABELS, toggled, wordFor } from "../filters";
import { compact, count } from "../format";
import { href, type Place } from "../place";
import type { Facets } from "../records";
import { Icon } from "./icon";

const SHORT = 5;

export function FacetList({ here, facets }: { here: Place; facets: Facets }) {
  return (
    <>
      {Object.entries(facets).map(([name, values]) => <Facet key={name} here={here} name={name} values={values} />)}
    </>
  );
}

function Facet({ here, name, values }: { here: Place; name: string; values: Facets[string] }) {
  const [all, set] = useState(false);
  const chosen = new Set(here.query.getAll(name));
  const known = values.filter((v) => v.value);
  const missing = [...chosen].filter((value) => !known.some((v) => v.value === value)).map((value) => ({ value, calls: 0, about: false }));
  const shown = [...missing, ...(all ? known : known.filter((v, i) => i < SHORT || chosen.has(v.value)))];
  const top = Math.max(...known.map((v) => v.calls), 1);
  return (
    <details open class="facet">
      <summary>{LABELS[name] ?? name}<Icon name="down" /></summary>
      <ul>
        {shown.map(({ value, calls, about }) => (
          <li key={value}>
            <a href={href(here.path, toggled(here.query, name, value))} class={chosen.has(value) ? "on" : ""} aria-pressed={chosen.has(value)} role="button" title={about ? `${value}: about ${count(calls)} calls, reckoned from a part of them` : `${value}: ${count(calls)} calls`}>
              <i style={{ width: `${(100 * calls) / top}%` }} aria-hidden="true" />
              <span>{wordFor(name, value)}</span>
              <b>{about && "≈"}{compact(calls)}</b>
            </a>
            <a class="not" href={href(here.path, toggled(here.query, `${name}!`, value))} title={`Leave out ${value}`} aria-label={`Leave out ${value}`}><Icon name="close" /></a>
          </li>
        ))}
      </ul>
      {known.length > SHORT && <button type="button" class="link" onClick={() => set(!all)}>{all ? "fewer" : `${known.length - SHORT} more`}</button>}
    </details>
  );
}
