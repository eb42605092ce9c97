// Views that people keep: open one, save what is shown, remove one. The same for every kind of the API.
import { useEffect, useState } from "preact/hooks";
import { ago } from "../format";
import { idOf } from "../ids";
import { change, href, type Place } from "../place";
import type { Kept } from "../records";
import { send } from "../send";
import { Icon } from "./icon";
import { Menu } from "./menu";

// As the server takes it: no spaces and no backslashes.
const addressOf = (here: Place) => href(here.path, change(here.query, {})).replaceAll("\\", "%5C").replaceAll(" ", "+");

export function SavedMenu({ here }: { here: Place }) {
  const [all, set] = useState<Kept[] | null>(null);
  const [error, setError] = useState("");
  const load = () => send<{ saved: Kept[] }>("GET", "/api/saved/view").then(({ saved }) => set(saved), (why: Error) => setError(why.message));
  useEffect(() => void load(), []);
  const address = addressOf(here);
  const current = all?.find((one) => one.address === address);
  const act = (doing: Promise<unknown>) => doing.then(() => setError(""), (why: Error) => setError(why.message)).then(load);
  return (
    <Menu name="Saved views" label={current ? `View: ${current.name}` : "Saved views"} closeOn={address}>
      {() => (
        <>
          {all?.length === 0 && <p class="quiet">None yet. Set filters, order and columns, then give them a name here.</p>}
          <ul class="calls-saved">
            {all?.map((one) => (
              <li key={one.id}>
                <a href={one.address} aria-current={one === current} title={`saved ${ago(one.changed * 1000)}${one.actor && ` by ${one.actor}`}`}>{one.name}</a>
                <button type="button" class="ghost" aria-label={`Remove the view ${one.name}`} title="Remove" onClick={() => void act(send("DELETE", `/api/saved/view/${encodeURIComponent(one.id)}?version=${one.version}`))}><Icon name="close" /></button>
              </li>
            ))}
          </ul>
          <Save all={all ?? []} save={(name, version) => act(send("PUT", `/api/saved/view/${encodeURIComponent(idOf(name, "view"))}`, { name, address, version }))} />
          {error && <p class="bad-text" role="alert">{error}</p>}
        </>
      )}
    </Menu>
  );
}

function Save({ all, save }: { all: Kept[]; save: (name: string, version: number) => Promise<unknown> }) {
  const [name, set] = useState("");
  const there = all.find((one) => one.id === idOf(name, "view") && name.trim());
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim()) void save(name.trim(), there?.version ?? 0).then(() => set(""));
  };
  return (
    <form onSubmit={submit}>
      <label>Name <input value={name} maxLength={80} onInput={(event) => set(event.currentTarget.value)} /></label>
      <button type="submit" class="button small" disabled={!name.trim()}>{there ? `Replace “${there.name}”` : "Save what is shown"}</button>
    </form>
  );
}
