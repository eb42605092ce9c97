// What the tab is called, so that several open calls can be told apart.
import { useEffect } from "preact/hooks";

export function useTitle(page: string): void {
  useEffect(() => {
    document.title = `${page} · Spanward`;
  }, [page]);
}
