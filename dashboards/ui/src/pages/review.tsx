import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Review(_: PageProps) {
  useTitle("Review");
  return <h1>Review</h1>;
}
