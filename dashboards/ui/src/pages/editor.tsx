// A text area with line numbers, marks at lines and completion. Tab indents; Esc then Tab leaves, so nobody is trapped.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import "./editor.css";

export interface Mark {
  line: number;
  severity: "error" | "warning" | "hint";
  text: string;
}

export interface Option {
  word: string;
  text: string;
}

// What fits at the caret, and where the word that it replaces begins.
export interface Completion {
  from: number;
  options: readonly Option[];
}

interface Props {
  label: string;
  text: string;
  rows?: number;
  marks?: readonly Mark[];
  readOnly?: boolean;
  onText: (text: string) => void;
  onRun?: () => void;
  onCaret?: (caret: number) => void;
  complete?: (text: string, caret: number) => Completion | null;
  // a line to be shown; the number changes with each wish
  show?: { line: number; wish: number } | null;
}

const LINE = 18;
const PAD = 8;
const MOST_OPTIONS = 60;

export function Editor({ label, text, rows = 26, marks = [], readOnly = false, onText, onRun, onCaret, complete, show }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [scroll, setScroll] = useState({ top: 0, left: 0 });
  const [leaving, setLeaving] = useState(false);
  const [open, setOpen] = useState<(Completion & { at: number }) | null>(null);
  const lines = lineCount(text);

  useEffect(() => {
    const element = area.current;
    if (!show || !element) return;
    const start = startOf(element.value, show.line);
    element.focus();
    element.setSelectionRange(start, element.value.indexOf("\n", start) < 0 ? element.value.length : element.value.indexOf("\n", start));
    element.scrollTop = Math.max(0, (show.line - 6) * LINE);
  }, [show?.wish]);

  const offer = (always: boolean) => {
    const element = area.current;
    if (!element || !complete || element.selectionStart !== element.selectionEnd) return setOpen(null);
    const found = complete(element.value, element.selectionStart);
    const typed = found ? element.selectionStart - found.from : 0;
    setOpen(found && found.options.length && (always || typed > 0) ? { ...found, options: found.options.slice(0, MOST_OPTIONS), at: 0 } : null);
  };

  // what is known of the words may come after the first of them was typed
  useEffect(() => {
    if (document.activeElement === area.current) offer(false);
  }, [complete]);

  // typing on the last line scrolls, too, so only what is out of sight is closed
  const scrolled = (top: number, left: number) => {
    setScroll({ top, left });
    const height = area.current?.clientHeight ?? 0;
    setOpen((shown) => (shown && isSeen(placeOf(area.current!.value, shown.from).line, top, height) ? shown : null));
  };

  const take = (option: Option) => {
    const element = area.current;
    if (!element || !open) return;
    element.focus();
    element.setSelectionRange(open.from, element.selectionStart);
    put(element, option.word, onText);
    setOpen(null);
  };

  const pressed = (event: KeyboardEvent) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (open) return setOpen(null);
      return setLeaving(true);
    }
    if (open && ["ArrowDown", "ArrowUp", "Enter", "Tab"].includes(event.key)) {
      event.preventDefault();
      const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (move) return setOpen({ ...open, at: (open.at + move + open.options.length) % open.options.length });
      return take(open.options[open.at]!);
    }
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) {
      event.preventDefault();
      return onRun?.();
    }
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      return offer(true);
    }
    if (readOnly) return;
    if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      return put(event.currentTarget as HTMLTextAreaElement, "  ", onText);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      put(event.currentTarget as HTMLTextAreaElement, "\n" + indentOf(event.currentTarget as HTMLTextAreaElement), onText);
    }
    if (event.key !== "Shift") setLeaving(false);
  };

  const caret = () => {
    if (area.current) onCaret?.(area.current.selectionStart);
  };
  const where = open && area.current ? placeOf(text, open.from) : null;
  return (
    <div class="editor" style={{ height: `${Math.min(Math.max(lines + 1, 6), rows) * LINE + 2 * PAD}px` }}>
      <div class="gutter">
        <pre aria-hidden="true" style={{ marginTop: `${-scroll.top}px` }}>{numbers(lines)}</pre>
        {marks.filter((mark) => mark.line > 0).map((mark, i) => (
          <button key={i} type="button" tabIndex={-1} class={mark.severity} title={mark.text} aria-label={`Line ${mark.line}: ${mark.text}`}
            style={{ top: `${PAD + (mark.line - 1) * LINE - scroll.top}px` }} onClick={() => goTo(area.current, mark.line)}>{mark.severity === "error" ? "×" : "!"}</button>
        ))}
      </div>
      <div class="field">
        <div class="bands" aria-hidden="true">{marks.filter((mark) => mark.line > 0).map((mark, i) => <i key={i} class={mark.severity} style={{ top: `${PAD + (mark.line - 1) * LINE - scroll.top}px` }} />)}</div>
        <Area area={area} label={label} text={text} readOnly={readOnly} open={open !== null}
          {...(open ? { active: `editor-option-${open.at}` } : {})}
          onInput={(value) => { onText(value); offer(false); }} onKey={pressed} onSelect={caret}
          onScroll={scrolled} onBlur={() => { setLeaving(false); setTimeout(() => setOpen(null), 120); }} />
        {open && where && (
          <ul class="complete" role="listbox" id="editor-options" aria-label="What fits here"
            style={{ top: `${PAD + (where.line + 1) * LINE - scroll.top}px`, left: `calc(10px + ${where.column}ch - ${scroll.left}px)` }}>
            {open.options.map((option, i) => (
              <li key={option.word} id={`editor-option-${i}`} role="option" aria-selected={i === open.at} onMouseDown={(event) => { event.preventDefault(); take(option); }}>
                <span>{option.word}</span>{option.text && <small>{option.text}</small>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}

interface AreaProps {
  area: { current: HTMLTextAreaElement | null };
  label: string;
  text: string;
  readOnly: boolean;
  open: boolean;
  active?: string;
  onInput: (text: string) => void;
  onKey: (event: KeyboardEvent) => void;
  onSelect: () => void;
  onScroll: (top: number, left: number) => void;
  onBlur: () => void;
}

function Area({ area, label, text, readOnly, open, active, onInput, onKey, onSelect, onScroll, onBlur }: AreaProps) {
  // the value is set only where it differs: a large text is not laid out again with each key
  useLayoutEffect(() => {
    if (area.current && area.current.value !== text) area.current.value = text;
  }, [text]);
  return (
    <textarea ref={area} aria-label={label} spellcheck={false} autocomplete="off" autocapitalize="off" wrap="off" readOnly={readOnly}
      {...(open ? { "aria-autocomplete": "list", "aria-controls": "editor-options", "aria-activedescendant": active } : {})}
      onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={onKey} onKeyUp={onSelect} onClick={onSelect} onBlur={onBlur}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop, event.currentTarget.scrollLeft)} />
  );
}

export function EditorKeys({ run }: { run?: string }) {
  return <p class="editor-keys">{run && <><kbd>ctrl</kbd> <kbd>Enter</kbd> {run} · </>}<kbd>ctrl</kbd> <kbd>space</kbd> what fits here · <kbd>Tab</kbd> indents, <kbd>Esc</kbd> <kbd>Tab</kbd> leaves</p>;
}

// As typing would, so that undo knows it.
function put(element: HTMLTextAreaElement, text: string, told: (text: string) => void): void {
  if (!document.execCommand("insertText", false, text)) {
    element.setRangeText(text, element.selectionStart, element.selectionEnd, "end");
    told(element.value);
  }
}

function indentOf(element: HTMLTextAreaElement): string {
  const start = element.value.lastIndexOf("\n", element.selectionStart - 1) + 1;
  const line = element.value.slice(start, element.selectionStart);
  // a key under the first one of a list's item; deeper after a key without a value
  return " ".repeat(/^ *(?:- +)*/.exec(line)![0].length + (/:\s*$/.test(line) ? 2 : 0));
}

function goTo(element: HTMLTextAreaElement | null, line: number): void {
  if (!element) return;
  const start = startOf(element.value, line);
  element.focus();
  element.setSelectionRange(start, start);
}

export function startOf(text: string, line: number): number {
  let start = 0;
  for (let n = 1; n < line; n++) {
    const next = text.indexOf("\n", start);
    if (next < 0) return start;
    start = next + 1;
  }
  return start;
}

function placeOf(text: string, index: number): { line: number; column: number } {
  const before = text.slice(0, index);
  const start = before.lastIndexOf("\n") + 1;
  return { line: lineCount(before) - 1, column: index - start };
}

function isSeen(line: number, top: number, height: number): boolean {
  const y = PAD + line * LINE - top;
  return y >= 0 && y + LINE <= height;
}

function lineCount(text: string): number {
  let n = 1;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) n++;
  return n;
}

let counted = { n: 0, text: "" };
function numbers(n: number): string {
  if (counted.n !== n) counted = { n, text: Array.from({ length: n }, (_, i) => i + 1).join("\n") };
  return counted.text;
}
