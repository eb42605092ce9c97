import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Policies(_: PageProps) {
  useTitle("Policies");
  return <h1>Policies</h1>;
}

export function Policy(_: PageProps) {
  useTitle("Policy");
  return <h1>Policy</h1>;
}
