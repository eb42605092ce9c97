// One group of failures: where it gathers, since when, what changed about then, and calls to look at.
import { useAnswer } from "../answer";
import { ago, compact, count, exact, ms, percent, timeOf } from "../format";
import { Chart } from "../parts/chart";
import { Chip } from "../parts/chip";
import { FilterBar } from "../parts/filter_bar";
import { Icon } from "../parts/icon";
import { Nothing, Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { go, href, type Place } from "../place";
import { around, asked, isLive, isoSeconds, withRange } from "../range";
import { useTitle } from "../title";
import { dimensionWord, filtersFor, KindMark, listed, nameOf, RateText, WhereText } from "./failure_parts";
import { KIND_WORDS, type Change, type Example, type GroupPage, type Share } from "./failure_records";

const LIVE_MS = 10_000;
const ORDER = ["prompt", "model", "provider", "service", "user_group"] as const;
const TITLES: Record<string, string> = { prompt: "Prompts and versions", model: "Models", provider: "Providers", service: "Apps", user_group: "User groups" };

export function FailureGroup({ here, dark, ids }: PageProps) {
  const name = ids["group"] ?? "";
  const { data, error } = useAnswer<GroupPage>(`/api/failures/${encodeURIComponent(name)}?${asked(here.query)}`, isLive(here.query) ? LIVE_MS : 0);
  useTitle(data ? `${KIND_WORDS[data.kind] ?? data.kind}: ${data.text.slice(0, 40)}` : "Failure");
  return (
    <div class="failures-group">
      <p><a class="up" data-up href={href("/failures", here.query)}><Icon name="left" /> Failures</a></p>
      <div class="page-head failures-head">
        {data ? <><p><KindMark kind={data.kind} /> {data.new && <Chip word="new" tone="warn" title="first seen in this range" />}</p><h1>{data.text}</h1></> : <h1>Failure</h1>}
      </div>
      <FilterBar here={here} />
      {error && <Problem text={error} />}
      {data && <Found here={here} data={data} dark={dark} />}
    </div>
  );
}

function Found({ here, data, dark }: { here: Place; data: GroupPage; dark: boolean }) {
  const zoom = (from: number, to: number) => go(href(here.path, withRange(here.query, isoSeconds(from), isoSeconds(to))));
  const mine = { failure_group: data.group };
  const rate = data.failed_series.map((n, i) => (data.all[i] ? n / data.all[i]! : null));
  return (
    <>
      <section class="panel failures-answer" aria-label="What is known">
        <p>
          {data.failed ? <><a href={href("/calls", listed(here.query, mine))}><b>{count(data.failed)}</b> call{data.failed === 1 ? "" : "s"}</a> of {count(data.calls)} failed so: <b>{percent(data.failed / data.calls)}</b>, between {percent(data.low)} and {percent(data.high)}.</> : <>No call of this range.</>}
          {" "}First seen <b title={exact(data.first * 1000)}>{timeOf(data.first * 1000)}</b>, last {ago(data.last * 1000)}.
        </p>
        {data.where && <p><WhereText where={data.where} />; <RateText where={data.where} />.</p>}
        {!data.where && data.failed >= 5 && <p class="quiet">It is spread over prompts, models, providers and apps as all calls are: none of them is the cause.</p>}
        {data.changes[0]?.share ? <p>{sentence(data.changes[0], data.first)}</p> : null}
      </section>
      {!data.failed && <Nothing title="Not seen in this range"><p><a href={href(here.path, withRange(here.query, isoSeconds(data.first - 3_600_000), isoSeconds(data.last + 3_600_000)))}>Look at the time from its first to its last call</a>.</p></Nothing>}
      {data.failed > 0 && (
        <>
          <div class="failures-cols">
            <Chart title="Calls that failed so" note="calls" t={data.t} step={data.step} kind="bars" format={count} axis={compact} dark={dark} onZoom={zoom}
              lines={[{ name: "calls", tone: "bad", values: data.failed_series, href: href("/calls", listed(here.query, mine)) }]} />
            <Chart title="Of all calls" note="share" t={data.t} step={data.step} kind="lines" format={percent} axis={(n) => percent(n)} dark={dark} onZoom={zoom} lines={[{ name: "share", tone: "bad", values: rate }]} />
          </div>
          <div class="failures-cols">
            <Examples here={here} examples={data.examples} />
            <Changes here={here} data={data} />
          </div>
          <div class="failures-breakdowns">
            {ORDER.map((dimension) => data.breakdowns[dimension]?.some((share) => share.value) && <Breakdown key={dimension} here={here} dimension={dimension} shares={data.breakdowns[dimension]!} group={data.group} />)}
          </div>
        </>
      )}
    </>
  );
}

function sentence(change: Change, first: number) {
  const minutes = Math.round((first - change.us / 1000) / 60_000);
  const when = Math.abs(minutes) < 1 ? "at the same time" : `${Math.abs(minutes) < 90 ? `${Math.abs(minutes)} min` : `${Math.round(Math.abs(minutes) / 60)} h`} ${minutes > 0 ? "before" : "after"}`;
  return <>The {dimensionWord(change.what)} <b>{nameOf(change.what, change.value, change.version)}</b> was first called {when}.</>;
}

function Examples({ here, examples }: { here: Place; examples: Example[] }) {
  return (
    <section class="panel">
      <header><h2>Calls to look at</h2><span class="quiet">the newest of different apps, models and prompts</span></header>
      <div class="scroll"><table>
        <thead><tr><th>When</th><th>App and model</th><th>Prompt</th><th class="n optional">Latency</th></tr></thead>
        <tbody>
          {examples.map((one) => (
            <tr key={one.span_id}>
              <td><a data-row href={href(`/calls/${one.trace_id}/${one.span_id}`, listed(here.query, around(here.query, one.us / 1000)))} title={one.message || exact(one.us)}>{timeOf(one.us)}</a></td>
              <td class="failures-name">{one.service} <span class="quiet">{one.model}</span></td>
              <td class="failures-name">{one.prompt ? nameOf("prompt", one.prompt, one.prompt_version) : <span class="quiet">–</span>}</td>
              <td class="n optional">{ms(one.latency_ms)}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
    </section>
  );
}

function Changes({ here, data }: { here: Place; data: GroupPage }) {
  return (
    <section class="panel">
      <header><h2>What was new about then</h2><span class="quiet">from a day before it was first seen</span></header>
      {data.changes.length ? (
        <div class="scroll"><table>
          <thead><tr><th>What</th><th>First called</th><th class="n">Of this group</th></tr></thead>
          <tbody>
            {data.changes.map((change) => (
              <tr key={change.what + change.value + change.version}>
                <td class="failures-name"><span class="quiet">{dimensionWord(change.what)}</span> <a href={href("/calls", listed(here.query, filtersFor(change.what, change.value, change.version)))}>{nameOf(change.what, change.value, change.version)}</a></td>
                <td title={exact(change.us)}>{timeOf(change.us)}</td>
                <td class="n">{change.share === null ? <span class="quiet">–</span> : percent(change.share)}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : <p class="nothing">no new prompt version, model, app or policy</p>}
    </section>
  );
}

function Breakdown({ here, dimension, shares, group }: { here: Place; dimension: string; shares: Share[]; group: string }) {
  const top = Math.max(...shares.map((share) => share.rate), 1e-9);
  return (
    <section class="panel">
      <header><h2>{TITLES[dimension]}</h2></header>
      <div class="scroll"><table>
        <thead><tr><th>{TITLES[dimension]}</th><th class="n">Failed so</th><th class="n">Of calls</th><th class="n">Rate, 95% sure</th></tr></thead>
        <tbody>
          {shares.map((share) => (
            <tr key={share.value + share.version}>
              <td class="bar failures-name"><i style={{ width: `${(100 * share.rate) / top}%` }} aria-hidden="true" /><span>{nameOf(dimension, share.value, share.version)}{dimension === "model" && <span class="quiet"> {share.version}</span>}</span></td>
              <td class="n">{share.failed ? <a href={href("/calls", listed(here.query, { failure_group: group, ...filtersFor(dimension, share.value, share.version) }))}>{count(share.failed)}</a> : <span class="quiet">0</span>}</td>
              <td class="n">{count(share.calls)}</td>
              <td class="n">{percent(share.rate)} <span class="failures-range">{percent(share.low)} – {percent(share.high)}</span></td>
            </tr>
          ))}
        </tbody>
      </table></div>
    </section>
  );
}
