import { isDeferred } from "./refuse";

/** Whether it is a non-empty string without spaces around it: nothing is trimmed at run time, so they would match nothing. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value === value.trim();
}

export function isTextOrDeferred(value: unknown): boolean {
  return isText(value) || isDeferred(value);
}

/** The keys that have a value: a key that YAML leaves empty is null. */
export function withoutAbsent(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null));
}

export function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Names that RFC 2606 and RFC 6761 reserve for documentation, and those in this project's samples. */
export function isPlaceholder(hostname: string): boolean {
  return /(^|\.)(example\.(com|net|org)|example|invalid|test|your-domain\.com)\.?$/.test(hostname);
}
