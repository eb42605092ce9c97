// One finding after the other: was the guard right? y right, n wrong, u unsure, j and k move, z takes the last one back.
import { useEffect, useRef, useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { count, local, timeOf } from "../format";
import { typing } from "../keyboard";
import { messagesOf, type Message } from "../messages";
import { Chip } from "../parts/chip";
import { FilterBar } from "../parts/filter_bar";
import { Missed } from "../parts/missed";
import { NoCalls, Nothing, Problem } from "../parts/notice";
import type { PageProps } from "../pages";
import { change, href, type Place } from "../place";
import { asked } from "../range";
import type { Content } from "../records";
import { send } from "../send";
import { tell } from "../tell";
import { useTitle } from "../title";
import type { Finding, Queue, Said } from "./guards_records";
import { FindingText } from "./review_text";
import "./guards.css";

const KEYS: Record<string, Said> = { y: "right", n: "wrong", u: "unsure" };
const WORDS: Record<Said, string> = { right: "Right", wrong: "Wrong", unsure: "Unsure" };
const keyOf = (f: Finding) => [f.trace_id, f.span_id, f.rule, f.detector, f.label, f.stage].join("\n");

export function Review({ here }: PageProps) {
  useTitle("Review findings");
  const { data, error, busy } = useAnswer<Queue>(`/api/guards/review?${asked(here.query)}`);
  return (
    <div class="guards-review">
      <div class="page-head">
        <h1>Review findings</h1><span class="grow" />
        <a class="button" data-up href={href("/guards", change(here.query, {}))}>Guards</a>
      </div>
      <FilterBar here={here} />
      {error && <Problem text={error} />}
      {data && (data.findings.length ? <Labelling key={here.query.toString()} here={here} queue={data} />
        : !busy && <NoCalls here={here} title={data.labelled ? "Every finding here has a label" : "No finding to label in this range"} />)}
    </div>
  );
}

interface Done { finding: Finding; said: Said }

function Labelling({ here, queue }: { here: Place; queue: Queue }) {
  // the list stays as it was asked: an answer that arrives later must not move what one is reading
  const [findings] = useState(queue.findings);
  const [at, setAt] = useState(0);
  const [done, setDone] = useState<Record<string, Said>>({});
  const [last, setLast] = useState<Done[]>([]);
  const [note, setNote] = useState("");
  const [error, setError] = useState("");
  const finding = findings[at];
  const [saving, setSaving] = useState(0);
  const keep = (what: Finding, verdict: Said | "none", text: string) => {
    const { trace_id, span_id, rule, detector, label, stage } = what;
    setSaving((n) => n + 1);
    return tell("/api/guards/review", { trace_id, span_id, rule, detector, label, stage, verdict, note: text }, keyOf(what))
      .finally(() => setSaving((n) => n - 1));
  };
  const say = (said: Said) => {
    if (!finding) return;
    const key = keyOf(finding);
    const text = note;
    setDone((old) => ({ ...old, [key]: said }));
    setLast((old) => [...old, { finding, said }]);
    setNote("");
    setError("");
    setAt(Math.min(at + 1, findings.length));
    keep(finding, said, text).catch((why: Error) => {
      setError(`${why.message} The label on ${finding.rule} was not kept.`);
      setDone((old) => without(old, key));
      setLast((old) => old.filter((one) => one.finding !== finding));
      setNote(text);
      setAt(at);
    });
  };
  const undo = () => {
    const back = last.at(-1);
    if (!back) return;
    setLast((old) => old.slice(0, -1));
    keep(back.finding, "none", "").then(() => {
      setDone((old) => without(old, keyOf(back.finding)));
      setAt(findings.indexOf(back.finding));
    }, (why: Error) => {
      setError(why.message);
      setLast((old) => [...old, back]);
    });
  };
  const move = (by: number) => setAt(Math.min(Math.max(at + by, 0), findings.length));
  useKeys({ y: () => say("right"), n: () => say("wrong"), u: () => say("unsure"), j: () => move(1), k: () => move(-1), z: undo });
  const given = Object.keys(done).length;
  return (
    <>
      <p class="guards-steps quiet" role="status">
        <span>{finding ? `${at + 1} of ${findings.length} drawn` : "The last one"}; {count(Math.max(0, queue.left - given))} without a label, {count(queue.labelled + given)} with one{saving > 0 && ", saving …"}</span>
        <span class="grow" />
        <button type="button" class="button small" disabled={at === 0} onClick={() => move(-1)}>Back <kbd>k</kbd></button>
        <button type="button" class="button small" disabled={!finding} onClick={() => move(1)}>Skip <kbd>j</kbd></button>
        <button type="button" class="button small" disabled={!last.length} onClick={undo}>Undo <kbd>z</kbd></button>
      </p>
      {error && <Problem text={error} />}
      {finding ? <One key={keyOf(finding)} here={here} finding={finding} next={findings[at + 1]} said={done[keyOf(finding)]} note={note} setNote={setNote} say={say} />
        : <Nothing title={`${given} labelled`}><p><a href={href("/guards", here.query)}>See how right the rules are</a>, or reload for more.</p></Nothing>}
    </>
  );
}

function without(done: Record<string, Said>, key: string): Record<string, Said> {
  return Object.fromEntries(Object.entries(done).filter(([one]) => one !== key));
}

// Before the keys of the whole page, where u goes up: they see an event that was prevented.
function useKeys(keys: Record<string, () => void>): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (typing(event)) return;
      const act = latest.current[event.key];
      if (!act) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    };
    addEventListener("keydown", pressed, true);
    return () => removeEventListener("keydown", pressed, true);
  }, []);
}

