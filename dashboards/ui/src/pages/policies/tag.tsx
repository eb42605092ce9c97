import type { ComponentChildren } from "preact";

export function Tag({ tone = "", children }: { tone?: string; children: ComponentChildren }) {
  return <span class={`chip ${tone}`}>{children}</span>;
}
