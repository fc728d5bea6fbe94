import { createHash } from "node:crypto";
import { EXPIRY_SHARDS } from "../connections/connectionItems";
import { sessionId, type SessionKey } from "../sessions/sessionKey";

/** Sort key of the acknowledged cursor. */
export const ACKNOWLEDGED_ENTRY = "acknowledged";

const LOG_PREFIX = "log#";
const CLAIM_PREFIX = "id#";

/** The digits of JavaScript's largest safe integer. */
const SEQ_DIGITS = 16;

/** The partition key of a session: a digest, since the session's key may be longer than a partition key. */
export function historyPartition(key: SessionKey): string {
  return digestOf(key).toString("hex");
}

/** The session's shard of the expiry index, which has as many shards as the token expiry index. */
export function historyShard(key: SessionKey): string {
  const [firstByte = 0] = digestOf(key);
  return String(firstByte % EXPIRY_SHARDS.length);
}

/** Sort key of a number; sorts as numbers do. */
export function logEntry(seq: number): string {
  return `${LOG_PREFIX}${String(seq).padStart(SEQ_DIGITS, "0")}`;
}

/** Sorts after every number. */
export const LAST_LOG_ENTRY = `${LOG_PREFIX}${"9".repeat(SEQ_DIGITS)}`;

/** Sort key of a message's claim. An id has 128 characters at most. */
export function claimEntry(messageId: string): string {
  return `${CLAIM_PREFIX}${messageId}`;
}

function digestOf(key: SessionKey): Buffer {
  return createHash("sha256").update(sessionId(key)).digest();
}
