import "./settings.css";
import { useAnswer } from "../answer";
import { bytes, count, NONE } from "../format";
import { Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { useTitle } from "../title";
import { AlertPanel, ChannelPanel } from "./settings_channels";
import { RetentionPanel } from "./settings_retention";
import type { Configured } from "./settings_records";

export function Settings({ here }: PageProps) {
  useTitle("Settings");
  const { data, error } = useAnswer<Configured>("/api/settings");
  return (
    <div class="settings">
      <div class="page-head"><h1>Settings</h1></div>
      <ChannelPanel here={here} />
      <AlertPanel />
      <RetentionPanel />
      {error && <Problem text={error} />}
      {data && <InForce told={data} />}
    </div>
  );
}

function Where({ file, what }: { file: string; what: string }) {
  return <p class="note quiet">{file ? <>Set in <code>{file}</code> ({what}).</> : <>Not set in a file: {what}.</>} A change holds from the next start of the sidecar.</p>;
}

function InForce({ told }: { told: Configured }) {
  return (
    <>
      <section class="panel" aria-label="Prices"><header><h2>Prices</h2><span class="quiet">version {told.prices.version}</span></header>
        <p class="note">Public prices come with the package <code>genai-prices</code>{told.prices.file ? <>; private ones from <code>{told.prices.file}</code> go first.</> : <>; there are no private ones.</>}</p>
        {told.prices.private.length > 0 && (
          <div class="scroll" tabIndex={0}><table>
            <thead><tr><th>Provider</th><th>Model</th><th class="n">Input</th><th class="n">Output</th><th class="n">Cache read</th><th class="n">Cache write</th></tr></thead>
            <tbody>{told.prices.private.map((p) => <tr key={p.provider + p.model}><td>{p.provider}</td><td>{p.model}</td><td class="n">{dollars(p.input)}</td><td class="n">{dollars(p.output)}</td><td class="n">{dollars(p.cache_read)}</td><td class="n">{dollars(p.cache_write)}</td></tr>)}</tbody>
          </table></div>
        )}
        {told.prices.private.length > 0 && <p class="note quiet">US dollars a million tokens{told.prices.more > 0 && `; ${count(told.prices.more)} more are in the file`}.</p>}
        <p class="note quiet">{told.prices.file ? "To change them, edit the file and start the sidecar again." : <>To add some, start the sidecar with <code>--prices FILE</code>.</>} Calls that are stored keep the price they were stored with.</p>
      </section>
      <section class="panel" aria-label="Policy"><header><h2>Policy</h2></header>
        {told.policy.problem && <Problem text={told.policy.problem} />}
        <p class="note"><a href="/policies">{told.policy.name}</a> <code class="quiet">{told.policy.hash.slice(0, 12)}</code> from <code>{told.policy.source}</code>. A changed file is taken up within a second.</p>
      </section>
      <section class="panel" aria-label="Keys"><header><h2>Keys</h2><span class="quiet">names and roles</span></header>
        {told.keys.length ? <div class="scroll" tabIndex={0}><table><thead><tr><th>Name</th><th>Role</th></tr></thead><tbody>{told.keys.map((k) => <tr key={k.name}><td>{k.name}</td><td>{k.role}</td></tr>)}</tbody></table></div> : <p class="note quiet">No keys of people are set: on this machine everybody may do everything.</p>}
        <Where file={told.keys.length ? told.file : ""} what={told.keys.length ? "keys:" : "name people under keys: in the file given with --config"} />
      </section>
      <section class="panel" aria-label="Sidecar"><header><h2>Sidecar</h2></header>
        <dl class="settings-facts">
          <div><dt>Configured by</dt><dd>{told.file ? <code>{told.file}</code> : "the command line only"}</dd></div>
          <div><dt>Listens at</dt><dd><code>{told.listens}</code></dd></div>
          <div><dt>Store</dt><dd><code>{told.store}</code></dd></div>
          <div><dt>Data directory</dt><dd><code>{told.data.path}</code></dd></div>
          <div><dt>On disk</dt><dd>{told.data.complete ? "" : "at least "}{bytes(told.data.bytes)} {largest(told.data.parts)}</dd></div>
          {Object.entries(told.versions).map(([name, version]) => <div key={name}><dt>{name}</dt><dd>{version}</dd></div>)}
        </dl>
      </section>
    </>
  );
}

function dollars(n: number | null): string {
  return n === null ? NONE : `$${n}`;
}

function largest(parts: Record<string, number>): string {
  const names = Object.entries(parts).sort((a, b) => b[1] - a[1]).slice(0, 3);
  return names.length ? `(${names.map(([name, n]) => `${name} ${bytes(n)}`).join(", ")})` : "";
}
