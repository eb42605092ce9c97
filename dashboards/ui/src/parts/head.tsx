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
  ranged: boolean;
  menu: boolean;
  showMenu: () => void;
  showHelp: () => void;
}

export function Head({ here, theme, health, ranged, menu, showMenu, showHelp }: Props) {
  return (
    <header class="head">
      <a class="skip" href="#main" target="_self">Skip to the page</a>
      <button type="button" class="ghost menu-button" onClick={showMenu} aria-label="Menu" aria-expanded={menu}><Icon name="menu" /></button>
      <a class="brand" href={href("/", here.query)}><img src="/assets/icon.svg" alt="" width="20" height="20" />Spanward</a>
      <button type="button" class="goto" aria-label="Go to a page, or look for a text" onClick={() => dispatchEvent(new Event("spanward-palette"))}><Icon name="search" /><span>Go to, or look for</span><kbd>⌘K</kbd></button>
      <span class="grow" />
      <HealthLight health={health} />
      {ranged && <TimePicker here={here} />}
      <button type="button" class="ghost keys" onClick={showHelp} aria-label="Keyboard help" title="Keyboard (?)"><Icon name="keys" /></button>
      <button type="button" class="ghost" onClick={theme.toggle} aria-label={theme.dark ? "Light theme" : "Dark theme"} title={theme.dark ? "Light theme" : "Dark theme"}>
        <Icon name={theme.dark ? "sun" : "moon"} />
      </button>
    </header>
  );
}
