// Which message a verdict of the guards concerns, by the stage it was given at.
import type { Message, Part } from "./messages";
import type { GuardEvent } from "./records";

const has = (kind: Part["kind"]) => (message: Message) => message.parts.some((part) => part.kind === kind);

function place(event: GuardEvent, input: Message[], output: Message[]): Message | undefined {
  const asked = input.findLast((m) => m.role === "user") ?? input.at(-1);
  switch (event.stage) {
    case "output":
      return output[0];
    case "tool_call":
      return output.find(has("tool_call")) ?? output[0];
    case "tool_result":
      return input.findLast(has("tool_result")) ?? asked;
    case "retrieval":
      return input.findLast(has("document")) ?? asked;
    default:
      return asked;
  }
}

// What found nothing is not told at a message.
export function verdictsAt(events: GuardEvent[], input: Message[], output: Message[]): Map<Message, GuardEvent[]> {
  const found = new Map<Message, GuardEvent[]>();
  for (const event of events) {
    const message = event.verdict === "allow" || event.verdict === "none" ? undefined : place(event, input, output);
    if (message) found.set(message, [...(found.get(message) ?? []), event]);
  }
  return found;
}
