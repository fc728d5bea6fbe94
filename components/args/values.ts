import { isDeferred } from "./refuse";

/** Nothing is trimmed at run time: with a space around it, a text would match nothing. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value === value.trim();
}

export function isTextOrDeferred(value: unknown): boolean {
  return isText(value) || isDeferred(value);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The keys that were given: one that YAML leaves empty is null. */
export function withoutAbsent(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null));
}

export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Names that RFC 2606 and RFC 6761 keep for documentation, and this project's own samples. */
export function isPlaceholder(hostname: string): boolean {
  return /(^|\.)(example\.(com|net|org)|example|invalid|test|your-domain\.com)\.?$/.test(hostname);
}
