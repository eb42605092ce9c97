// The side of a call where something was found: the message with the finding, marked; the others on demand.
import { useState } from "preact/hooks";
import { count } from "../format";
import { marked, type Message } from "../messages";

const SHOWN = 3;
const AROUND = 1500;

function textOf(message: Message): string {
  return message.parts.map((p) => ("text" in p ? p.text : "json" in p ? p.json : `[${p.modality}]`)).join("\n\n");
}

// <EMAIL_ADDRESS_1> and [EMAIL_ADDRESS] stand for a finding of EMAIL_ADDRESS.
function isOf(mark: string, label: string): boolean {
  return mark.replace(/^[<[]|(_\d+)?[>\]]$/g, "") === label;
}

export function FindingText({ messages, label }: { messages: Message[]; label: string }) {
  const [all, setAll] = useState(false);
  const texts = messages.map((message) => ({ role: message.role, text: textOf(message) })).filter((m) => m.text);
  const hits = texts.filter(({ text }) => marked(text).some((piece) => piece.mark && isOf(piece.text, label)));
  const first = hits.length ? hits : texts.slice(-1);
  const shown = all ? texts : first.slice(-SHOWN);
  return (
    <>
      {shown.map(({ role, text }, i) => (
        <article key={i} class={`said-by ${role}`} aria-label={`${role} message`}>
          <header><b>{role}</b></header>
          <Marked text={all ? text : near(text, label)} label={label} />
        </article>
      ))}
      {!all && (texts.length > shown.length || texts.some(({ text }) => text.length > 2 * AROUND)) && (
        <button type="button" class="link" onClick={() => setAll(true)}>show all {count(texts.length)} messages of this side whole</button>
      )}
      {!texts.length && <p class="panel note">There is no text on this side of the call.</p>}
    </>
  );
}

// A long text around its first finding.
function near(text: string, label: string): string {
  if (text.length <= 2 * AROUND) return text;
  let at = 0;
  for (const piece of marked(text)) {
    if (piece.mark && isOf(piece.text, label)) break;
    at += piece.text.length;
  }
  const from = Math.max(0, Math.min(at === text.length ? 0 : at - AROUND, text.length - 2 * AROUND));
  return `${from ? "… " : ""}${text.slice(from, from + 2 * AROUND)}${from + 2 * AROUND < text.length ? " …" : ""}`;
}

function Marked({ text, label }: { text: string; label: string }) {
  return (
    <div class="text" tabIndex={0}>
      {marked(text).map(({ text: piece, mark }, i) => (mark ? <mark key={i} class={isOf(piece, label) ? "hit" : ""}>{piece}</mark> : piece))}
    </div>
  );
}
