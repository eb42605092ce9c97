import type { Answer } from "../answer";
import { href, type Place } from "../place";
import type { Health } from "../records";
import { HealthLight } from "./health_light";
import { Icon } from "./icon";
import { TimePicker } from "./time_picker";

interface Props {
  here: Place;
  theme: { dark: boolean; toggle: () => void };
  health: Answer<Health>;
  showHelp: () => void;
}

export function Head({ here, theme, health, showHelp }: Props) {
  const calls = here.path.startsWith("/calls");
  return (
    <header class="head">
      <a class="brand" href={href("/", here.query)}><img src="/assets/icon.svg" alt="" width="20" height="20" />Spanward</a>
      <nav aria-label="Pages">
        <a href={href("/", here.query)} aria-current={here.path === "/" ? "page" : undefined}>Overview</a>
        <a href={href("/calls", here.query)} aria-current={calls ? "page" : undefined}>Calls</a>
      </nav>
      <span class="grow" />
      <HealthLight health={health} />
      {(here.path === "/" || here.path === "/calls") && <TimePicker here={here} />}
      <button type="button" class="ghost keys" onClick={showHelp} aria-label="Keyboard help" title="Keyboard (?)"><Icon name="keys" /></button>
      <button type="button" class="ghost" onClick={theme.toggle} aria-label={theme.dark ? "Light theme" : "Dark theme"} title={theme.dark ? "Light theme" : "Dark theme"}>
        <Icon name={theme.dark ? "sun" : "moon"} />
      </button>
    </header>
  );
}
