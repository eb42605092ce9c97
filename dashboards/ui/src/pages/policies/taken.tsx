// After a save: whether the sidecar has taken the policy up, or why not.
import { useEffect, useState } from "preact/hooks";
import { Problem } from "../../parts/notice";
import { send } from "../../send";
import { Tag } from "./tag";
import type { Saved, Status } from "./records";

const LOOK_MS = 400;
const PATIENCE_MS = 20_000;

export function Taken({ saved, then }: { saved: Saved; then: () => void }) {
  const [status, set] = useState<Status | null>(null);
  const [late, wait] = useState(false);
  useEffect(() => {
    let timer = 0;
    let gone = false;
    const started = Date.now();
    const look = () => {
      send<Status>("GET", "/api/policies/status").then((now) => {
        if (gone) return;
        set(now);
        if (now.hash === saved.hash) return then();
        if (Date.now() - started > PATIENCE_MS) return wait(true);
        timer = window.setTimeout(look, LOOK_MS);
      }, () => {
        if (!gone) timer = window.setTimeout(look, LOOK_MS);
      });
    };
    look();
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [saved.hash]);
  if (status?.hash === saved.hash) return <p class="policies-taken" role="status"><Tag tone="good">in force</Tag> <code>{saved.hash}</code> is what every call is held to now.</p>;
  if (late) return <Problem text={status?.problem ? `Saved, but not in force: ${status.problem}` : `Saved, but ${status?.hash} is still in force. Does the sidecar run with ${saved.file}?`} />;
  return <p class="policies-taken" role="status">Saved. The sidecar takes {saved.hash} up…{status?.problem && ` It says: ${status.problem}`}</p>;
}
