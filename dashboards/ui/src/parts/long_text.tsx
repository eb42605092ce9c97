// Text of any length: the first part at once, the rest on demand, block by block, so that the page never stands still.
import { Component } from "preact";
import { useEffect, useState } from "preact/hooks";
import { count } from "../format";
import { marked } from "../messages";
import { Mark } from "./reveal";

const LONG = 6000;
const MORE = 100_000;
const BLOCK = 25_000;
const LOOK_BACK = 2000;

interface Cut {
  of: string;
  blocks: string[];
  // where the next block begins
  at: number;
}

export function Text({ text, code }: { text: string; code?: boolean }) {
  const [wanted, want] = useState(LONG);
  const [kept, keep] = useState<Cut>(() => begun(text));
  const cut = kept.of === text ? kept : begun(text);
  useEffect(() => {
    if (kept.of === text) return;
    keep(begun(text));
    want(LONG);
  }, [text]);
  useEffect(() => {
    if (cut.at >= Math.min(wanted, text.length)) return;
    const next = requestAnimationFrame(() => keep(further(cut)));
    return () => cancelAnimationFrame(next);
  }, [cut, wanted]);
  const left = text.length - Math.max(wanted, cut.at);
  const scrolls = code && text.length > 400;
  return (
    <>
      <div class={code ? "text code" : "text"} {...(scrolls ? { tabIndex: 0, role: "region", "aria-label": "Long text" } : {})}>
        {cut.blocks.length === 1 ? <Block text={cut.blocks[0]!} /> : cut.blocks.map((block, i) => <div key={i} class="call-block"><Block text={block} /></div>)}
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

function begun(text: string): Cut {
  return text.length <= LONG ? { of: text, blocks: [text], at: text.length } : further({ of: text, blocks: [], at: 0 }, LONG);
}

// Cut between words where it can be: a line ends there on the page, and no placeholder is torn.
function further({ of, blocks, at }: Cut, size = BLOCK): Cut {
  const next = at + size >= of.length ? of.length : cutAt(of, at + size);
  return { of, blocks: [...blocks, of.slice(at, next).replace(/\n$/, "")], at: next };
}

function cutAt(text: string, limit: number): number {
  const tail = text.slice(limit - LOOK_BACK, limit);
  const at = Math.max(tail.lastIndexOf("\n"), -1);
  const word = at >= 0 ? at : tail.lastIndexOf(" ");
  return word >= 0 ? limit - LOOK_BACK + word + 1 : limit;
}

// Blocks that stand already are not looked at again when another one comes.
class Block extends Component<{ text: string }> {
  override shouldComponentUpdate(next: { text: string }): boolean {
    return next.text !== this.props.text;
  }

  override render() {
    return <>{marked(this.props.text).map(({ text: piece, mark }, i) => (mark ? <Mark key={i} text={piece} /> : piece))}</>;
  }
}
