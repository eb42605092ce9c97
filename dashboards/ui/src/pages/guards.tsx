import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Guards(_: PageProps) {
  useTitle("Guards");
  return <h1>Guards</h1>;
}
