import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Settings(_: PageProps) {
  useTitle("Settings");
  return <h1>Settings</h1>;
}
