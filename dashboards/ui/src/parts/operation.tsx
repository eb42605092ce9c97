// What went into and came out of a tool or a search: asked for when its row in the trace is opened.
import { useAnswer } from "../answer";
import { messagesOf } from "../messages";
import type { Said, Span } from "../records";
import { MessageView } from "./message_view";
import { Problem } from "./notice";
import { whyWithheld } from "./outcome";

const KINDS = new Set(["execute_tool", "retrieval", "invoke_agent", "invoke_workflow"]);

export const isOperation = (span: Span): boolean => KINDS.has(span.attributes["gen_ai.operation.name"] ?? "");

export function OperationSaid({ span, trace }: { span: Span; trace: string }) {
  const { data, error } = useAnswer<Said>(`/api/spans/${trace}/${span.span_id}/said`);
  if (error) return <Problem text={error} />;
  if (!data) return null;
  const { content, events } = data;
  const rules = [...new Set(events.map((e) => `${e.rule}: ${e.verdict}`))];
  return (
    <div class="operation">
      {data.hidden ? <p class="quiet">What it said is hidden from you: it takes a key whose role may see content.</p> : content ? [...messagesOf(content.input, "in"), ...messagesOf(content.output, "out")].map((m, i) => <MessageView key={i} message={m} of={m.role === "out" ? "output" : "input"} />)
        : <p class="quiet">{span.attributes["spanward.content.withheld"] ? `What it said was not stored: ${whyWithheld(span.attributes["spanward.content.withheld"])}.` : "It said nothing that is stored."}</p>}
      {rules.length > 0 && <p class="quiet">guards: {rules.join(", ")}</p>}
    </div>
  );
}
