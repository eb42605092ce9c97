// Cases: what is said, and what must become of it. Written, pasted or loaded here; they stay in this browser.
import { Tag } from "./tag";
import { useState } from "preact/hooks";

import { ms } from "../../format";
import { Problem } from "../../parts/notice";
import { send } from "../../send";
import { Editor, EditorKeys } from "../editor";
import type { Work } from "./draft";
import type { Tested } from "./records";
import { Lines } from "./lines";

const SAMPLE = `cases:
  - name: an address leaves the prompt
    input: Write to jane@example.org, please.
    expect: { finds: EMAIL_ADDRESS }
  - name: an order number is no card
    input: Order 4111 is late
    expect: { action: allow }
`;
const KEY = "spanward.cases";
const LARGEST = 1_000_000;

export function TestTab({ name, work }: { name: string; work: Work }) {
  const { file, text, changed } = work.draft!;
  const [cases, set] = useState(() => sessionStorage.getItem(KEY) ?? SAMPLE);
  const [told, tell] = useState<Tested | null>(null);
  const [problem, fail] = useState("");
  const [busy, work_] = useState(false);
  const write = (next: string) => {
    set(next);
    try {
      sessionStorage.setItem(KEY, next);
    } catch {
      // no room: they last as long as the page
    }
  };
  const run = () => {
    fail("");
    work_(true);
    send<Tested>("POST", "/api/policies/test", { name, file: file.name, text, cases }).then(tell, (why: Error) => fail(why.message)).finally(() => work_(false));
  };
  const load = async (chosen: File | undefined) => {
    if (!chosen) return;
    if (chosen.size > LARGEST) return fail("The file has more than a million characters.");
    write((await chosen.text()).replaceAll("\r\n", "\n"));
  };
  const line = Number(/:(\d+):/.exec(problem)?.[1] ?? 0);
  return (
    <div class="policies-columns">
      <div>
        <Editor label="Cases" text={cases} rows={26} onText={write} onRun={run} marks={line ? [{ line, severity: "error", text: problem }] : []} />
        <EditorKeys run="runs the cases" />
        <p><label class="policies-file">Load a file <input type="file" accept=".yaml,.yml" onChange={(event) => void load(event.currentTarget.files?.[0])} /></label></p>
      </div>
      <section class="panel" aria-label="Outcome"><header><h2>{changed ? "Your draft" : "The policy"} against these cases</h2><span class="grow" /><button type="button" class="button primary small" disabled={busy} onClick={run}>{busy ? "Running…" : "Run"}</button></header>
        {problem && <Problem text={problem} />}
        {told && !problem && (
          <>
            <p class="note" role="status"><Tag tone={told.failed ? "bad" : "good"}>{told.failed ? `${told.failed} of ${told.cases.length} failed` : `all ${told.cases.length} passed`}</Tag> against {told.policy} <code>{told.hash}</code></p>
            {told.degraded.map((each) => <p key={each} class="note warn-text">{each}</p>)}
            <ul class="policies-cases">{told.cases.map((each) => (
              <li key={each.line}><p><Tag tone={each.passed ? "good" : "bad"}>{each.passed ? "pass" : "fail"}</Tag> {each.name} <span class="quiet">line {each.line} · {ms(each.ms)}</span></p>
                {!each.passed && <><p class="quiet">− expected, + came</p><Lines lines={each.differences} /></>}</li>
            ))}</ul>
          </>
        )}
        {!told && !problem && <p class="note quiet">Each case is put to the {changed ? "draft" : "policy"} with all the time it needs. The form is that of <code>spanward policy test</code>.</p>}
      </section>
    </div>
  );
}
