import { count } from "../format";
import type { Place } from "../place";
import { asked } from "../range";
import { chosen } from "./call_columns";
import { Menu } from "./menu";

const MOST = 100_000;
const FORMS = [["csv", "CSV"], ["parquet", "Parquet"]] as const;

export function ExportMenu({ here, total }: { here: Place; total: number }) {
  const query = asked(here.query, ["sort"]);
  const files = [...new Set(["trace_id", "span_id", ...chosen(here.query).flatMap((one) => one.file)])];
  const to = (format: string, columns: string) => `/api/calls/export?${query}&format=${format}${columns && `&columns=${columns}`}`;
  return (
    <Menu name="Export">
      {(close) => (
        <>
          <p class="quiet">{total > MOST ? `The first ${count(MOST)} of ${count(total)} calls, in the order shown: narrow the range to take the rest.` : `${total === 1 ? "1 call" : `${count(total)} calls`}, in the order shown.`}</p>
          <ul>
            {FORMS.map(([format, name]) => (
              <>
                <li key={format}><a href={to(format, "")} download onClick={close}>{name}, everything known</a></li>
                <li key={`${format} shown`}><a href={to(format, files.join())} download onClick={close}>{name}, what the columns show</a></li>
              </>
            ))}
          </ul>
        </>
      )}
    </Menu>
  );
}
