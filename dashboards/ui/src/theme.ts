import { useEffect, useState } from "preact/hooks";

const KEY = "spanward.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

function isDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen ? chosen === "dark" : system.matches;
}

// `dark` says what is seen now, whoever chose it; charts redraw when it changes.
export function useTheme(): { dark: boolean; toggle: () => void } {
  const [dark, set] = useState(isDark);
  useEffect(() => {
    const look = () => set(isDark());
    system.addEventListener("change", look);
    addEventListener("spanward-theme", look);
    return () => {
      system.removeEventListener("change", look);
      removeEventListener("spanward-theme", look);
    };
  }, []);
  const toggle = () => {
    const next = isDark() ? "light" : "dark";
    document.documentElement.dataset["theme"] = next;
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // storage refused: the choice lasts as long as the page
    }
    dispatchEvent(new Event("spanward-theme"));
  };
  return { dark, toggle };
}
