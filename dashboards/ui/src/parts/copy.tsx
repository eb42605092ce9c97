import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon";

export function Copy({ text, what, label }: { text: string | (() => string); what: string; label?: string }) {
  const [done, set] = useState(false);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => set(false), 1500);
    return () => clearTimeout(timer);
  }, [done]);
  const copy = () => void navigator.clipboard.writeText(typeof text === "string" ? text : text()).then(() => set(true), () => set(false));
  return (
    <button type="button" class={label ? "button small" : "ghost"} onClick={copy} aria-label={`Copy ${what}`} title={`Copy ${what}`}>
      <Icon name={done ? "check" : "copy"} />
      {label && (done ? "Copied" : label)}
    </button>
  );
}
