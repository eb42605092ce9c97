// What the operations on sessions and users answer. `us` in microseconds, costs in US dollars, null = nothing was priced.
import type { CallRow } from "../records";
import type { Sums } from "./cost_records";

export interface SessionStats {
  session_id: string; first_us: number; last_us: number; calls: number; errors: number; blocked: number; unpriced: number;
  found: number; input_tokens: number; output_tokens: number; cost: number | null; users: string[]; services: string[]; models: string[];
}
export interface Listed extends SessionStats { said: string | null; answered: string | null }
export interface SessionList { sessions: Listed[]; next: string | null }
export interface Message { role: string; text: string; calls: string[]; cut: boolean }
export interface Tool { trace_id: string; span_id: string; name: string; status: string; us: number; latency_ms: number }
export interface Turn {
  call: CallRow; gap_ms: number | null; so_far: number; said: { asked: Message[]; answered: Message[] } | null; tools: Tool[];
}
export interface Opened { session: SessionStats; turns: Turn[]; next: string | null; withheld: boolean }
export interface UserRow extends Sums { user: string; last_us: number }
export interface UserList { users: UserRow[]; total: number; anonymous: number; next: string | null }
export interface OneUser {
  user: string; start: number; end: number; step: number; totals: Sums; previous: Sums;
  series: { t: number[]; calls: number[]; errors: number[]; blocked: number[]; cost: number[] };
  models: (Sums & { value: string })[]; prompts: (Sums & { value: string })[];
  failures: { status: string; error_type: string; calls: number; last_us: number; message: string; trace_id: string; span_id: string }[];
  findings: { rule: string; kind: string; events: number }[];
}
