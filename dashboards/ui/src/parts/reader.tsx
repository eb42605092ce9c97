// Only what was said in a whole trace, in order. What a later call repeats of an earlier one is told once.
import { useMemo } from "preact/hooks";
import { useAnswer } from "../answer";
import { clockOf, count } from "../format";
import { messagesOf, type Message } from "../messages";
import { href } from "../place";
import type { TraceSaid, Turn } from "../records";
import { MessageView } from "./message_view";
import { Nothing, Problem } from "./notice";

interface Told {
  turn: Turn;
  said: { message: Message; of: "input" | "output" }[];
  again: number;
}

function told(turns: readonly Turn[]): Told[] {
  const seen = new Set<string>();
  return turns.map((turn) => {
    const { system, input, output } = turn.content;
    const all = [
      ...messagesOf(system, "system").map((message) => ({ message, of: "input" as const })),
      ...messagesOf(input, turn.is_call ? "user" : "in").map((message) => ({ message, of: "input" as const })),
      ...messagesOf(output, turn.is_call ? "assistant" : "out").map((message) => ({ message, of: "output" as const })),
    ];
    const said = all.filter(({ message }) => {
      const key = JSON.stringify([message.role, message.parts]);
      return !seen.has(key) && seen.add(key);
    });
    return { turn, said, again: all.length - said.length };
  });
}

export function Reader({ trace, query }: { trace: string; query: URLSearchParams }) {
  const { data, error } = useAnswer<TraceSaid>(`/api/traces/${trace}/said`);
  const turns = useMemo(() => told(data?.turns ?? []), [data]);
  if (error) return <Problem text={error} />;
  if (!data) return null;
  if (!turns.length) return <Nothing title="Nothing that was said in this trace is stored" />;
  return (
    <div class="call-reader">
      {turns.map(({ turn, said, again }) => (
        <section key={turn.span_id} aria-label={turn.name}>
          <h2 class="call-turn">
            {turn.is_call ? <a href={href(`/calls/${trace}/${turn.span_id}`, query)}>{turn.name}</a> : turn.name} <span class="quiet">{clockOf(turn.us)} · {turn.service}{turn.status === "error" && <b class="bad-text"> failed</b>}{again > 0 && ` · ${count(again)} message${again === 1 ? "" : "s"} from above`}</span>
          </h2>
          {said.map(({ message, of }, i) => <MessageView key={i} message={message} of={of} />)}
          {turn.content.cut.length > 0 && <p class="note quiet">Cut here: {turn.content.cut.join(", ")}. The call itself shows more.</p>}
        </section>
      ))}
      {data.more && <p class="note quiet">The trace says more than is shown here.</p>}
    </div>
  );
}
