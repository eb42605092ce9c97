// Lines of a diff, told apart by their sign and not by colour alone.
const CLASSES: Record<string, string> = { "+": "plus", "-": "minus", "@": "place" };

export function Lines({ lines }: { lines: readonly string[] }) {
  return (
    <pre class="policies-lines" tabIndex={0} aria-label="Differences">{lines.map((line, i) => <span key={i} class={CLASSES[line[0] ?? ""] ?? ""}>{line}{"\n"}</span>)}</pre>
  );
}
