export function Sparkline({ values, tone }: { values: readonly (number | null)[]; tone: string }) {
  const top = Math.max(...values.map((v) => v ?? 0), 1e-12);
  const step = 100 / Math.max(values.length - 1, 1);
  let path = "";
  values.forEach((value, i) => {
    if (value === null) return;
    if (values[i - 1] == null && values[i + 1] == null) {
      path += `M${(i * step).toFixed(2)} ${(23 - (22 * value) / top).toFixed(2)}h0.01`;
      return;
    }
    path += `${path && values[i - 1] !== null ? "L" : "M"}${(i * step).toFixed(2)} ${(23 - (22 * value) / top).toFixed(2)}`;
  });
  return (
    <svg class={`spark ${tone}`} viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} vector-effect="non-scaling-stroke" />
    </svg>
  );
}
