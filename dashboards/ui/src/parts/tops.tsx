// The two tables below the charts: which models, and which failures.
import { ago, compact, costOf, count, exact, ms, NONE, percent, usd } from "../format";
import { change, href, type Place } from "../place";
import type { Failure, Overview } from "../records";
import { Status } from "./chip";

export function ModelTable({ here, models }: { here: Place; models: Overview["models"] }) {
  const top = Math.max(...models.map((m) => m.calls), 1);
  return (
    <section class="panel">
      <header><h2>Models</h2></header>
      {models.length ? (
        <div class="scroll"><table>
          <thead><tr><th>Model</th><th class="n">Calls</th><th class="n">Failed</th><th class="n optional">p95</th><th class="n optional">Tokens</th><th class="n">Cost</th></tr></thead>
          <tbody>
            {models.map((m) => (
              <tr key={`${m.provider}/${m.model}`}>
                <td class="bar">
                  <i style={{ width: `${(100 * m.calls) / top}%` }} aria-hidden="true" />
                  <a href={href("/calls", change(here.query, { model: m.model, provider: m.provider }))}>{m.model || "(unnamed)"}</a> <span class="quiet">{m.provider}</span>
                </td>
                <td class="n">{count(m.calls)}</td>
                <td class={`n ${m.errors ? "bad-text" : "quiet"}`}>{percent(m.errors / m.calls)}</td>
                <td class="n optional">{ms(m.latency[1])}</td>
                <td class="n optional">{m.input_tokens + m.output_tokens ? compact(m.input_tokens + m.output_tokens) : NONE}</td>
                <td class="n">{m.unpriced ? <a href={href("/calls", change(here.query, { model: m.model, provider: m.provider, priced: "no" }))} title={`${count(m.unpriced)} calls have no price`}>{usd(m.cost)}{m.cost !== null && " +?"}</a> : m.cost ? usd(m.cost) : costOf({ ...m, cost: m.input_tokens + m.output_tokens ? m.cost : null })}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : <p class="nothing">no calls in this range</p>}
    </section>
  );
}

export function FailureTable({ here, failures }: { here: Place; failures: Failure[] }) {
  return (
    <section class="panel">
      <header><h2>Failures and blocks</h2><span class="grow" /><a href={href("/failures", change(here.query, {}))}>By kind and cause</a></header>
      {failures.length ? (
        <div class="scroll"><table>
          <thead><tr><th>What</th><th>Latest</th><th class="n">Calls</th><th class="n optional">When</th></tr></thead>
          <tbody>
            {failures.map((f) => (
              <tr key={f.status + f.error_type}>
                <td><a href={href("/calls", change(here.query, { status: f.status, ...(f.error_type ? { error_type: f.error_type } : {}) }))}><Status status={f.status} error={f.error_type} /></a></td>
                <td class="message"><a class="plain" href={href(`/calls/${f.trace_id}/${f.span_id}`, here.query)} title={f.message}>{f.rules.length ? `by rule ${f.rules.join(", ")}` : f.message || f.last_model}</a></td>
                <td class="n">{count(f.calls)}</td>
                <td class="n quiet optional" title={exact(f.last_us)}>{ago(f.last_us)}</td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : <p class="nothing">no failures in this range</p>}
    </section>
  );
}
