import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Cost(_: PageProps) {
  useTitle("Cost");
  return <h1>Cost</h1>;
}
