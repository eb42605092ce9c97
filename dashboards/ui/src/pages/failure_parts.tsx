// What the list of failures and the page of one group share: kinds as words, and where a group gathers as a sentence.
import { percent } from "../format";
import { change } from "../place";
import { KIND_MEANING, KIND_TONES, KIND_WORDS, type Where } from "./failure_records";

export function KindMark({ kind }: { kind: string }) {
  return <span class="failures-kind" title={KIND_MEANING[kind]}><i class={`failures-dot failures-${KIND_TONES[kind] ?? "text"}`} aria-hidden="true" />{KIND_WORDS[kind] ?? kind}</span>;
}

const NAMES: Record<string, string> = { prompt: "prompt", model: "model", provider: "provider", service: "app", policy: "policy", user_group: "user group" };

export function nameOf(dimension: string, value: string, version: string): string {
  if (!value) return "(none)";
  if (dimension === "prompt" && version) return `${value} v${version.replace(/^v(?=\d)/, "")}`;
  if (dimension === "policy") return value.slice(0, 8);
  return value;
}

export function dimensionWord(dimension: string): string {
  return NAMES[dimension] ?? dimension;
}

// The filters by which the calls of one value are listed.
export function filtersFor(dimension: string, value: string, version: string): Record<string, string> {
  if (dimension === "prompt") return { prompt: value, prompt_version: version };
  if (dimension === "model") return { model: value, provider: version };
  return { [dimension]: value };
}

export function WhereText({ where }: { where: Where }) {
  return (
    <>
      <b>{percent(where.share)}</b> with {dimensionWord(where.dimension)} <b>{nameOf(where.dimension, where.value, where.version)}</b>, which has {percent(where.base)} of all calls
    </>
  );
}

export function RateText({ where }: { where: Where }) {
  return <>{percent(where.rate)} of its calls fail so, {where.elsewhere ? `${percent(where.elsewhere)} of the others` : "none of the others"}</>;
}

export function listed(query: URLSearchParams, filters: Record<string, string | readonly string[]>): URLSearchParams {
  const next = change(query, filters);
  next.delete("since");
  next.delete("limit");
  return next;
}
