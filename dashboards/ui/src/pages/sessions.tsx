import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Sessions(_: PageProps) {
  useTitle("Sessions");
  return <h1>Sessions</h1>;
}

export function Session(_: PageProps) {
  useTitle("Session");
  return <h1>Session</h1>;
}
