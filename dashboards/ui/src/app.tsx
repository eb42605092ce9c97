import { useEffect, useState } from "preact/hooks";
import { useAnswer } from "./answer";
import { listen } from "./keyboard";
import { Calls } from "./pages/calls";
import { CallView } from "./pages/call";
import { Overview } from "./pages/overview";
import { Banner } from "./parts/banner";
import { Head } from "./parts/head";
import { Help } from "./parts/help";
import { Nothing } from "./parts/notice";
import { usePlace } from "./place";
import type { Health } from "./records";
import { useTheme } from "./theme";

const HEALTH_MS = 5000;
const FIRST_CALL_MS = 1000;

export function App() {
  const here = usePlace();
  const theme = useTheme();
  const [help, setHelp] = useState(false);
  const [empty, setEmpty] = useState(false);
  const health = useAnswer<Health>("/api/health", empty ? FIRST_CALL_MS : HEALTH_MS);
  useEffect(() => listen(() => setHelp(true)), []);
  const [, trace, span] = /^\/calls\/([0-9a-f]{32})\/([0-9a-f]{16})$/.exec(here.path) ?? [];
  const stored = health.data?.stored.calls;
  useEffect(() => setEmpty(stored === 0), [stored]);
  return (
    <>
      <Head here={here} theme={theme} health={health} showHelp={() => setHelp(true)} />
      <Banner demo={health.data?.stored.demo ?? 0} />
      <main>
        {here.path === "/" ? <Overview here={here} dark={theme.dark} stored={stored} />
          : here.path === "/calls" ? <Calls here={here} stored={stored} />
          : trace && span ? <CallView key={`${trace}/${span}`} here={here} trace={trace} span={span} />
          : <Nothing title="There is no such page"><p><a href="/">Overview</a></p></Nothing>}
      </main>
      <Help open={help} close={() => setHelp(false)} />
    </>
  );
}
