// A share over time and the band it is expected in, small: the numbers beside it say the same.
import type { DriftHistory } from "./drift_records";

export function Band({ history: h, drifting }: { history: DriftHistory; drifting: boolean }) {
  if (h.share.length < 2) return <span class="quiet">–</span>;
  // where there is no baseline yet the band is the whole scale and says nothing
  const known = h.low.map((low, i) => (h.high[i] ?? 1) - low < 0.999);
  const seen = [...h.share, ...h.high.filter((_, i) => known[i]), ...h.low.filter((_, i) => known[i])];
  const top = Math.max(...seen);
  const bottom = Math.min(...seen);
  const x = (i: number) => ((100 * i) / (h.share.length - 1)).toFixed(1);
  const y = (v: number) => (26 - (24 * (v - bottom)) / Math.max(top - bottom, 1e-9)).toFixed(1);
  const at = h.share.map((_, i) => i).filter((i) => known[i]);
  const band = [...at.map((i) => `${x(i)} ${y(h.high[i]!)}`), ...at.reverse().map((i) => `${x(i)} ${y(h.low[i]!)}`)].join("L");
  return (
    <svg class={`drift-band${drifting ? " drifting" : ""}`} viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">
      {band && <path class="expected" d={`M${band}Z`} />}
      <path class="share" d={`M${h.share.map((v, i) => `${x(i)} ${y(v)}`).join("L")}`} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
