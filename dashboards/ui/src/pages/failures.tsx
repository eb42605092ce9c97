import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Failures(_: PageProps) {
  useTitle("Failures");
  return <h1>Failures</h1>;
}

export function FailureGroup(_: PageProps) {
  useTitle("FailureGroup");
  return <h1>FailureGroup</h1>;
}
