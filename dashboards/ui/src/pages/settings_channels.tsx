// Where alerts are told: a list, and a form for one channel. A URL is a secret; once saved it is shown masked.
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { Problem } from "../parts/notice";
import { change, go, href, type Place } from "../place";
import { send } from "../send";
import type { Sent } from "./alert_records";
import type { AlertSettings, Channel, Channels, ChannelTold } from "./settings_records";

const KINDS: Record<Channel["kind"], string> = { webhook: "Webhook", slack: "Slack, or what takes the same", email: "E-mail" };
const VARIABLE = "SPANWARD_ALERT_[A-Z0-9_]+";
const BLANK: Channel = { kind: "webhook", name: "", url: "", secret_env: "", host: "", port: 587, encryption: "starttls", sender: "", to: [], username: "", password_env: "", ca_file: "" };
const FIELDS: Record<Channel["kind"], readonly (keyof Channel)[]> = {
  webhook: ["kind", "name", "url", "secret_env"], slack: ["kind", "name", "url"],
  email: ["kind", "name", "host", "port", "encryption", "sender", "to", "username", "password_env", "ca_file"],
};

export function ChannelPanel({ here }: { here: Place }) {
  const [turn, setTurn] = useState(0);
  const { data, error } = useAnswer<Channels>("/api/alert-channels", 0, turn);
  const again = () => setTurn((n) => n + 1);
  const open = here.query.get("channel");
  const to = (channel: string | null) => href(here.path, change(here.query, { channel }));
  const edited = data?.channels.find((one) => one.id === open);
  return (
    <section class="panel" aria-label="Channels">
      <header><h2>Channels</h2><span class="quiet">where alerts are told</span><span class="grow" />{open === null && <a class="button small" href={to("new")}>Add a channel</a>}</header>
      {error && <p class="note warn-text">{error}</p>}
      {data && !data.channels.length && open === null && <p class="note quiet">Nobody is told yet. Add a webhook, a Slack channel or e-mail.</p>}
      {data && data.channels.length > 0 && (
        <div class="scroll"><table>
          <thead><tr><th>Name</th><th>Kind</th><th>To</th><th>Rules</th><th /></tr></thead>
          <tbody>{data.channels.map((one) => <Row key={one.id + one.version} told={one} edit={to(one.id)} again={again} />)}</tbody>
        </table></div>
      )}
      {open === "new" && <ChannelForm start={BLANK} id="" version={0} done={() => { again(); go(to(null)); }} back={to(null)} />}
      {edited && <ChannelForm key={edited.id} start={{ ...BLANK, ...edited.channel, ...(edited.channel.url ? { url: "" } : {}) }} masked={edited.channel.url ?? ""} id={edited.id} version={edited.version} done={() => { again(); go(to(null)); }} back={to(null)} />}
    </section>
  );
}

function Row({ told, edit, again }: { told: ChannelTold; edit: string; again: () => void }) {
  const { channel: c } = told;
  const [sent, setSent] = useState<Sent | null>(null);
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const test = () => {
    setBusy(true);
    send<{ sent: Sent[] }>("POST", `/api/alert-channels/${told.id}/test`).then((answer) => setSent(answer.sent[0] ?? null), (why: Error) => setError(why.message)).finally(() => setBusy(false));
  };
  const remove = () => void send("DELETE", `/api/alert-channels/${told.id}`).then(again, (why: Error) => setError(why.message));
  return (
    <tr>
      <td><a href={edit}>{c.name}</a></td>
      <td>{c.kind}</td>
      <td class="settings-to">{c.kind === "email" ? `${(c.to ?? []).join(", ")} by ${c.host}:${c.port}` : <code>{c.url}</code>}</td>
      <td>{told.used.join(", ") || <span class="quiet">none</span>}</td>
      <td class="settings-acts">
        <button type="button" class="button small" disabled={busy} onClick={test}>Test</button>
        <button type="button" class="button small" disabled={told.used.length > 0} title={told.used.length ? "Take it out of its rules first" : ""} onClick={remove}>Remove</button>
        {sent && <span role="status" class={sent.delivered ? "quiet" : "bad-text"}>{sent.delivered ? "it was taken" : sent.why}</span>}
        {error && <span role="alert" class="bad-text">{error}</span>}
      </td>
    </tr>
  );
}

interface FormProps { start: Channel; masked?: string; id: string; version: number; done: () => void; back: string }

