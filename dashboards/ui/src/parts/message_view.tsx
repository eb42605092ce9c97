// A message as people read it. Everything models said is put in as text nodes: markup in it stays text.
import { useMemo, useState } from "preact/hooks";
import { count } from "../format";
import { marked, pretty, type Message, type Part } from "../messages";
import { Copy } from "./copy";

const LONG = 6000;
const LAID_OUT = 200_000;

export function MessageView({ message, of }: { message: Message; of: "input" | "output" }) {
  const plain = message.parts.map((p) => ("text" in p ? p.text : "json" in p ? p.json : p.uri)).join("\n");
  return (
    <article class={`said-by ${message.role} ${of}`} aria-label={`${message.role} message`}>
      <header>
        <b>{message.role}</b>
        {message.finish && <span class="quiet">finish: {message.finish}</span>}
        <span class="grow" />
        <Copy text={plain} what={`${message.role} message`} />
      </header>
      {message.parts.map((part, i) => <PartView key={i} part={part} />)}
      {!message.parts.length && <p class="quiet">empty</p>}
    </article>
  );
}

function PartView({ part }: { part: Part }) {
  switch (part.kind) {
    case "text":
      return <Said text={part.text} />;
    case "reasoning":
      return <details class="reasoning"><summary>Reasoning</summary><Text text={part.text} /></details>;
    case "tool_call":
      return <div class="tool"><p>calls <b>{part.name}</b> {part.id && <span class="quiet">{part.id}</span>}</p><Text text={part.json} code /></div>;
    case "tool_result":
      return <div class="tool"><p>result {part.id && <span class="quiet">of {part.id}</span>}</p><Text text={part.json} code /></div>;
    case "media":
      return <p class="media"><b>{part.modality}</b> {part.mime} <code>{part.uri.slice(0, 200) || `${count(part.size)} characters inline`}</code></p>;
    case "other":
      return <Text text={part.json} code />;
  }
}

// A structured answer reads better laid out; the switch shows what was really said.
function Said({ text }: { text: string }) {
  const [raw, set] = useState(false);
  const laid = useMemo(() => (text.length <= LAID_OUT && /^\s*[[{]/.test(text) ? pretty(text) : text), [text]);
  if (laid === text) return <Text text={text} />;
  return (
    <div class="tool">
      <Text text={raw ? text : laid} code />
      <button type="button" class="link" onClick={() => set(!raw)}>{raw ? "lay out the JSON" : "as it was said"}</button>
    </div>
  );
}

export function Text({ text, code }: { text: string; code?: boolean }) {
  const [all, set] = useState(text.length <= LONG);
  const shown = all ? text : text.slice(0, LONG);
  return (
    <>
      <div class={code ? "text code" : "text"}>
        {marked(shown).map(({ text: piece, mark }, i) => (mark ? <mark key={i} title="put here by a guard; the value itself was not stored">{piece}</mark> : piece))}
      </div>
      {!all && <button type="button" class="link" onClick={() => set(true)}>show all {count(text.length)} characters</button>}
    </>
  );
}
