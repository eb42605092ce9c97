// What a placeholder stands for: asked of the vault with a reason, written to the audit log, shown for a minute, kept nowhere.
import { createContext, type ComponentChildren } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import { send } from "../send";

const SHOWN_MS = 60_000;
const PLACEHOLDER = /^<[A-Z][A-Z0-9_]*_\d+>$/;
const WHY = "put here by a guard; the value itself was not stored";

const Asking = createContext<((placeholder: string) => void) | null>(null);

// Everything below can ask about the placeholders of one trace.
export function Revealing({ trace, children }: { trace: string; children: ComponentChildren }) {
  const [asked, ask] = useState("");
  return (
    <Asking.Provider value={ask}>
      {children}
      {asked && <Reveal key={asked} trace={trace} placeholder={asked} close={() => ask("")} />}
    </Asking.Provider>
  );
}

export function Mark({ text }: { text: string }) {
  const ask = useContext(Asking);
  if (!ask || !PLACEHOLDER.test(text)) return <mark title={WHY}>{text}</mark>;
  return <mark><button type="button" class="call-mark" title={`${WHY}; click to ask for it`} onClick={() => ask(text)}>{text}</button></mark>;
}

interface Told {
  value: string;
}

function Reveal({ trace, placeholder, close }: { trace: string; placeholder: string; close: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [value, setValue] = useState<string | null>(null);
  const [error, setError] = useState("");
  useEffect(() => box.current?.showModal(), []);
  useEffect(() => {
    if (value === null) return;
    const timer = setTimeout(close, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [value]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setError("");
    send<Told>("POST", "/v1/vault/reveal", { placeholder, trace_id: trace, reason: reason.trim() })
      .then((told) => setValue(told.value), (why: Error) => setError(why.message));
  };
  return (
    <dialog ref={box} class="call-reveal" aria-label={`What ${placeholder} stands for`} onClose={close}>
      <h2>{placeholder}</h2>
      {value === null ? (
        <form onSubmit={submit}>
          <p class="quiet">A guard took this value out. The vault still knows it if the session has not expired. Who looked, when and why is written to the audit log first.</p>
          <label>Reason <input value={reason} maxLength={500} required onInput={(event) => setReason(event.currentTarget.value)} /></label>
          {error && <p class="bad-text" role="alert">{error}</p>}
          <p class="call-buttons"><button type="submit" class="button primary" disabled={!reason.trim()}>Reveal</button> <button type="button" class="button" onClick={close}>Cancel</button></p>
        </form>
      ) : (
        <>
          <output class="call-value">{value}</output>
          <p class="quiet">Shown for a minute, kept nowhere on this page.</p>
          <p class="call-buttons"><button type="button" class="button" onClick={close}>Hide</button></p>
        </>
      )}
    </dialog>
  );
}
