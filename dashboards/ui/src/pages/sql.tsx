import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Sql(_: PageProps) {
  useTitle("Sql");
  return <h1>Sql</h1>;
}
