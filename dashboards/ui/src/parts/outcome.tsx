// Why a call did not come to a normal end, in a sentence.
import type { CallDetail, GuardEvent } from "../records";

const ENDINGS: Record<string, string> = {
  error: "The stream broke off; what had arrived is below.",
  closed: "The application closed the stream before its end.",
  abandoned: "The application stopped reading before the end of the stream.",
  cancelled: "The application cancelled the call.",
};

// The type stands before it in bold already.
function rest(type: string, message: string): string {
  return message.startsWith(type) ? message.slice(type.length).replace(/^[:\s]+/, "") : message;
}

export function Outcome({ call: c, events }: { call: CallDetail; events: GuardEvent[] }) {
  const ending = ENDINGS[c.stream_end];
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
  if (operation === "embeddings" && status === "ok") return "The vectors of the answer are not stored.";
  return status === "blocked" ? "No answer: the call was blocked." : status === "error" ? "No answer: the call failed." : "No answer was recorded.";
}
