import { change, go, href, type Place } from "../place";
import { chosen, COLUMNS, toggledColumn } from "./call_columns";
import { Menu } from "./menu";

export function ColumnMenu({ here }: { here: Place }) {
  const on = new Set(chosen(here.query).map((one) => one.id));
  return (
    <Menu name="Columns">
      {() => (
        <>
          <fieldset class="calls-columns">
            <legend class="unseen">Columns of the list</legend>
            {COLUMNS.map(({ id, words }) => (
              <label key={id}>
                <input type="checkbox" checked={on.has(id)} disabled={id === "time"} onChange={() => go(href(here.path, toggledColumn(here.query, id)), true)} />
                {words.map(([name]) => name).join(" · ")}
              </label>
            ))}
          </fieldset>
          {here.query.has("columns") && <p><a href={href(here.path, change(here.query, { columns: null }))}>The usual columns</a></p>}
        </>
      )}
    </Menu>
  );
}
