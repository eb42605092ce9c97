// The text that is worked on: it outlasts the tabs and a reload of the page, until it is saved or thrown away.
import { useState } from "preact/hooks";
import type { Place } from "../../place";
import { Refusal, send } from "../../send";
import type { Draft, OwnFile, Version } from "./records";

const NOT_KEPT = "The text of that version is not kept here.";

export interface Work {
  draft: Draft | null;
  // what the draft was begun on is not what the file says now
  stale: boolean;
  note: string;
  set: (text: string) => void;
  choose: (file: string) => void;
  // back to what the file says
  drop: () => void;
  restore: (here: Place) => void;
}

interface Kept {
  text: string;
  base: string;
}

export function useDraft(name: string, files: readonly OwnFile[], here: Place): Work {
  const [chosen, choose] = useState(here.query.get("file") ?? "");
  const [, again] = useState(0);
  const [note, say] = useState("");
  const file = files.find((each) => each.name === chosen) ?? files[0];
  const key = `spanward.draft.${name}.${file?.name ?? ""}`;
  const kept = read(key);
  // browsers know one kind of line end; the sidecar puts the file's own back
  const now = plain(file?.text ?? "");
  const text = kept ? kept.text : now;
  const redo = () => again((n) => n + 1);
  return {
    draft: file ? { file, text, changed: text !== now } : null,
    stale: Boolean(file && kept && kept.base !== file.digest && text !== now),
    note,
    set: (next) => {
      if (next === now) forget(key);
      else keep(key, { text: next, base: kept && kept.text !== now ? kept.base : (file?.digest ?? "") });
      redo();
    },
    choose,
    drop: () => {
      forget(key);
      say("");
      redo();
    },
    restore: ({ query }) => {
      const hash = query.get("version");
      if (!hash || !file) return;
      send<Version>("GET", `/api/policies/versions/${encodeURIComponent(hash)}`).then((version) => {
        const same = Object.entries(version.files).find(([path]) => path.endsWith(`/${file.name}`)) ?? Object.entries(version.files)[0];
        if (!same) return say(NOT_KEPT);
        keep(key, { text: plain(same[1]), base: file.digest });
        say(`This is the text of version ${hash}. Nothing is changed until you save it.`);
        redo();
      }, (why: Error) => say(why instanceof Refusal ? NOT_KEPT : why.message));
    },
  };
}

function plain(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

const inMemory = new Map<string, string>();

function read(key: string): Kept | null {
  const text = inMemory.get(key) ?? stored(key);
  return text ? (JSON.parse(text) as Kept) : null;
}

function stored(key: string): string | null {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

function keep(key: string, kept: Kept): void {
  const text = JSON.stringify(kept);
  inMemory.set(key, text);
  try {
    sessionStorage.setItem(key, text);
  } catch {
    // no room: it lasts as long as the page
  }
}

function forget(key: string): void {
  inMemory.delete(key);
  try {
    sessionStorage.removeItem(key);
  } catch {
    // nothing was kept there
  }
}
