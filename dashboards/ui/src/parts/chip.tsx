import type { CallRow } from "../records";

// Small words with a colour: status of a call, verdict and action of the guards.
const TONES: Record<string, string> = {
  ok: "good", allow: "good", error: "bad", blocked: "stop", block: "stop", deny: "stop",
  modify: "mark", modified: "mark", warn: "warn", flagged: "warn", fail_open: "bad", failed_open: "bad", clean: "good", unguarded: "quiet", none: "quiet", shadow: "quiet", enforce: "plain",
};
const WORDS: Record<string, string> = {
  deny: "denied", modify: "modified", warn: "flagged", fail_open: "failed open", failed_open: "failed open", none: "not guarded", unguarded: "not guarded", allow: "clean", block: "blocked",
};

export function Chip({ word, tone, title }: { word: string; tone?: string; title?: string }) {
  return (
    <span class={`chip ${tone ?? TONES[word] ?? "plain"}`} {...(title ? { title } : {})}>
      {WORDS[word] ?? word}
    </span>
  );
}

// What the guards made of a call, on the way and after the fact.
export function GuardChips({ call }: { call: Pick<CallRow, "guards" | "rules"> }) {
  const title = call.rules.length ? `by ${call.rules.join(", ")}` : undefined;
  return <span class="chips">{call.guards.map((kind) => <Chip key={kind} word={kind} {...(title ? { title } : {})} />)}</span>;
}

export function Status({ status, error }: { status: string; error?: string }) {
  return (
    <span class={`status ${status}`} title={error || status}>
      <i aria-hidden="true" />
      <span>{status === "error" && error ? error : status}</span>
    </span>
  );
}
