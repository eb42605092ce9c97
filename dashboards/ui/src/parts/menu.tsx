// A button with a sheet below it: closed by Escape, by a click elsewhere, and when the address changes.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon";

interface Props {
  name: string;
  label?: string;
  children: (close: () => void) => ComponentChildren;
  // a change of it closes the sheet
  closeOn?: string;
}

export function Menu({ name, label, children, closeOn = "" }: Props) {
  const [open, set] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => set(false), [closeOn]);
  useEffect(() => {
    if (!open) return;
    box.current?.querySelector<HTMLElement>(".menu a, .menu input, .menu button")?.focus();
    const key = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      set(false);
      box.current?.querySelector<HTMLElement>("button")?.focus();
    };
    const outside = (event: MouseEvent) => {
      if (!box.current?.contains(event.target as Node)) set(false);
    };
    addEventListener("keydown", key);
    addEventListener("mousedown", outside);
    return () => {
      removeEventListener("keydown", key);
      removeEventListener("mousedown", outside);
    };
  }, [open]);
  return (
    <div class="picker sheet" ref={box}>
      <button type="button" class="button" aria-haspopup="dialog" aria-expanded={open} onClick={() => set(!open)}>
        {label ?? name} <Icon name="down" />
      </button>
      {open && <div class="menu" role="dialog" aria-label={name}>{children(() => set(false))}</div>}
    </div>
  );
}
