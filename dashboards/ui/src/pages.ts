// Every page: its address, its place in the menu, the key after `g`, whether it shows a span of time, and its code, loaded when opened.
// The sidecar serves the same addresses: ADDRESSES of api/page.py.
import type { ComponentType } from "preact";
import type { Place } from "./place";

export interface PageProps {
  here: Place;
  dark: boolean;
  // calls stored ever; undefined until it is known
  stored: number | undefined;
  // what stands in the address for {name}, decoded
  ids: Record<string, string>;
}

export interface PageEntry {
  path: string;
  name: string;
  // empty: not in the menu
  group: "Watch" | "";
  key: string;
  ranged: boolean;
  load: () => Promise<ComponentType<PageProps>>;
}

export const PAGES: readonly PageEntry[] = [
  { path: "/", name: "Overview", group: "Watch", key: "o", ranged: true, load: async () => (await import("./pages/overview")).Overview },
  { path: "/calls", name: "Calls", group: "Watch", key: "c", ranged: true, load: async () => (await import("./pages/calls")).Calls },
  { path: "/calls/{trace}/{span}", name: "Call", group: "", key: "", ranged: false, load: async () => (await import("./pages/call")).CallView },
];

export const GROUPS = ["Watch"] as const;

export interface Found {
  page: PageEntry;
  ids: Record<string, string>;
}

// The first entry whose every part is the same or a {name}; fixed parts win over names.
export function pageOf(path: string): Found | null {
  const parts = path.split("/");
  let best: Found | null = null;
  for (const page of PAGES) {
    const ids = idsOf(page.path.split("/"), parts);
    if (ids && (!best || Object.keys(ids).length < Object.keys(best.ids).length)) best = { page, ids };
  }
  return best;
}

function idsOf(pattern: string[], parts: string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const ids: Record<string, string> = {};
  for (const [i, want] of pattern.entries()) {
    const part = parts[i]!;
    if (want.startsWith("{") && part) ids[want.slice(1, -1)] = decode(part);
    else if (want !== part) return null;
  }
  return ids;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
