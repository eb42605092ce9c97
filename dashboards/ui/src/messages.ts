// Stored messages (OpenTelemetry GenAI JSON) into what the page shows. Input we do not know is shown as it is, never dropped.
export type Part =
  | { kind: "text" | "reasoning"; text: string }
  | { kind: "tool_call"; id: string; name: string; json: string }
  | { kind: "tool_result"; id: string; json: string }
  | { kind: "document"; id: string; name: string; json: string }
  // `image`: a data: URL of a picture that may be shown; nothing is ever loaded from elsewhere
  | { kind: "media"; modality: string; mime: string; uri: string; size: number; image: string }
  | { kind: "other"; json: string };

export interface Message {
  role: string;
  parts: Part[];
  finish: string;
}

type Loose = Record<string, unknown>;

export function pretty(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null ? JSON.stringify(parsed, null, 2) : value;
  } catch {
    return value;
  }
}

const str = (value: unknown): string => (typeof value === "string" ? value : value == null ? "" : String(value));

function part(raw: unknown): Part {
  if (typeof raw === "string") return { kind: "text", text: raw };
  const p = (raw ?? {}) as Loose;
  switch (p["type"]) {
    case "text":
    case "reasoning":
      return { kind: p["type"], text: typeof p["content"] === "string" ? p["content"] : pretty(p["content"]) };
    case "tool_call":
      return { kind: "tool_call", id: str(p["id"]), name: str(p["name"]), json: pretty(p["arguments"] ?? {}) };
    case "tool_call_response":
      return { kind: "tool_result", id: str(p["id"]), json: pretty(p["response"] ?? p["result"] ?? "") };
    case "uri":
    case "blob":
    case "file":
      return {
        kind: "media", modality: str(p["modality"]) || "file", mime: str(p["mime_type"]), uri: str(p["uri"] ?? p["file_id"]),
        size: str(p["content"]).length, image: imageOf(str(p["mime_type"]), str(p["uri"]), str(p["content"])),
      };
    case "document":
      return { kind: "document", id: str(p["id"]), name: str(p["name"]), json: pretty(p["content"] ?? "") };
    default:
      return { kind: "other", json: pretty(raw) };
  }
}

const LARGEST_IMAGE = 2_000_000;

function imageOf(mime: string, uri: string, content: string): string {
  const url = uri.startsWith("data:") ? uri : content && `data:${mime};base64,${content}`;
  return url.length <= LARGEST_IMAGE && /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/.test(url) ? url : "";
}

// `role` is for lists of parts without a message around them, as system instructions are.
export function messagesOf(json: string, role: string): Message[] {
  if (!json) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return [{ role, parts: [{ kind: "text", text: json }], finish: "" }];
  }
  const list = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  if (list.some((m) => m && typeof m === "object" && "role" in m)) {
    return list.map((m) => {
      const message = m as Loose;
      const inner = message["parts"] ?? message["content"] ?? [];
      return { role: str(message["role"]), parts: (Array.isArray(inner) ? (inner as unknown[]) : [inner]).map(part), finish: str(message["finish_reason"]) };
    });
  }
  return list.length ? [{ role, parts: list.map(part), finish: "" }] : [];
}

export interface Tool {
  name: string;
  description: string;
  json: string;
}

export function toolsOf(json: string): Tool[] {
  if (!json) return [];
  try {
    const parsed: unknown = JSON.parse(json);
    return (Array.isArray(parsed) ? (parsed as unknown[]) : [parsed]).map((raw) => {
      const tool = (raw ?? {}) as Loose;
      const inner = (tool["function"] ?? tool) as Loose;
      return { name: str(inner["name"]) || str(tool["type"]) || "tool", description: str(inner["description"]), json: pretty(raw) };
    });
  } catch {
    return [{ name: "tools", description: "", json }];
  }
}

// What guards put where something was: <EMAIL_ADDRESS_1> for a pseudonym, [EMAIL_ADDRESS] for what was struck out. The
// second form needs an underscore or a known short label, or any [TODO] would be taken for one.
const MARK = /(<[A-Z][A-Z0-9_]*_\d+>|\[(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|PERSON|LOCATION|NRP|SECRET|URL|FINDING)\])/;

export function marked(text: string): { text: string; mark: boolean }[] {
  return text.split(MARK).map((piece, i) => ({ text: piece, mark: i % 2 === 1 })).filter((piece) => piece.text);
}

const MARKS = new RegExp(MARK.source, "g");
const LOOKED_AT = 500_000;

// Counted in the first half million characters: what is longer was folded anyway.
export function marksIn(messages: Message[]): number {
  let n = 0;
  let left = LOOKED_AT;
  for (const { parts } of messages) {
    for (const p of parts) {
      const said = textOf(p).slice(0, left);
      left -= said.length;
      n += said.match(MARKS)?.length ?? 0;
    }
  }
  return n;
}

export function textOf(part: Part): string {
  return "text" in part ? part.text : "json" in part ? part.json : part.uri;
}
