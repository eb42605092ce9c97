// Every page: its address, its place in the menu, the key after `g`, its sign there, whether it shows a span of time, and its code, loaded when opened.
// The sidecar serves the same addresses: ADDRESSES of api/page.py.
import type { ComponentType } from "preact";
import type { IconName } from "./parts/icon";
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
  group: "Watch" | "Find out" | "Protect" | "Run" | "";
  key: string;
  icon: IconName | "";
  ranged: boolean;
  load: () => Promise<ComponentType<PageProps>>;
}

export const PAGES: readonly PageEntry[] = [
  { path: "/", name: "Overview", group: "Watch", key: "o", icon: "home", ranged: true, load: async () => (await import("./pages/overview")).Overview },
  { path: "/calls", name: "Calls", group: "Watch", key: "c", icon: "list", ranged: true, load: async () => (await import("./pages/calls")).Calls },
  { path: "/sessions", name: "Sessions", group: "Watch", key: "s", icon: "talk", ranged: true, load: async () => (await import("./pages/sessions")).Sessions },
  { path: "/users", name: "Users", group: "Watch", key: "u", icon: "person", ranged: true, load: async () => (await import("./pages/users")).Users },
  { path: "/failures", name: "Failures", group: "Find out", key: "f", icon: "warning", ranged: true, load: async () => (await import("./pages/failures")).Failures },
  { path: "/drift", name: "Drift", group: "Find out", key: "d", icon: "wave", ranged: false, load: async () => (await import("./pages/drift")).Drift },
  { path: "/compare", name: "Compare", group: "Find out", key: "m", icon: "scales", ranged: true, load: async () => (await import("./pages/compare")).Compare },
  { path: "/cost", name: "Cost", group: "Find out", key: "$", icon: "coin", ranged: true, load: async () => (await import("./pages/cost")).Cost },
  { path: "/sql", name: "SQL", group: "Find out", key: "q", icon: "prompt", ranged: false, load: async () => (await import("./pages/sql")).Sql },
  { path: "/guards", name: "Guards", group: "Protect", key: "g", icon: "shield", ranged: true, load: async () => (await import("./pages/guards")).Guards },
  { path: "/policies", name: "Policies", group: "Protect", key: "p", icon: "page", ranged: false, load: async () => (await import("./pages/policies")).Policies },
  { path: "/alerts", name: "Alerts", group: "Run", key: "a", icon: "bell", ranged: false, load: async () => (await import("./pages/alerts")).Alerts },
  { path: "/health", name: "Health", group: "Run", key: "h", icon: "pulse", ranged: false, load: async () => (await import("./pages/health")).HealthPage },
  { path: "/settings", name: "Settings", group: "Run", key: ",", icon: "dials", ranged: false, load: async () => (await import("./pages/settings")).Settings },
  { path: "/calls/{trace}/{span}", name: "Call", group: "", key: "", icon: "", ranged: false, load: async () => (await import("./pages/call")).CallView },
  { path: "/sessions/{session}", name: "Session", group: "", key: "", icon: "", ranged: false, load: async () => (await import("./pages/sessions")).Session },
  { path: "/users/{user}", name: "User", group: "", key: "", icon: "", ranged: true, load: async () => (await import("./pages/users")).User },
  { path: "/failures/{group}", name: "Failure", group: "", key: "", icon: "", ranged: true, load: async () => (await import("./pages/failures")).FailureGroup },
  { path: "/drift/{alarm}", name: "Drift alarm", group: "", key: "", icon: "", ranged: false, load: async () => (await import("./pages/drift")).DriftAlarm },
  { path: "/guards/review", name: "Review", group: "", key: "", icon: "", ranged: true, load: async () => (await import("./pages/review")).Review },
  { path: "/policies/{name}", name: "Policy", group: "", key: "", icon: "", ranged: false, load: async () => (await import("./pages/policies")).Policy },
  { path: "/alerts/{rule}", name: "Alert", group: "", key: "", icon: "", ranged: false, load: async () => (await import("./pages/alerts")).Alert },
];

export const GROUPS = ["Watch", "Find out", "Protect", "Run"] as const;

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
