// Is the picture whole? The notices of the light, and behind them: what arrives, what is stored, and for how long.
import "./health.css";
import { useAnswer } from "../answer";
import { faultsOf, lastDay, uncounted } from "../faults";
import { ago, bytes, compact, count, exact } from "../format";
import { Chart } from "../parts/chart";
import { Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { go, href } from "../place";
import { isoSeconds } from "../range";
import type { Health } from "../records";
import { useTitle } from "../title";
import { daysLeft, type Source, type StoreHealth } from "./health_store";

const HEALTH_MS = 5000;
const STORE_MS = 30_000;
const HOUR_MS = 3_600_000;

type Tone = "good" | "warn" | "bad" | "quiet";
interface State { name: string; value: string; tone: Tone; advice: string; link?: string }

export function HealthPage({ dark }: PageProps) {
  useTitle("Health");
  const health = useAnswer<Health>("/api/health", HEALTH_MS);
  const store = useAnswer<StoreHealth>("/api/health/store", STORE_MS);
  return (
    <div class="health">
      <div class="page-head"><h1>Health</h1></div>
      {health.error && <Problem text={health.error} />}
      {store.error && store.error !== health.error && <Problem text={store.error} />}
      {health.data && <Notices health={health.data} />}
      {health.data && <States title="The sidecar" states={sidecarStates(health.data)} />}
      {health.data && <States title="Calls of the last 24 hours" states={callStates(health.data, store.data)} />}
      {store.data && <Week store={store.data} dark={dark} />}
      {store.data && <Sources sources={store.data.sources} />}
      {store.data && <Tables store={store.data} />}
    </div>
  );
}

function Notices({ health }: { health: Health }) {
  const faults = faultsOf(health);
  return (
    <section class="panel health-notices">
      <header><h2>{faults.length ? `What is not whole: ${faults.length}` : "The picture is whole"}</h2></header>
      {faults.length ? (
        <ul>{faults.map((f) => <li key={f.text}><i class={`dot ${f.tone}`} /><span class="unseen">{f.tone === "bad" ? "Fault:" : "Notice:"}</span> {f.link ? <a href={f.link}>{f.text}</a> : <span>{f.text}</span>}</li>)}</ul>
      ) : <p class="nothing">Everything that arrived is stored, guarded and priced.</p>}
    </section>
  );
}

function States({ title, states }: { title: string; states: readonly State[] }) {
  return (
    <section class="panel">
      <header><h2>{title}</h2></header>
      <div class="scroll"><table class="health-states">
        <thead><tr><th>What</th><th>Now</th><th>What to do</th></tr></thead>
        <tbody>{states.map((s) => (
          <tr key={s.name}>
            <td>{s.name}</td>
            <td><i class={`dot ${s.tone}`} /> {s.link ? <a href={s.link}>{s.value}</a> : s.value}</td>
            <td class="quiet">{s.advice}</td>
          </tr>
        ))}</tbody>
      </table></div>
    </section>
  );
}

const worst = (n: number | undefined, tone: Tone = "bad"): Tone => (n ? tone : "good");

function sidecarStates({ sidecar: s, day }: Health): State[] {
  const lag = s.ingest_lag_seconds ?? 0;
  const degraded = s.degraded ?? [];
  const workers = s.workers ?? [];
  const alive = workers.filter((w) => w.alive).length;
  const restarts = workers.reduce((sum, w) => sum + w.restarts, 0);
  return [
    { name: "Store", value: s.store ?? "–", tone: s.store && s.store !== "ok" ? "bad" : "good", advice: s.store && s.store !== "ok" ? "Look at the sidecar's log; calls wait in the log on disk until it answers." : "" },
    { name: "Newest stored call", value: day.newest_us ? ago(day.newest_us) : "none in 24 hours", tone: day.newest_us ? "good" : "quiet", advice: day.newest_us ? "" : "Run spanward doctor in the app, to see where its spans go." },
    { name: "Waiting to be stored", value: `${bytes(s.queue_bytes ?? 0)}, the oldest for ${lag.toFixed(lag < 10 ? 1 : 0)} s`, tone: lag > 60 ? "bad" : lag > 10 ? "warn" : "good", advice: lag > 10 ? "The store is slower than the calls come: give it more memory or processors, or a server of its own." : "" },
    { name: "Log on disk", value: s.log_refuses ? "turns applications away" : "takes spans", tone: s.log_refuses ? "bad" : "good", advice: s.log_refuses ? "Free disk space; applications keep their spans and send them later." : "" },
    { name: "Segments set aside", value: count(s.segments_set_aside ?? 0), tone: worst(s.segments_set_aside), advice: s.segments_set_aside ? "The store could not read them: they lie as .bad in the data directory; keep them for a report." : "" },
    { name: "Tries to store that failed", value: count(s.ingest_errors ?? 0), tone: worst(s.ingest_errors, "warn"), advice: s.ingest_errors ? "They are repeated and nothing is lost; the sidecar's log says why." : "" },
    { name: "Spools of dead applications", value: `${count(s.spool_files_adopted ?? 0)} taken over`, tone: "good", advice: "" },
    { name: "Policy", value: s.policy?.problem ? "the file was not taken" : (s.policy?.name ?? "–"), tone: s.policy?.problem ? "bad" : "good", advice: s.policy?.problem ?? "", link: "/policies" },
    { name: "Guard engines", value: degraded.length ? `${degraded.length} with less than their full engine` : "complete", tone: degraded.length ? "warn" : "good", advice: degraded.join(" ") },
    { name: "Model workers", value: workers.length ? `${count(alive)} alive, ${count(restarts)} restarts` : "none are needed", tone: restarts ? "warn" : workers.length ? "good" : "quiet", advice: workers.map((w) => w.trouble).filter(Boolean).join(" ") || (restarts ? "A model ended by itself: it may need more memory." : "") },
    { name: "Answers not judged afterwards", value: count(s.review_failures ?? 0), tone: worst(s.review_failures, "warn"), advice: s.review_failures ? "Rules that only flag did not see them; the sidecar's log says why." : "" },
    { name: "Vault of pseudonyms", value: s.vault?.problem ? "has a problem" : "kept", tone: s.vault?.problem ? "bad" : "good", advice: s.vault?.problem ?? "" },
    { name: "Audit log", value: s.audit?.problem ? "has a problem" : "written", tone: s.audit?.problem ? "bad" : "good", advice: s.audit?.problem ?? "" },
  ];
}

function callStates({ day: d, reports, unpriced }: Health, store: StoreHealth | null): State[] {
  const dropped = reports.filter((r) => r.kind === "dropped");
  const lost = dropped.reduce((sum, r) => sum + r.count, 0);
  const noPrice = unpriced.reduce((sum, u) => sum + u.calls, 0);
  const abandoned = store?.streams["abandoned"] ?? 0;
  return [
    { name: "Calls", value: count(d.calls), tone: d.calls ? "good" : "quiet", advice: "", link: lastDay({}) },
    { name: "Spans lost by applications", value: count(lost), tone: worst(lost), advice: dropped.map((r) => `${r.service || "an app"}: ${count(r.count)} (${r.reason || "no reason told"})`).join(", ") + (lost ? ". Give the spool more room, or start the sidecar first." : "") },
    { name: "Went through as a guard failed", value: count(d.failed_open), tone: worst(d.failed_open), advice: d.failed_open ? "Their rules say on_error: flag. Let them block, or find why the guard failed." : "", link: lastDay({ guard: "failed_open" }) },
    { name: "No guard saw them", value: count(d.unguarded), tone: worst(d.unguarded, "warn"), advice: d.unguarded ? "Guards are off in the app, or its tracer cannot reach this sidecar." : "", link: lastDay({ guard: "unguarded" }) },
    { name: "Judged by a lesser engine", value: count(d.degraded), tone: worst(d.degraded, "warn"), advice: d.degraded ? "See guard engines above." : "" },
    { name: "Streams nobody read to the end", value: count(abandoned), tone: worst(abandoned, "warn"), advice: abandoned ? "The app dropped the stream without closing it: use it in a with block." : "", link: lastDay({ stream_end: "abandoned" }) },
    { name: "Content withheld", value: count(d.withheld), tone: "quiet", advice: d.withheld ? "No guard had judged it, and the policy does not let it be stored so." : "" },
    { name: "Without a price", value: count(noPrice), tone: worst(noPrice, "warn"), advice: noPrice ? `Name the prices of ${unpriced.map((u) => u.model || "unnamed models").slice(0, 3).join(", ")} under Settings.` : "", link: lastDay({ priced: "no" }) },
    { name: "Without token counts", value: count(d.uncounted), tone: worst(d.uncounted, "warn"), advice: d.uncounted ? "The provider did not tell: ask it for usage in streams." : "", link: uncounted() },
  ];
}

function Week({ store: { history: h }, dark }: { store: StoreHealth; dark: boolean }) {
  const zoom = (from: number, to: number) => go(href("/calls", new URLSearchParams({ from: isoSeconds(from), to: isoSeconds(to) })));
  const shared = { t: h.t, step: HOUR_MS, dark, onZoom: zoom, format: count, axis: compact, kind: "bars" as const };
  const week = (filters: Record<string, string>) => href("/calls", new URLSearchParams({ from: "now-7d", ...filters }));
  return (
    <div class="charts health-charts">
      <Chart {...shared} title="Calls stored" note="per hour, 7 days" lines={[{ name: "calls", tone: "one", values: h.calls, href: week({}) }]} />
      <Chart {...shared} title="Without a guard" note="per hour, 7 days" lines={[
        { name: "failed open", tone: "bad", values: h.failed_open, href: week({ guard: "failed_open" }) },
        { name: "not guarded", tone: "warn", values: h.unguarded, href: week({ guard: "unguarded" }) },
      ]} />
      <Chart {...shared} title="Told by applications" note="per hour, 7 days" lines={[
        { name: "spans lost", tone: "bad", values: h.lost }, { name: "other reports", tone: "warn", values: h.noted },
      ]} />
    </div>
  );
}

function Sources({ sources }: { sources: Source[] }) {
  return (
    <section class="panel">
      <header><h2>Who sent calls in the last 24 hours</h2></header>
      {sources.length ? (
        <div class="scroll"><table>
          <thead><tr><th>App</th><th>Provider</th><th class="n">Calls</th><th class="n">Unguarded</th><th class="n">Last in the hour of</th></tr></thead>
          <tbody>{sources.map((s) => (
            <tr key={`${s.service}/${s.provider}`}>
              <td><a data-row href={lastDay({ service: s.service, provider: s.provider })}>{s.service || "(unnamed)"}</a></td>
              <td>{s.provider || "(unnamed)"}</td>
              <td class="n">{count(s.calls)}</td>
              <td class={`n ${s.unguarded ? "warn-text" : "quiet"}`}>{s.unguarded ? <a href={lastDay({ service: s.service, provider: s.provider, guard: "unguarded" })}>{count(s.unguarded)}</a> : "0"}</td>
              <td class="n quiet" title={exact(s.last * 1000)}>{ago(s.last * 1000)}</td>
            </tr>
          ))}</tbody>
        </table></div>
      ) : <p class="nothing">Nobody. Run <code>spanward doctor</code> in the app: it says which libraries are traced, and where spans go.</p>}
    </section>
  );
}

function Tables({ store }: { store: StoreHealth }) {
  const left = daysLeft(store);
  const all = store.tables.reduce((sum, t) => sum + t.bytes, 0);
  const share = store.disk_free && store.disk_total ? store.disk_free / store.disk_total : null;
  return (
    <section class="panel">
      <header><h2>Store</h2></header>
      <p class="health-sum">
        <b>{bytes(all)}</b> in {store.tables.length} tables
        {store.disk_free !== null && <>; <i class={`dot ${share !== null && share < 0.1 ? "bad" : "good"}`} /> {bytes(store.disk_free)} free{store.disk_total ? ` of ${bytes(store.disk_total)}` : ""}</>}
        {left === null ? "; it has room for what is kept." : <>; <span class={left < 14 ? "bad-text" : "warn-text"}>at this rate full in {count(left)} days: keep calls for a shorter time under <a href="/settings">Settings</a>.</span></>}
        {store.changes_waiting > 0 && ` ${count(store.changes_waiting)} changes of stored rows are on their way.`}
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Tables of the store"><table>
        <thead><tr><th>Table</th><th class="n">Rows</th><th class="n">Size</th><th class="n">A day</th><th class="n">Kept</th><th class="n">Oldest</th></tr></thead>
        <tbody>{store.tables.map((t) => (
          <tr key={t.name}>
            <td><code>{t.name}</code></td><td class="n">{compact(t.rows)}</td><td class="n">{bytes(t.bytes)}</td><td class="n">{t.growth === null ? "–" : bytes(t.growth)}</td>
            <td class="n">{t.kept === null ? "for good" : `${count(t.kept)} days`}</td><td class="n quiet">{t.oldest_us ? ago(t.oldest_us) : "–"}</td>
          </tr>
        ))}</tbody>
      </table></div>
      <p class="health-sum quiet">{Object.entries(store.versions).map(([name, version]) => `${name} ${version}`).join(", ")}</p>
    </section>
  );
}
