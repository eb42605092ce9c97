// To the pages after the first of a list; where one is stands in the address.
import { change, href, type Place } from "../place";

export function Paging({ here, next, what }: { here: Place; next: string | null; what: string }) {
  const cursor = here.query.get("cursor");
  if (!cursor && !next) return null;
  const after = change(here.query, {});
  if (next) after.set("cursor", next);
  return (
    <nav class="paging" aria-label={`Further ${what}`}>
      {cursor && <a class="button" href={href(here.path, change(here.query, {}))}>First page</a>}
      {next && <a class="button" href={href(here.path, after)} rel="next">Next page</a>}
    </nav>
  );
}
