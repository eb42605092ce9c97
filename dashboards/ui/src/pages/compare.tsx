import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Compare(_: PageProps) {
  useTitle("Compare");
  return <h1>Compare</h1>;
}
