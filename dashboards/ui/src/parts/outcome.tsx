// Why a call did not come to a normal end, in a sentence.
import type { CallDetail, GuardEvent } from "../records";

const ENDINGS: Record<string, string> = {
  error: "The stream broke off; what had arrived is below.",
  closed: "The application closed the stream before its end.",
  abandoned: "The application stopped reading before the end of the stream.",
  cancelled: "The application cancelled the call.",
};

// Answers that are no text: what stands in their place on the page of a call, and in its row.
export const UNSAID: Record<string, { sentence: string; word: string }> = {
  embeddings: { sentence: "The vectors of the answer are not stored.", word: "vectors" },
  speech: { sentence: "The audio of the answer is not stored.", word: "audio" },
  image_generation: { sentence: "The images of the answer are not stored.", word: "image" },
  moderation: { sentence: "What the model flagged is among the raw attributes.", word: "verdict" },
  rerank: { sentence: "The scores of the answer are not stored.", word: "ranking" },
};

const WITHHELD: Record<string, string> = {
  no_adapter: "Spanward does not know the client that made it, so no guard could read it; spanward.model_call() around it makes it known",
  content_none: "the application records no content (SPANWARD_CONTENT=none)",
  guards_off: "the application runs without guards (SPANWARD_GUARDS=off)",
  unguarded: "no guard had looked at it",
  guards_failed: "the guards could not answer",
  unreadable: "its texts could not be read",
  output_unjudged: "the answer was not judged",
};

export function whyWithheld(reason: string): string {
  return WITHHELD[reason] ?? reason;
}

// The type stands before it in bold already.
function rest(type: string, message: string): string {
  return message.startsWith(type) ? message.slice(type.length).replace(/^[:\s]+/, "") : message;
}

export function Outcome({ call: c, events }: { call: CallDetail; events: GuardEvent[] }) {
  const ending = c.stream_end === "error" && c.chunks === 0 ? "" : ENDINGS[c.stream_end];
  if (c.status === "ok") return ending ? <p class="outcome warned">{ending}</p> : null;
  const by = c.status === "blocked" ? events.find((e) => e.action === "block" && e.mode !== "shadow") : undefined;
  if (by) {
    const what = [...new Set(events.filter((e) => e.rule === by.rule).map((e) => e.label || e.detector))].join(", ");
    return (
      <p class="outcome blocked">
        <b>Blocked by rule {by.rule}</b> {what} in {by.stage.replace("_", " ")}. {by.stage === "output" ? "The answer was withheld." : "The provider was not asked."}
      </p>
    );
  }
  return <p class={`outcome ${c.status}`}><b>{c.error_type || c.status}</b> {rest(c.error_type, c.status_message)} {ending}</p>;
}

export function noAnswer({ status, operation }: CallDetail): string {
  if (status === "ok" && UNSAID[operation]) return UNSAID[operation].sentence;
  return status === "blocked" ? "No answer: the call was blocked." : status === "error" ? "No answer: the call failed." : "No answer was recorded.";
}
