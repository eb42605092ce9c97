import { useEffect, useRef } from "preact/hooks";
import { PAGES } from "../pages";

const KEYS: readonly (readonly [string, string])[] = [
  ["?", "this help"],
  ["/", "search"],
  ["t", "time range"],
  ["j  k", "next, previous row or call"],
  ["Enter", "open the row"],
  ["⌘ K", "go to a page, or look for a text"],
  ...PAGES.filter((page) => page.key).map((page) => [`g ${page.key}`, page.name] as const),
  ["u", "from a call up to its list"],
  ["Esc", "close, leave the search box"],
];

export function Help({ open, close }: { open: boolean; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog ref={dialog} class="help" aria-label="Keyboard" onClose={close} onClick={(event) => event.target === dialog.current && close()}>
      <h2>Keyboard</h2>
      <dl>
        {KEYS.map(([keys, what]) => (
          <div key={keys}><dt>{keys.split(/\s+/).map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{what}</dd></div>
        ))}
      </dl>
      <button type="button" class="button" onClick={close}>Close</button>
    </dialog>
  );
}
