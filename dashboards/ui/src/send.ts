// Telling the API something: what came of it, or an Error whose text can be shown.
export async function send<T>(method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: unknown, how: RequestInit = {}): Promise<T> {
  const init = { ...how, method, headers: { accept: "application/json", "content-type": "application/json" }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await fetch(url, init).catch(() => {
    throw new Error("The sidecar does not answer. Is `spanward serve` running?");
  });
  const told: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error((told as { message?: string }).message ?? `The sidecar answered ${response.status}.`);
  return told as T;
}
