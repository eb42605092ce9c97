import { delta } from "../format";
import { Sparkline } from "./sparkline";

export interface TileProps {
  name: string;
  value: string;
  note?: string;
  now: number | null | undefined;
  before: number | null | undefined;
  // which way is good: up, down, or neither
  good: "up" | "down" | "";
  line: readonly (number | null)[];
  tone: string;
  href: string;
}

export function Tile({ name, value, note, now, before, good, line, tone, href }: TileProps) {
  const moved = delta(now, before);
  const mood = moved === null || !good || Math.abs(moved) < 0.005 ? "" : moved > 0 === (good === "up") ? "good" : "bad";
  return (
    <a class="tile" href={href}>
      <span class="name">{name}</span>
      <strong>{value}</strong>
      <span class="below">
        {moved !== null && (
          <span class={`delta ${mood}`} title="against the period of the same length before">
            {moved >= 0 ? "▲" : "▼"} {Math.abs(moved) >= 9.995 ? ">999" : Math.abs(moved * 100).toFixed(Math.abs(moved) < 0.1 ? 1 : 0)}%
          </span>
        )}
        {note && <span class="quiet">{note}</span>}
      </span>
      <Sparkline values={line} tone={tone} />
    </a>
  );
}
