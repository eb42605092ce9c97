// Editing with a check while one types, and saving: only what would be taken up, only over what was read.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useAnswer } from "../../answer";
import { count } from "../../format";
import { Problem } from "../../parts/notice";
import type { Place } from "../../place";
import { send } from "../../send";
import { Editor, EditorKeys, startOf, type Mark } from "../editor";
import type { Work } from "./draft";
import type { Checked, Finding, PolicyShown, Saved, Word } from "./records";
import { Taken } from "./taken";
import { completer, helpAt } from "./yaml_help";

const PAUSE_MS = 350;
const NONE: Word[] = [];

interface Props {
  here: Place;
  name: string;
  data: PolicyShown;
  work: Work;
  saved: () => void;
}

// The newest text is checked once typing pauses; answers to older ones are thrown away.
function useCheck(name: string, file: string, text: string): { checked: Checked | null; error: string; busy: boolean } {
  const [state, set] = useState<{ checked: Checked | null; error: string; of: string }>({ checked: null, error: "", of: "" });
  useEffect(() => {
    let gone = false;
    const timer = setTimeout(() => {
      send<Checked>("POST", "/api/policies/check", { name, file, text }).then(
        (checked) => !gone && set({ checked, error: "", of: text }),
        (why: Error) => !gone && set((old) => ({ ...old, error: why.message, of: text })),
      );
    }, PAUSE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [name, file, text]);
  return { checked: state.checked, error: state.error, busy: state.of !== text };
}

export function EditTab({ name, data, work, saved }: Props) {
  const { file, text, changed } = work.draft!;
  const words = useAnswer<Word[]>("/api/policies/words").data ?? NONE;
  const complete = useMemo(() => completer(words), [words]);
  const { checked, error, busy } = useCheck(name, file.name, text);
  const [caret, setCaret] = useState(0);
  const [show, setShow] = useState<{ line: number; wish: number } | null>(null);
  const help = helpAt(words, text, caret);
  const here = checked?.findings.filter((finding) => !finding.file || finding.file === file.name) ?? [];
  const marks: Mark[] = busy && !checked ? [] : here.map(({ line, severity, text: said }) => ({ line, severity, text: said }));
  return (
    <div class="policies-edit">
      {data.files.length > 1 && <label>File <select value={file.name} onChange={(event) => work.choose(event.currentTarget.value)}>{data.files.map((each) => <option key={each.name}>{each.name}</option>)}</select></label>}
      {work.note && <p class="panel note" role="status">{work.note}</p>}
      {work.stale && <Problem text="The file was changed since this draft was begun. Compare, then save over it or start again from the file." />}
      <div class="policies-columns">
        <div>
          <Editor label={`Text of ${file.name}`} text={text} rows={30} marks={marks} onText={work.set} onCaret={setCaret} complete={complete} show={show} />
          <EditorKeys />
          <p class="policies-help" aria-live="polite">{help ? <><code>{help.key}</code> {help.text}{help.values.length > 0 && <>: {help.values.slice(0, 12).join(", ")}{help.values.length > 12 && " …"}</>}</> : "Place the caret on a word to see what it means."}</p>
        </div>
        <div>
          <Save name={name} data={data} work={work} checked={checked} busy={busy} saved={saved} changed={changed} />
          <section class="panel" aria-label="Check"><header><h2>Check</h2><span class="quiet">{busy ? "…" : checked && opinion(checked)}</span></header>
            {error && <Problem text={error} />}
            <ul class="policies-findings">{checked?.findings.map((finding, i) => (
              <li key={i} class={finding.severity}>
                {finding.line > 0 ? <button type="button" class="link" onClick={() => setShow({ line: finding.line, wish: (show?.wish ?? 0) + 1 })}>{finding.file && finding.file !== file.name ? `${finding.file}:` : "line "}{finding.line}</button> : <span class="quiet">policy</span>}
                <span><b>{finding.severity}</b> {finding.text}</span>
                {finding.meant && <button type="button" class="button small" onClick={() => work.set(replaced(text, finding))}>Write “{finding.meant}”</button>}
              </li>
            ))}</ul>
            {checked && checked.more > 0 && <p class="note quiet">and {count(checked.more)} more</p>}
          </section>
        </div>
      </div>
    </div>
  );
}

function opinion(checked: Checked): string {
  const n = (severity: Finding["severity"]) => checked.findings.filter((finding) => finding.severity === severity).length;
  const told = (["error", "warning", "hint"] as const).filter((severity) => n(severity)).map((severity) => `${n(severity)} ${severity}${n(severity) === 1 ? "" : "s"}`);
  const short = checked.hash ? `${checked.hash} · ${count(checked.rules)} rules, ${count(checked.in_the_way)} in the way of a call` : "";
  return [told.join(", ") || "fine", short].filter(Boolean).join(" · ");
}

function replaced(text: string, { line, word, meant }: Finding): string {
  const start = startOf(text, line);
  const at = text.indexOf(word, start);
  return at < 0 ? text : text.slice(0, at) + meant + text.slice(at + word.length);
}

function Save({ name, data, work, checked, busy, saved, changed }: { name: string; data: PolicyShown; work: Work; checked: Checked | null; busy: boolean; saved: () => void; changed: boolean }) {
  const { file, text } = work.draft!;
  const [problem, fail] = useState("");
  const [done, finish] = useState<Saved | null>(null);
  const [working, work_] = useState(false);
  const as = useRef<HTMLInputElement>(null);
  const ready = changed && !busy && !working && checked?.ok === true;
  const tell = (put: Promise<Saved>, then: (answer: Saved) => void) => {
    fail("");
    finish(null);
    work_(true);
    put.then((answer) => {
      finish(answer);
      then(answer);
    }, (why: Error) => fail(why.message)).finally(() => work_(false));
  };
  const save = () => tell(send<Saved>("PUT", `/api/policies/${encodeURIComponent(name)}/text`, { file: file.name, text, base: file.digest }), () => { work.drop(); saved(); });
  const create = () => tell(send<Saved>("POST", "/api/policies/files", { name, file: file.name, text, as_file: as.current?.value ?? "" }), () => undefined);
  return (
    <section class="panel policies-save" aria-label="Save"><header><h2>{data.card.why_fixed ? "Save as a file" : "Save"}</h2></header>
      {problem && <Problem text={problem} />}
      {data.card.why_fixed ? (
        <>
          <p class="note quiet">Not over this one: {data.card.why_fixed}.</p>
          <p class="note"><label>File <input ref={as} defaultValue={`${data.card.name || "own"}-2.yaml`.replace(/[^A-Za-z0-9._-]/g, "-")} spellcheck={false} /></label> <button type="button" class="button primary" disabled={busy || working || !checked?.ok} onClick={create}>Save as file</button></p>
          {done?.option && <p class="note" role="status">Saved as <a href={`/policies/${encodeURIComponent(done.file)}`}>{done.file}</a>. To put it in force, start the sidecar with <code>spanward serve {done.option}</code></p>}
        </>
      ) : (
        <>
          <p class="note"><button type="button" class="button primary" disabled={!ready} onClick={save}>Save {file.name}</button> <button type="button" class="button" disabled={!changed} onClick={work.drop}>Start again from the file</button> {changed ? <a href="?tab=diff">what changes</a> : <span class="quiet">nothing changed yet</span>}</p>
          {changed && checked && !checked.ok && !busy && <p class="note bad-text">What the check calls an error must be mended first.</p>}
          {done && (data.in_force || name === "in-force" ? <Taken saved={done} then={saved} /> : <p class="note" role="status">Saved: {done.hash}. The sidecar runs another policy.</p>)}
        </>
      )}
    </section>
  );
}
