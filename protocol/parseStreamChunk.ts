import type { StreamChunk } from "./streamChunk";

/** The `type` of a stream's chunks. */
export const STREAM_CHUNK_TYPE = "websocket-relay.stream";

/** The chunk that a message's body is, with the members that it has; undefined if the body is anything else. */
export function parseStreamChunk(body: string): StreamChunk | undefined {
  // Most bodies are no chunks, and some are large.
  if (!body.includes(STREAM_CHUNK_TYPE)) return undefined;
  let value: Partial<Record<keyof StreamChunk, unknown>> | null;
  try {
    value = JSON.parse(body) as typeof value;
  } catch {
    return undefined;
  }
  const { type, id, offset, text, end, reason } = value ?? {};
  const isChunk =
    type === STREAM_CHUNK_TYPE &&
    typeof id === "string" &&
    /^[ -~]{1,100}$/.test(id) &&
    Number.isSafeInteger(offset) &&
    (offset as number) >= 0 &&
    typeof text === "string" &&
    (end == null || end === "closed" || end === "aborted") &&
    (reason == null || typeof reason === "string");
  if (!isChunk) return undefined;
  return { type, id, offset: offset as number, text, ...(end != null && { end }), ...(reason != null && { reason }) };
}
