// What stands where data would be: an error that says what to do, or a first step.
import type { ComponentChildren } from "preact";
import { Copy } from "./copy";
import { cleared, filtersOf } from "../filters";
import { offerFor } from "../offers";
import { href, place, type Place } from "../place";
import { withRange } from "../range";
import { Icon } from "./icon";

export function Problem({ text }: { text: string }) {
  const offer = offerFor(text);
  const { path, query } = place();
  return (
    <p class="problem" role="alert">
      <Icon name="warning" /> <span>{text}{offer && <> <a href={href(path, withRange(query, offer.from, offer.to))}>Show the shorter time</a></>}</span>
    </p>
  );
}

export function Nothing({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><h2>{title}</h2>{children}</div>;
}

// Of a page of calls: what is shown is too narrow.
export function NoCalls({ here, title = "No call in this range", children }: { here: Place; title?: string; children?: ComponentChildren }) {
  const narrowed = filtersOf(here.query).length > 0 || here.query.has("q");
  return (
    <Nothing title={title}>
      {children}
      <p>{narrowed && <><a href={href(here.path, cleared(here.query))}>Clear the filters</a>, or </>}<a href={href(here.path, withRange(here.query, "now-30d", "now"))}>look at the last 30 days</a>.</p>
    </Nothing>
  );
}

function Code({ text }: { text: string }) {
  return <pre class="code"><code>{text}</code><Copy text={text} what="code" /></pre>;
}

export function FirstSteps() {
  return (
    <div class="empty steps">
      <h2>No model call has arrived yet</h2>
      <p>The sidecar is up and this page looks for new calls every second.</p>
      <ol>
        <li>In the environment of your app: <Code text="pip install spanward" /></li>
        <li>At the start of its code, the only change it needs: <Code text={"import spanward\nspanward.instrument()"} /></li>
        <li>Or without touching the code: <Code text="spanward run python app.py" /></li>
      </ol>
      <p>The app finds this sidecar at <code>{location.origin}</code>{location.port === "4318" ? "" : <> once you set <code>SPANWARD_ENDPOINT={location.origin}</code></>}. To look around first, run <code>spanward demo</code>. If calls stay away, <code>spanward doctor</code> says why.</p>
    </div>
  );
}
