import { createHash } from "node:crypto";
import { INDEX_SHARDS } from "../connections/connectionItems";
import { sessionId, type SessionKey } from "../sessions/sessionKey";

/** Sort key of what a session's clients have acknowledged, and of how far it is reported. */
export const CURSOR_ENTRY = "cursor";

const LOG_PREFIX = "log#";
const KEY_PREFIX = "key#";

/** The digits of JavaScript's largest safe integer. */
const SEQ_DIGITS = 16;

/** The partition key of a session: a digest, since the session's key may be longer than a partition key. */
export function partitionKeyOf(key: SessionKey): string {
  return digestOf(key).toString("base64url");
}

/** The session's message group, which backends compute, too: as docs/replay.md describes it. */
export function messageGroupIdOf(key: SessionKey): string {
  return digestOf(key).toString("hex");
}

/** The session's shard of the index by due time. */
export function historyShard(key: SessionKey): string {
  const [firstByte = 0] = digestOf(key);
  return String(firstByte % INDEX_SHARDS.length);
}

/** Sort key of a segment, by its first number; sorts as numbers do. */
export function logEntry(first: number): string {
  return `${LOG_PREFIX}${String(first).padStart(SEQ_DIGITS, "0")}`;
}

/** The first number of the segment with this sort key; undefined if the key is another item's. */
export function firstOf(entry: string): number | undefined {
  return entry.startsWith(LOG_PREFIX) ? Number(entry.slice(LOG_PREFIX.length)) : undefined;
}

/** Sorts after every segment. */
export const LAST_LOG_ENTRY = `${LOG_PREFIX}${"9".repeat(SEQ_DIGITS)}`;

/** Sort key of an idempotency key's claim. */
export function claimEntry(idempotencyKey: string): string {
  return `${KEY_PREFIX}${idempotencyKey}`;
}

function digestOf(key: SessionKey): Buffer {
  return createHash("sha256").update(sessionId(key)).digest();
}
