import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function HealthPage(_: PageProps) {
  useTitle("HealthPage");
  return <h1>HealthPage</h1>;
}
