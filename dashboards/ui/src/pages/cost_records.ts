// What the cost operations answer. Times in milliseconds, costs in US dollars, null = nothing was priced.
export interface Sums {
  calls: number; errors: number; blocked: number; unpriced: number; priced: number; priced_tokens: number; found: number;
  input_tokens: number; cached_tokens: number; output_tokens: number; cost: number | null;
}
export interface Row extends Sums { value: string; share: number; before: number | null; cells: (number | null)[] }
export interface Effects { calls: number; tokens: number; price: number }
export interface Factors { calls: number | null; tokens_per_call: number | null; price_per_token: number | null }
export interface Named {
  values: Record<string, string>; share: number; before: number; now: number; effects: Effects; factors: Factors;
  since: number | null; until: number | null;
}
export interface Change { cost: number; effects: Effects; factors: Factors; cause: Named | null }
export interface CostAnswer {
  start: number; end: number; step: number; live: boolean; by: string; across: string; totals: Sums; previous: Sums;
  change: Change; rows: Row[]; columns: string[]; more: number;
  series: { step: number; t: number[]; lines: { value: string; cost: number[] }[]; rest: number[] };
}
export interface Unpriced { models: { provider: string; model: string; calls: number; tokens: number }[]; snippet: string }
export interface Outlook {
  start: number; end: number; spent: number; unpriced: number; projected: number | null; low: number | null; high: number | null;
}
export interface BudgetState extends Outlook { share: number; over: boolean; projected_over: boolean }
export interface Budget {
  id: string; version: number; changed: number; actor: string; name: string; scope: Record<string, string[]>; amount_usd: number;
  period: Period; state: BudgetState;
}
export type Period = "day" | "week" | "month";
export interface Repriced {
  version: string; applied: boolean; calls: number; old: number; new: number;
  models: { provider: string; model: string; calls: number; unpriced: number; old: number; new: number }[];
  left_out: { provider: string; model: string; calls: number }[];
}
