// What each kind of token of a call cost, by the prices that the sidecar has for its day. Asked for when it is opened.
import { useState } from "preact/hooks";
import { useAnswer } from "../answer";
import { count, usd } from "../format";
import { isoSeconds } from "../range";
import type { CallDetail } from "../records";
import { Problem } from "./notice";

interface Prices { version: string; split: { kind: string; tokens: number; price: number; cost: number }[] }

const KINDS: Record<string, string> = {
  input: "Input", cache_read: "Read from cache", cache_write: "Written to cache", output: "Output", reasoning: "Reasoning", request: "The call itself",
};
const NEAR = 0.01;

export function CostParts({ call }: { call: CallDetail }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="cost-parts" onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>What each kind cost</summary>
      {open && <Parts call={call} />}
    </details>
  );
}

function Parts({ call: c }: { call: CallDetail }) {
  const asked = new URLSearchParams({
    provider: c.provider, model: c.model, asked: c.request_model, at: isoSeconds(c.us / 1000), input_tokens: String(c.input_tokens), cached_tokens: String(c.cached_tokens),
    cache_write_tokens: String(c.cache_write_tokens), output_tokens: String(c.output_tokens), reasoning_tokens: String(c.reasoning_tokens),
  });
  const { data, error } = useAnswer<Prices>(`/api/cost/prices?${asked}`);
  if (error) return <Problem text={error} />;
  if (!data) return null;
  if (!data.split.length) return <p class="quiet">The sidecar has no price for this model: the application told the cost.</p>;
  const sum = data.split.reduce((all, part) => all + part.cost, 0);
  const told = c.cost ?? 0;
  return (
    <>
      <dl>{data.split.map((part) => (
        <div key={part.kind}>
          <dt>{KINDS[part.kind] ?? part.kind}{part.tokens > 0 && <small> {count(part.tokens)} at {usd(part.price)} a million</small>}</dt><dd>{usd(part.cost)}</dd>
        </div>
      ))}</dl>
      <p class="quiet">By prices {data.version}{Math.abs(sum - told) > NEAR * told && `, by which it costs ${usd(sum)}: ${usd(told)} came ${c.price_version && c.price_version !== data.version ? `by prices ${c.price_version}` : "with the call"}`}.</p>
    </>
  );
}
