// Small things that people say and move on: sent even if they leave the page at once, what is said of one thing in its
// order. What is asked afterwards waits for them, so that no answer is older than what one has just said.
import { send } from "./send";

const onTheWay = new Map<string, Promise<unknown>>();

export function tell<T>(url: string, body: unknown, of: string): Promise<T> {
  const sent = () => send<T>("POST", url, body, { keepalive: true });
  const before = onTheWay.get(of);
  const told = before ? before.then(sent, sent) : sent();
  onTheWay.set(of, told);
  const gone = () => { if (onTheWay.get(of) === told) onTheWay.delete(of); };
  told.then(gone, gone);
  return told;
}

export async function allTold(): Promise<void> {
  if (onTheWay.size) await Promise.allSettled(onTheWay.values());
}
