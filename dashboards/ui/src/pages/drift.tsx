import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Drift(_: PageProps) {
  useTitle("Drift");
  return <h1>Drift</h1>;
}

export function DriftAlarm(_: PageProps) {
  useTitle("DriftAlarm");
  return <h1>DriftAlarm</h1>;
}
