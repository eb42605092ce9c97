import type { PageProps } from "../pages";
import { useTitle } from "../title";

export function Users(_: PageProps) {
  useTitle("Users");
  return <h1>Users</h1>;
}

export function User(_: PageProps) {
  useTitle("User");
  return <h1>User</h1>;
}