interface Answered { content: Content | null }

// Answers are not kept by the browser: the next one waits here.
const waiting = new Map<string, Promise<Answered>>();
const KEPT = 4;

function saidIn(f: Finding): Promise<Answered> {
  const url = `/api/guards/review/${f.trace_id}/${f.span_id}`;
  const known = waiting.get(url);
  if (known) return known;
  const asked = send<Answered>("GET", url);
  waiting.set(url, asked);
  asked.catch(() => waiting.delete(url));
  if (waiting.size > KEPT) waiting.delete(waiting.keys().next().value!);
  return asked;
}

function One({ here, finding: f, next, said, note, setNote, say }: { here: Place; finding: Finding; next: Finding | undefined; said: Said | undefined; note: string; setNote: (text: string) => void; say: (said: Said) => void }) {
  const [data, setData] = useState<Answered | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let gone = false;
    saidIn(f).then((answer) => {
      if (gone) return;
      setData(answer);
      if (next) saidIn(next).catch(() => undefined);
    }, (why: Error) => gone || setError(why.message));
    return () => { gone = true; };
  }, []);
  const changed = f.mode !== "shadow" && f.action === "modify";
  return (
    <div class="guards-finding">
      <div class="guards-texts">
        {error && <Problem text={error} />}
        {data && <Texts finding={f} content={data.content} />}
      </div>
      <section class="panel guards-ask" aria-label="The finding">
        <h2>{f.label}</h2>
        <p><Chip word={f.mode === "shadow" ? "shadow" : f.verdict} /> <span class="quiet">{f.why}</span></p>
        <dl>
          <dt>Rule</dt><dd>{f.rule}</dd>
          <dt>Where</dt><dd>{f.stage.replace("_", " ")}{f.findings > 1 && `, ${f.findings} times`}</dd>
          <dt>Score</dt><dd>{f.score.toFixed(2)}</dd>
          <dt>Detector</dt><dd>{f.detector}</dd>
          <dt>App</dt><dd>{f.service} <span class="quiet">{f.env}</span></dd>
          <dt>Time</dt><dd title={local(f.us)}>{timeOf(f.us)}</dd>
        </dl>
        <p class="quiet">{changed ? `What was found was replaced before it was stored; what stands for ${f.label} is marked.` : `This rule changed nothing, so nothing is marked: is there ${f.label} in the ${f.stage.replace("_", " ")}?`}</p>
        <div class="guards-answers" role="group" aria-label="Was the guard right?">
          {(Object.keys(WORDS) as Said[]).map((one) => (
            <button key={one} type="button" class="button" aria-pressed={said === one} onClick={() => say(one)}>{WORDS[one]} <kbd>{Object.keys(KEYS).find((k) => KEYS[k] === one)}</kbd></button>
          ))}
        </div>
        <label class="guards-note">Note<textarea rows={2} maxLength={2000} value={note} onInput={(e) => setNote(e.currentTarget.value)} /></label>
        <p><a href={href(`/calls/${f.trace_id}/${f.span_id}`, here.query)}>Open the call</a></p>
        <Missed trace={f.trace_id} span={f.span_id} />
      </section>
    </div>
  );
}

const OUTPUT = ["output", "tool_call"];

function Texts({ finding, content }: { finding: Finding; content: Content | null }) {
  if (!content) return <p class="panel note">Nothing of what was said is stored for this call. Label it unsure, or skip it.</p>;
  const out = OUTPUT.includes(finding.stage);
  const messages: Message[] = out ? messagesOf(content.output, "assistant") : [...messagesOf(content.system, "system"), ...messagesOf(content.input, "user")];
  return <FindingText messages={messages} label={finding.label} />;
}
