// Small words with a colour: status of a call, verdict and action of the guards.
const TONES: Record<string, string> = {
  ok: "good", allow: "good", error: "bad", blocked: "stop", block: "stop", deny: "stop",
  modify: "mark", warn: "warn", fail_open: "warn", none: "quiet", shadow: "quiet", enforce: "plain",
};
const WORDS: Record<string, string> = {
  deny: "denied", modify: "modified", warn: "flagged", fail_open: "failed open", none: "not guarded", allow: "clean", block: "blocked",
};

export function Chip({ word, tone, title }: { word: string; tone?: string; title?: string }) {
  return (
    <span class={`chip ${tone ?? TONES[word] ?? "plain"}`} {...(title ? { title } : {})}>
      {WORDS[word] ?? word}
    </span>
  );
}

// One chip for a row: what the guards did, or else what they found.
export function GuardChip({ verdict, action }: { verdict: string; action: string }) {
  if (!verdict && !action) return <span class="quiet">–</span>;
  const word = verdict === "fail_open" ? "fail_open" : action === "block" || action === "modify" ? action : verdict || action;
  return <Chip word={word} title={`verdict: ${verdict || "none"}, action: ${action || "none"}`} />;
}

export function Status({ status, error }: { status: string; error?: string }) {
  return (
    <span class={`status ${status}`} title={error || status}>
      <i aria-hidden="true" />
      <span>{status === "error" && error ? error : status}</span>
    </span>
  );
}
