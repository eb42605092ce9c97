// A shorter range that the API offered with an error, by the error's text: pages hand on only the text.
export interface Offer { from: string; to: string }

const offers = new Map<string, Offer>();

export function keep(body: unknown): void {
  const { message, narrower } = (body ?? {}) as { message?: string; narrower?: Offer | null };
  if (message && narrower) offers.set(message, narrower);
}

export function offerFor(text: string): Offer | undefined {
  return offers.get(text);
}