function ChannelForm({ start, masked, id, version, done, back }: FormProps) {
  const [channel, setChannel] = useState(start);
  const [to, setTo] = useState((start.to ?? []).join(", "));
  const [error, setError] = useState("");
  const set = (changes: Partial<Channel>) => setChannel((old) => ({ ...old, ...changes }));
  const text = (name: "name" | "url" | "secret_env" | "host" | "sender" | "username" | "password_env" | "ca_file", label: string, how: Record<string, unknown> = {}, note = "") => (
    <label>{label}<input value={channel[name] ?? ""} onInput={(e) => set({ [name]: e.currentTarget.value })} autocomplete="off" {...how} />{note && <small class="quiet">{note}</small>}</label>
  );
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const whole = { ...channel, to: to.split(",").map((one) => one.trim()).filter(Boolean) };
    const body = Object.fromEntries(FIELDS[channel.kind].map((name) => [name, whole[name]]));
    send(id ? "PUT" : "POST", `/api/alert-channels${id && `/${id}`}`, { channel: body, version }).then(done, (why: Error) => setError(why.message));
  };
  return (
    <form class="settings-form" onSubmit={save} aria-label={id ? `Channel ${start.name}` : "New channel"}>
      <label>Kind<select value={channel.kind} disabled={id !== ""} onChange={(e) => set({ kind: e.currentTarget.value as Channel["kind"] })}>{Object.entries(KINDS).map(([kind, word]) => <option key={kind} value={kind}>{word}</option>)}</select></label>
      {text("name", "Name", { required: true, maxLength: 80 })}
      {channel.kind !== "email" && text("url", "Address", { type: "url", required: !id, placeholder: masked || "https://" }, masked ? "Leave it empty to keep the one that is saved." : "Kept as a secret: it is not shown again.")}
      {channel.kind === "webhook" && text("secret_env", "Variable with the signing key", { placeholder: "SPANWARD_ALERT_HOOK_KEY", pattern: VARIABLE }, "The name of an environment variable of the sidecar, SPANWARD_ALERT_…; empty: not signed.")}
      {channel.kind === "email" && (
        <>
          {text("host", "Mail server", { required: true })}
          <label>Port<input type="number" required min="1" max="65535" value={channel.port} onInput={(e) => set({ port: e.currentTarget.valueAsNumber })} /></label>
          <label>Encryption<select value={channel.encryption} onChange={(e) => set({ encryption: e.currentTarget.value as "starttls" })}><option value="starttls">STARTTLS</option><option value="tls">TLS</option><option value="none">none</option></select></label>
          {text("sender", "From", { required: true, type: "email" })}
          <label>To<input required value={to} onInput={(e) => setTo(e.currentTarget.value)} /><small class="quiet">Several with commas.</small></label>
          {text("username", "User")}
          {text("password_env", "Variable with the password", { placeholder: "SPANWARD_ALERT_PASSWORD", pattern: VARIABLE }, "The name of an environment variable of the sidecar, SPANWARD_ALERT_…; the password itself is never stored.")}
          {channel.encryption !== "none" && text("ca_file", "File with a certificate authority", { placeholder: "/etc/ssl/company.pem" }, "Of the sidecar's machine, PEM; trusted beside the system's own. Empty: only those.")}
        </>
      )}
      {error && <Problem text={error} />}
      <div class="settings-buttons"><button type="submit" class="button primary">Save</button><a class="button" href={back}>Cancel</a></div>
    </form>
  );
}

export function AlertPanel() {
  const { data, error } = useAnswer<AlertSettings>("/api/alert-settings");
  return (
    <section class="panel" aria-label="Alert rules">
      <header><h2>Alert rules</h2></header>
      {error && <p class="note warn-text">{error}</p>}
      {data && <AlertForm start={data} />}
    </section>
  );
}

function AlertForm({ start }: { start: AlertSettings }) {
  const [address, setAddress] = useState(start.address);
  const [every, setEvery] = useState(start.every_s);
  const [told, setTold] = useState("");
  const [error, setError] = useState("");
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    send("PUT", "/api/alert-settings", { address, every_s: every }).then(() => (setTold("saved"), setError("")), (why: Error) => setError(why.message));
  };
  return (
    <form class="settings-form" onSubmit={save}>
      <label>Address of this page in notifications<input type="url" value={address} placeholder={location.origin} onInput={(e) => setAddress(e.currentTarget.value)} /><small class="quiet">Where the people who are told can reach it.</small></label>
      <label>Look every<span><input type="number" required min="5" max="3600" value={every} onInput={(e) => setEvery(e.currentTarget.valueAsNumber)} /> s</span></label>
      {error && <Problem text={error} />}
      <div class="settings-buttons"><button type="submit" class="button">Save</button> <span role="status" class="quiet">{told}</span></div>
    </form>
  );
}
