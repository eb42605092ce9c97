// Asking and telling the API: what came of it, or an Error whose text can be shown.
import { keep } from "./offers";

// The sidecar answered, and the answer is no.
export class Refusal extends Error {}

export async function send<T>(method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: unknown, how: RequestInit = {}): Promise<T> {
  const type = method === "GET" ? {} : { "content-type": "application/json" };
  const init = { ...how, method, headers: { accept: "application/json", ...type }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(url, init).catch(() => {
    throw new Error("The sidecar does not answer. Is `spanward serve` running?");
  });
  const told: unknown = await response.json().catch(() => {
    if (response.ok) throw new Error("The sidecar's answer broke off.");
    return {};
  });
  keep(told);
  if (!response.ok) throw new Refusal((told as { message?: string }).message ?? `The sidecar answered ${response.status}.`);
  return told as T;
}
