import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Alerts(_: PageProps) {
  useTitle("Alerts");
  return <h1>Alerts</h1>;
}

export function Alert(_: PageProps) {
  useTitle("Alert");
  return <h1>Alert</h1>;
}
