// What /api/health/store answers. `_us` in microseconds, `t` and `last` in milliseconds, sizes in bytes.
export interface StoredTable { name: string; rows: number; bytes: number; oldest_us: number | null; growth: number | null; kept: number | null }
export interface Source { service: string; provider: string; calls: number; unguarded: number; last: number }
export interface History { t: number[]; calls: number[]; failed_open: number[]; unguarded: number[]; lost: number[]; noted: number[] }
export interface StoreHealth {
  tables: StoredTable[]; disk_free: number | null; disk_total: number | null; changes_waiting: number; sources: Source[];
  streams: Record<string, number>; history: History; versions: Record<string, string>;
}

// Days until the disk is full if the tables go on growing; null where it will not be, by what is kept.
export function daysLeft({ tables, disk_free: free }: StoreHealth): number | null {
  const growing = tables.filter((t) => t.growth !== null && t.oldest_us !== null);
  const grows = growing.reduce((sum, t) => sum + (t.growth ?? 0), 0);
  if (!free || !grows) return null;
  const full = growing.reduce((sum, t) => sum + (t.kept === null ? Infinity : Math.max(0, (t.growth ?? 0) * t.kept - t.bytes)), 0);
  return full <= free ? null : Math.floor(free / grows);
}
