import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { cleared, filtersOf } from "../filters";
import { count } from "../format";
import { CallTable } from "../parts/call_table";
import type { PageProps } from "../pages";
import { FacetList } from "../parts/facet_list";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, Nothing, Problem } from "../parts/notice";
import { SearchBox } from "../parts/search_box";
import { change, href, type Place } from "../place";
import { asked, isLive, withRange } from "../range";
import { useTitle } from "../title";
import type { CallList, Facets } from "../records";

const LIST_MS = 1000;
const FACETS_MS = 10_000;

export function Calls({ here, stored }: PageProps) {
  useTitle("Calls");
  const cursor = here.query.get("cursor");
  const live = isLive(here.query) && !cursor;
  const query = asked(here.query, ["sort"]);
  const list = useAnswer<CallList>(`/api/calls?${query}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, live ? LIST_MS : 0);
  const facets = useAnswer<Facets>(`/api/facets?${asked(here.query)}`, live ? FACETS_MS : 0);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => setNarrow(false), [here.query.toString()]);
  if (stored === 0) return <FirstSteps />;
  const { data, error } = list;
  const narrowed = filtersOf(here.query).length > 0 || here.query.has("q");
  return (
    <div class="calls">
      <h1 class="unseen">Calls</h1>
      <aside class={`facets ${narrow ? "open" : ""}`} aria-label="Filters">
        {facets.data && <FacetList here={here} facets={facets.data} />}
      </aside>
      <section class="list">
        <div class="tools">
          <SearchBox here={here} />
          <button type="button" class="button narrow" onClick={() => setNarrow(!narrow)} aria-expanded={narrow}>Filters</button>
          <span class="total" role="status">
            {data && <><b>{count(data.total)}</b> call{data.total === 1 ? "" : "s"}</>}
            {live && <span class="live" title="New calls appear by themselves"><i class="dot good" />live</span>}
          </span>
        </div>
        <FilterBar here={here} />
        {error && <Problem text={error} />}
        {data?.calls.length ? <CallTable here={here} calls={data.calls} /> : data && (
          <Nothing title="No call fits">
            {narrowed ? <p>Nothing in this range meets all filters. <a href={href("/calls", cleared(here.query))}>Clear the filters</a>, or </p> : <p>Nothing was called in this range; </p>}
            <p><a href={href("/calls", withRange(here.query, "now-30d", "now"))}>look at the last 30 days</a>.</p>
          </Nothing>
        )}
        <Paging here={here} next={data?.next ?? null} />
      </section>
    </div>
  );
}

function Paging({ here, next }: { here: Place; next: string | null }) {
  const cursor = here.query.get("cursor");
  if (!cursor && !next) return null;
  const first = change(here.query, {});
  const after = change(here.query, {});
  if (next) after.set("cursor", next);
  return (
    <nav class="paging" aria-label="Further calls">
      {cursor && <a class="button" href={href("/calls", first)}>First page</a>}
      {next && <a class="button" href={href("/calls", after)} rel="next">Next page</a>}
    </nav>
  );
}
