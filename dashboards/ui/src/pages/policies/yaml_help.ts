// Where in a policy the caret stands, and which words fit there.
import type { Completion } from "../editor";
import type { Word } from "./records";

interface Spot {
  at: string[];
  // the key whose value is being written; null where a key is
  key: string | null;
  word: string;
}

function spotOf(text: string, caret: number): Spot {
  const before = text.slice(0, caret);
  const lines = before.split("\n");
  const current = lines.pop() ?? "";
  const lead = /^( *)((?:- +|-$)*)/.exec(current)!;
  const at: string[] = [];
  let level = lead[0].length;
  let dashed = false;
  if (lead[2]) {
    at.unshift("-");
    level = lead[1]!.length;
    dashed = true;
  }
  for (let n = lines.length - 1; n >= 0 && (level > 0 || dashed); n--) {
    const line = lines[n]!;
    if (/^\s*(#|$)/.test(line)) continue;
    const [all, indent, dash] = /^( *)((?:- +)*)/.exec(line)!;
    const content = all.length;
    const key = /^(?:"([^"]*)"|'([^']*)'|([^\s:#{[]+)):/.exec(line.slice(content));
    if (content < level || (dashed && !dash && content === level)) {
      if (key) at.unshift(key[1] ?? key[2] ?? key[3]!);
      level = content;
      dashed = false;
    }
    if (dash && indent!.length < level && !(dashed && indent!.length >= level)) {
      at.unshift("-");
      level = indent!.length;
      dashed = true;
    }
  }
  return inLine(at, current.slice(lead[0].length));
}

// Braces and brackets that are open in the line.
function inLine(at: string[], text: string): Spot {
  const stack: { key: string | null; list: boolean }[] = [];
  let key: string | null = null;
  let word = "";
  for (const c of text) {
    if (c === ":") {
      key = word.trim().replace(/^["']|["']$/g, "");
      word = "";
    } else if (c === "{" || c === "[") {
      stack.push({ key, list: c === "[" });
      key = null;
      word = "";
    } else if (c === "}" || c === "]") {
      stack.pop();
      key = null;
      word = "";
    } else if (c === ",") {
      if (!stack.at(-1)?.list) key = null;
      word = "";
    } else word += c;
  }
  const top = stack.at(-1);
  const keys = stack.filter((each) => !each.list || each !== top).map((each) => each.key ?? "*");
  return { at: [...at, ...keys], key: top?.list ? top.key : key, word: word.trimStart() };
}

function matches(pattern: string, at: readonly string[]): boolean {
  const parts = pattern ? pattern.split("/") : [];
  return parts.length === at.length && parts.every((part, i) => part === "*" || part === at[i]);
}

export function fits(words: readonly Word[], spot: Spot): { word: string; text: string }[] {
  const here = words.filter((word) => matches(word.at, spot.at));
  const found = new Map<string, string>();
  if (spot.key === null) for (const { word, text } of here) found.set(word, found.get(word) || text);
  else for (const { word, values } of here) {
    if (word === spot.key) for (const value of values) found.set(value, words.find((each) => each.word === value)?.text ?? "");
  }
  return [...found].map(([word, text]) => ({ word, text }));
}

export function completer(words: readonly Word[]): (text: string, caret: number) => Completion | null {
  return (text, caret) => {
    const spot = spotOf(text, caret);
    const typed = spot.word.toLowerCase();
    const options = fits(words, spot).filter(({ word }) => word.toLowerCase().includes(typed) && word !== spot.word)
      .sort((a, b) => Number(b.word.toLowerCase().startsWith(typed)) - Number(a.word.toLowerCase().startsWith(typed)));
    return { from: caret - spot.word.length, options: options.map((option) => (spot.key === null ? { ...option, word: `${option.word}: ` } : option)) };
  };
}

export function helpAt(words: readonly Word[], text: string, caret: number): { key: string; text: string; values: string[] } | null {
  const spot = spotOf(text, caret);
  const name = spot.key ?? spot.word;
  const found = words.find((word) => matches(word.at, spot.at) && word.word === name);
  return found ? { key: name, text: found.text, values: found.values } : null;
}
