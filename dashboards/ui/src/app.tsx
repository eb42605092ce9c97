import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "./answer";
import { listen } from "./keyboard";
import { pageOf, type PageEntry, type PageProps } from "./pages";
import { Banner } from "./parts/banner";
import { Head } from "./parts/head";
import { Help } from "./parts/help";
import { Nothing, Problem } from "./parts/notice";
import { Palette } from "./parts/palette";
import { Side } from "./parts/side";
import { usePlace } from "./place";
import type { Health } from "./records";
import { useTheme } from "./theme";

const HEALTH_MS = 5000;
const FIRST_CALL_MS = 1000;

export function App() {
  const here = usePlace();
  const theme = useTheme();
  const [help, setHelp] = useState(false);
  const [menu, setMenu] = useState(false);
  const [empty, setEmpty] = useState(false);
  const health = useAnswer<Health>("/api/health", empty ? FIRST_CALL_MS : HEALTH_MS);
  useEffect(() => listen(() => setHelp(true)), []);
  const stored = health.data?.stored.calls;
  useEffect(() => setEmpty(stored === 0), [stored]);
  const found = pageOf(here.path);
  return (
    <>
      <Head here={here} theme={theme} health={health} ranged={found?.page.ranged ?? false} menu={menu} showMenu={() => setMenu(!menu)} showHelp={() => setHelp(true)} />
      <Banner demo={health.data?.stored.demo ?? 0} />
      <div class="body">
        <Side here={here} open={menu} close={() => setMenu(false)} />
        <main id="main">
          {found ? <Loaded key={here.path} page={found.page} here={here} dark={theme.dark} stored={stored} ids={found.ids} />
            : <Nothing title="There is no such page"><p><a href="/">Overview</a></p></Nothing>}
        </main>
      </div>
      <Help open={help} close={() => setHelp(false)} />
      <Palette here={here} />
    </>
  );
}

const loaded = new Map<PageEntry, ComponentType<PageProps>>();

// A page whose code was loaded before is there at once.
function Loaded({ page, ...props }: PageProps & { page: PageEntry }) {
  const [, again] = useState(0);
  const [error, setError] = useState("");
  useEffect(() => {
    if (loaded.has(page)) return;
    page.load().then((component) => {
      loaded.set(page, component);
      again((n) => n + 1);
    }, () => setError("This page could not be loaded. Was the sidecar replaced? Reload the page."));
  }, [page]);
  const Component = loaded.get(page);
  if (error) return <Problem text={error} />;
  return Component ? <Component {...props} /> : null;
}
