// On any call: what the guards should have caught, told for the precision of rules.
import "./missed.css";
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { tell } from "../tell";
import { Problem } from "./notice";

interface Known { found: { rule: string; label: string }[] }
const OTHER = "";

export function Missed({ trace, span }: { trace: string; span: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="missed" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>Something was missed</summary>
      {open && <Form key={trace + span} trace={trace} span={span} />}
    </details>
  );
}

function Form({ trace, span }: { trace: string; span: string }) {
  const { data } = useAnswer<Known>("/api/guards/known");
  const [chosen, choose] = useState("0");
  const [own, setOwn] = useState("");
  const [note, setNote] = useState("");
  const [done, setDone] = useState<{ rule: string; label: string } | null>(null);
  const [error, setError] = useState("");
  const known = data?.found ?? [];
  const picked = chosen === OTHER ? { rule: "", label: own.trim() } : known[Number(chosen)] ?? { rule: "", label: own.trim() };
  const say = (verdict: "missed" | "none", said: { rule: string; label: string }) => {
    tell("/api/guards/missed", { trace_id: trace, span_id: span, rule: said.rule, label: said.label, verdict, note }, trace + span)
      .then(() => { setDone(verdict === "missed" ? said : null); setError(""); }, (why: Error) => setError(why.message));
  };
  if (done) return <p role="status">Noted: {done.label} was missed{done.rule && ` by ${done.rule}`}. <button type="button" class="link" onClick={() => say("none", done)}>Undo</button></p>;
  return (
    <form onSubmit={(e) => { e.preventDefault(); if (picked.label) say("missed", picked); }}>
      {error && <Problem text={error} />}
      <label>Should have been caught by
        <select value={known.length ? chosen : OTHER} onChange={(e) => choose(e.currentTarget.value)}>
          {known.map((k, i) => <option key={k.rule + k.label} value={String(i)}>{k.rule}: {k.label}</option>)}
          <option value={OTHER}>something else</option>
        </select>
      </label>
      {(chosen === OTHER || !known.length) && <label>What it is<input value={own} maxLength={200} required onInput={(e) => setOwn(e.currentTarget.value)} placeholder="IBAN_CODE" /></label>}
      <label>Note<input value={note} maxLength={2000} onInput={(e) => setNote(e.currentTarget.value)} /></label>
      <button type="submit" class="button small">Save</button>
    </form>
  );
}
