// A message as people read it. Everything models said is put in as text nodes: markup in it stays text.
import { useMemo, useState } from "preact/hooks";
import { count } from "../format";
import { pretty, textOf, type Message, type Part } from "../messages";
import type { GuardEvent } from "../records";
import { Chip } from "./chip";
import { Copy } from "./copy";
import { Text } from "./long_text";

export { Text };

const LAID_OUT = 200_000;

// `events`: what the guards found in this message.
export function MessageView({ message, of, events = [] }: { message: Message; of: "input" | "output"; events?: GuardEvent[] }) {
  return (
    <article class={`said-by ${message.role} ${of}`} aria-label={`${message.role} message`}>
      <header>
        <b>{message.role}</b>
        {message.finish && <span class="quiet">finish: {message.finish}</span>}
        {events.map((e, i) => <span key={i} class="call-verdict"><Chip word={e.mode === "shadow" ? "shadow" : e.verdict} title={`rule ${e.rule}, ${e.stage.replace("_", " ")}`} /> {e.label || e.detector}</span>)}
        <span class="grow" />
        <Copy text={() => message.parts.map(textOf).join("\n")} what={`${message.role} message`} />
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
    case "document":
      return <div class="tool"><p>document <b>{part.name}</b> {part.id && <span class="quiet">{part.id}</span>}</p><Text text={part.json} /></div>;
    case "media":
      return <Media part={part} />;
    case "other":
      return <Text text={part.json} code />;
  }
}

// Only a picture that was stored with the call is shown; an address is text, and nothing is loaded from it.
function Media({ part }: { part: Extract<Part, { kind: "media" }> }) {
  const inline = part.uri.startsWith("data:") ? part.uri.length : part.size;
  return (
    <div class="media">
      <p><b>{part.modality}</b> {part.mime} {!part.image && <code>{inline ? `${count(inline)} characters inline` : part.uri.slice(0, 200)}</code>}</p>
      {part.image && <img class="call-image" src={part.image} alt={`${part.modality} of the message`} />}
    </div>
  );
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
