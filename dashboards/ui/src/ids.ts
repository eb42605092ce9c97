// The id of what people name: it stands in addresses.
export function idOf(name: string, otherwise: string): string {
  return name.trim().toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80) || otherwise;
}
