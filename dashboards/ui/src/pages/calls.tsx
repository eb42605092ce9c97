import "./calls.css";
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { cleared, filtersOf } from "../filters";
import { count, local } from "../format";
import { CallTable } from "../parts/call_table";
import { ColumnMenu } from "../parts/column_menu";
import { ExportMenu } from "../parts/export_menu";
import type { PageProps } from "../pages";
import { FacetList } from "../parts/facet_list";
import { FilterBar } from "../parts/filter_bar";
import { FirstSteps, Nothing, Problem } from "../parts/notice";
import { Paging } from "../parts/paging";
import { SavedMenu } from "../parts/saved_menu";
import { SearchBox } from "../parts/search_box";
import { href, type Place } from "../place";
import { asked, isLive, isoSeconds, rangeOf, withRange } from "../range";
import { useSearchOn } from "../search_on";
import { joined, keyOf, useTail } from "../tail";
import { useTitle } from "../title";
import type { CallList, Facets } from "../records";

const LIST_MS = 1000;
const TOLD_MS = 30_000;
// what is new in a search is told; asked anew it begins anew, and must come to its end before that
const SEARCHED_MS = 300_000;
const FACETS_MS = 10_000;
const SIZE = 50;

export function Calls({ here, stored }: PageProps) {
  useTitle("Calls");
  const cursor = here.query.get("cursor");
  const inside = here.query.get("in") === "content" && here.query.has("q");
  // a search through all that was said is asked once: it takes the store some seconds
  const live = isLive(here.query) && !cursor && !inside;
  const told = live && !here.query.has("sort");
  const query = asked(here.query, ["sort"]);
  const tail = useTail(told ? `/api/calls/tail?${query}` : "");
  const searched = here.query.has("q");
  const everyMs = searched && told ? SEARCHED_MS : searched || tail.on ? TOLD_MS : LIST_MS;
  const url = `/api/calls?${query}`;
  const list = useAnswer<CallList>(`${url}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, live ? everyMs : 0);
  const { data, going, error: broken } = useSearchOn(list.data, url, SIZE);
  const facets = useAnswer<Facets>(`/api/facets?${asked(here.query)}`, live ? FACETS_MS : 0);
  const [narrow, setNarrow] = useState(false);
  useEffect(() => setNarrow(false), [here.query.toString()]);
  if (stored === 0) return <FirstSteps />;
  const { error, busy } = list;
  const shown = data && joined(data.calls, tail.fresh, SIZE);
  const total = data && shown ? data.total + shown.came : null;
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
            {(inside && busy) || (going && !total) ? "searching…" : total !== null && <><b>{count(total)}</b> call{total === 1 ? "" : "s"}</>}
            {live && <span class="live" title="New calls appear by themselves"><i class="dot good" />live</span>}
          </span>
        </div>
        <div class="calls-bar">
          <SavedMenu here={here} />
          <ColumnMenu here={here} />
          <ExportMenu here={here} total={total ?? 0} />
        </div>
        <FilterBar here={here} />
        {(error || broken) && <Problem text={error || broken} />}
        {data?.hidden && <p class="calls-note plain">What was said is hidden from you: it takes a key whose role may see content.</p>}
        {data && <Reached here={here} data={data} going={going} />}
        {data && shown?.calls.length ? <CallTable here={here} calls={shown.calls} fresh={new Set(tail.fresh.map(keyOf))} /> : data && !going && (
          <Nothing title="No call fits">
            {narrowed ? <p>Nothing in this range meets all filters. <a href={href("/calls", cleared(here.query))}>Clear the filters</a>, or </p> : <p>Nothing was called in this range; </p>}
            <p><a href={href("/calls", withRange(here.query, "now-30d", "now"))}>look at the last 30 days</a>.</p>
          </Nothing>
        )}
        <Paging here={here} next={data?.next ?? null} what="calls" />
      </section>
    </div>
  );
}

// How far a search came. One through all that was said ends at a limit of time; one in previews goes on by itself.
function Reached({ here, data: { searched, total, next }, going }: { here: Place; data: CallList; going: boolean }) {
  if (!searched || searched.whole) return null;
  const at = local(searched.since * 1000);
  if (going) return <p class="calls-note" role="status">Searching: so far {at}, {count(total)} found.</p>;
  if (next) return <p class="calls-note" role="status">So far {count(total)} found, up to {at}. The search goes on with the next page.</p>;
  const { from, to } = rangeOf(here.query);
  const on = (a: string, b: string) => href(here.path, withRange(here.query, a, b));
  const since = isoSeconds(searched.since);
  return (
    <p class="calls-note" role="status">
      <span>The search ended at its limit: it went back to {at} and found {count(total)}. What is older was not looked at.</span>
      <a href={on(from.startsWith("now") ? isoSeconds(searched.since - 86_400_000) : from, since)}>Search the day before</a>
      {to === "now" && from !== "now-1h" && <a href={on("now-1h", "now")}>Search the last hour only</a>}
    </p>
  );
}
