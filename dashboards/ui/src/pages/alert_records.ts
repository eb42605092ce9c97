// What the API answers about alerts. Times in milliseconds, spans of time in seconds.
export interface Rule {
  name: string; metric: string; kind: string; scope: Record<string, string[]>; by: string[]; condition: "above" | "below";
  threshold: number; clear: number | null; window_s: number; for_s: number; minimum_calls: number; target: number; budget: string;
  severity: "critical" | "warning" | "info"; channels: string[]; repeat_s: number; enabled: boolean;
}
export type Phase = "firing" | "pending" | "ok" | "off";
export interface GroupState { group: string; names: string[]; phase: Phase; since: number; told: number; value: number | null; text: string }
export interface Alert {
  id: string; version: number; changed: number; actor: string; rule: Rule; metric: string; unit: Unit; phase: Phase; groups: GroupState[];
  left_out: number; problem: string; snooze: { until: number; since: number; actor: string; note: string } | null;
}
export interface Undelivered { id: string; title: string; rule: string; channel: string; since: number; next: number; attempts: number; why: string }
export interface ChannelName { id: string; name: string; kind: string }
export interface Alerts {
  alerts: Alert[]; undelivered: Undelivered[]; unreadable: number; channels: ChannelName[];
  engine: { at: number; rules: number; problem: string; waiting: number; lost: number; every_s: number };
}
export type Unit = "share" | "ms" | "count" | "per_minute" | "usd_per_hour" | "minutes" | "seconds" | "bytes" | "times" | "effect";
export interface MetricChoice { name: string; text: string; unit: Unit; source: string; kinds: string[]; by: string[]; sampled: boolean; fixed: number | null; past: boolean }
export interface Choices { metrics: MetricChoice[]; windows: number[]; budgets: { id: string; name: string }[]; channels: ChannelName[]; address: string }
export interface BackTest {
  known: boolean; t: number[]; step: number; lines: { group: string; values: (number | null)[] }[]; threshold: number; clear: number;
  spells: { group: string; start: number; end: number | null; peak: number }[]; notifications: number;
}
export interface Happened {
  id: string; at: number; rule: string; name: string; group: string; event: string; value: number | null; threshold: number | null;
  channel: string; attempts: number; actor: string; detail: string;
}
export interface History { events: Happened[]; next: string | null }
export interface Sent { channel: string; name: string; delivered: boolean; why: string }
