// A stored call in other words: the request for a shell, the span for another tracing tool. No key is in either.
import { messagesOf, textOf, toolsOf, type Message, type Part } from "./messages";
import type { CallDetail, Content, Span } from "./records";

type Loose = Record<string, unknown>;

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const texts = (parts: readonly Part[]): string => parts.filter((p) => p.kind === "text").map(textOf).join("\n");

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return json;
  }
}

function tools(content: Content, anthropic: boolean): unknown[] {
  return toolsOf(content.tools).map((tool) => {
    const raw = parsed(tool.json) as Loose;
    const inner = ((raw["function"] as Loose | undefined) ?? raw) as Loose;
    const schema = inner["parameters"] ?? inner["input_schema"] ?? { type: "object", properties: {} };
    const told = { name: tool.name, description: tool.description };
    return anthropic ? { ...told, input_schema: schema } : { type: "function", function: { ...told, parameters: schema } };
  });
}

function openaiMessage(message: Message): Loose[] {
  const results = message.parts.flatMap((p) => (p.kind === "tool_result" ? [{ role: "tool", tool_call_id: p.id, content: p.json }] : []));
  const calls = message.parts.flatMap((p) => (p.kind === "tool_call" ? [{ id: p.id, type: "function", function: { name: p.name, arguments: JSON.stringify(parsed(p.json)) } }] : []));
  const said = texts(message.parts);
  if (!said && !calls.length) return results;
  return [...results, { role: message.role === "tool" ? "user" : message.role, content: said, ...(calls.length ? { tool_calls: calls } : {}) }];
}

function anthropicMessage(message: Message): Loose {
  const content = message.parts.flatMap((p): Loose[] => {
    switch (p.kind) {
      case "text":
        return [{ type: "text", text: p.text }];
      case "tool_call":
        return [{ type: "tool_use", id: p.id, name: p.name, input: parsed(p.json) }];
      case "tool_result":
        return [{ type: "tool_result", tool_use_id: p.id, content: p.json }];
      default:
        return [];
    }
  });
  return { role: message.role === "assistant" ? "assistant" : "user", content };
}

const NUMBERS = [["gen_ai.request.temperature", "temperature"], ["gen_ai.request.top_p", "top_p"], ["gen_ai.request.max_tokens", "max_tokens"]] as const;

function settings(attributes: Record<string, string>): Loose {
  const found: Loose = {};
  for (const [from, to] of NUMBERS) if (attributes[from] && Number.isFinite(Number(attributes[from]))) found[to] = Number(attributes[from]);
  return found;
}

// Of the two shapes that most providers speak.
export function hasCurl(call: CallDetail, content: Content | null): content is Content {
  return content !== null && call.operation === "chat" && (call.provider === "openai" || call.provider === "anthropic");
}

export function curlOf(call: CallDetail, content: Content, attributes: Record<string, string>): string {
  const anthropic = call.provider === "anthropic";
  const input = messagesOf(content.input, "user");
  const system = messagesOf(content.system, "system").map((m) => texts(m.parts)).join("\n");
  const offered = tools(content, anthropic);
  const body = {
    model: call.request_model || call.model,
    ...(anthropic ? { max_tokens: 1024 } : {}),
    ...settings(attributes),
    ...(anthropic && system ? { system } : {}),
    messages: anthropic ? input.map(anthropicMessage) : [...(system ? [{ role: "system", content: system }] : []), ...input.flatMap(openaiMessage)],
    ...(offered.length ? { tools: offered } : {}),
  };
  const address = anthropic ? "https://api.anthropic.com/v1/messages" : "https://api.openai.com/v1/chat/completions";
  const headers = anthropic ? ['"x-api-key: $ANTHROPIC_API_KEY"', "'anthropic-version: 2023-06-01'"] : ['"Authorization: Bearer $OPENAI_API_KEY"'];
  return [`curl ${address}`, ...headers.map((header) => `-H ${header}`), "-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body, null, 2))}`].join(" \\\n  ");
}

const KINDS: Record<string, number> = { Internal: 1, Server: 2, Client: 3, Producer: 4, Consumer: 5 };
const CONTENT = [["gen_ai.input.messages", "input"], ["gen_ai.output.messages", "output"], ["gen_ai.system_instructions", "system"], ["gen_ai.tool.definitions", "tools"]] as const;

// Attributes are stored as text: counts of tokens are numbers again, the rest stays text.
const attribute = ([key, value]: [string, string]) => ({ key, value: key.startsWith("gen_ai.usage.") && /^\d+$/.test(value) ? { intValue: value } : { stringValue: value } });
const attributesOf = (all: Record<string, string>) => Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)).map(attribute);

export function otlpOf(trace: string, span: Span, content: Content | null): string {
  const said: Record<string, string> = {};
  if (content) for (const [key, name] of CONTENT) if (content[name]) said[key] = content[name];
  const nanos = (us: number) => `${Math.round(us)}000`;
  const told = {
    traceId: trace, spanId: span.span_id, ...(span.parent_span_id ? { parentSpanId: span.parent_span_id } : {}), name: span.name, kind: KINDS[span.kind] ?? 0,
    startTimeUnixNano: nanos(span.us), endTimeUnixNano: nanos(span.us + span.duration_us), attributes: attributesOf({ ...span.attributes, ...said }),
    status: span.status === "error" ? { code: 2, message: span.status_message } : span.status === "ok" ? { code: 1 } : {},
  };
  return JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(span.resource) }, scopeSpans: [{ scope: { name: span.scope }, spans: [told] }] }] }, null, 2);
}
