// Text of any length: the first part at once, the rest on demand, block by block, so that the page never stands still.
import { useEffect, useMemo, useState } from "preact/hooks";
import { count } from "../format";
import { marked } from "../messages";
import { Mark } from "./reveal";

const LONG = 6000;
const MORE = 100_000;
const BLOCK = 25_000;
const LOOK_BACK = 2000;

export function Text({ text, code }: { text: string; code?: boolean }) {
  const [wanted, want] = useState(LONG);
  const [shown, show] = useState(LONG);
  useEffect(() => {
    want(LONG);
    show(LONG);
  }, [text]);
  useEffect(() => {
    if (shown >= Math.min(wanted, text.length)) return;
    const next = requestAnimationFrame(() => show(shown + BLOCK));
    return () => cancelAnimationFrame(next);
  }, [shown, wanted, text]);
  const blocks = useBlocks(text, Math.min(shown, wanted));
  const left = text.length - wanted;
  return (
    <>
      <div class={code ? "text code" : "text"} tabIndex={code && text.length > 400 ? 0 : undefined} role={code && text.length > 400 ? "region" : undefined} aria-label={code && text.length > 400 ? "Long text" : undefined}>
        {blocks.length === 1 ? <Marked text={blocks[0]!} /> : blocks.map((block, i) => <div key={i} class="call-block"><Marked text={block} /></div>)}
      </div>
      {left > 0 && (
        <p class="call-more">
          {left > MORE && <button type="button" class="link" onClick={() => want(wanted + MORE)}>show {count(MORE)} more</button>}
          <button type="button" class="link" onClick={() => want(text.length)}>show all {count(text.length)} characters</button>
        </p>
      )}
    </>
  );
}

// Cut between words where it can be: a line ends there on the page, and no placeholder is torn.
function useBlocks(text: string, upTo: number): string[] {
  return useMemo(() => {
    if (text.length <= LONG) return [text];
    const blocks: string[] = [];
    let at = 0;
    const end = Math.min(upTo, text.length);
    while (at < end) {
      const limit = at === 0 ? LONG : at + BLOCK;
      const cut = limit >= text.length ? text.length : cutAt(text, limit);
      blocks.push(text.slice(at, cut).replace(/\n$/, ""));
      at = cut;
    }
    return blocks;
  }, [text, upTo]);
}

function cutAt(text: string, limit: number): number {
  const tail = text.slice(limit - LOOK_BACK, limit);
  const at = Math.max(tail.lastIndexOf("\n"), -1);
  const word = at >= 0 ? at : tail.lastIndexOf(" ");
  return word >= 0 ? limit - LOOK_BACK + word + 1 : limit;
}

function Marked({ text }: { text: string }) {
  return <>{marked(text).map(({ text: piece, mark }, i) => (mark ? <Mark key={i} text={piece} /> : piece))}</>;
}
