// What the API answers about settings. Times in milliseconds.
export interface Channel {
  kind: "webhook" | "slack" | "email"; name: string; url?: string; secret_env?: string; host?: string; port?: number;
  encryption?: "starttls" | "tls" | "none"; sender?: string; to?: string[]; username?: string; password_env?: string; ca_file?: string;
}
export interface ChannelTold { id: string; version: number; changed: number; actor: string; channel: Channel; used: string[] }
export interface Channels { channels: ChannelTold[] }
export interface AlertSettings { address: string; every_s: number; version: number }
export interface Kept { name: string; tables: string[]; days: number; default: number; rows: number; bytes: number; oldest: number; rows_past: number; rows_now: number; bytes_now: number }
export interface Retention { kept: Kept[]; version: number }
export interface Price { provider: string; model: string; input: number; output: number; cache_read: number | null; cache_write: number | null }
export interface Configured {
  file: string; listens: string; store: string; prices: { version: string; file: string; private: Price[]; more: number };
  policy: { name: string; hash: string; source: string; problem: string }; keys: { name: string; role: string }[];
  versions: Record<string, string>; data: { path: string; bytes: number; parts: Record<string, number>; complete: boolean };
}
