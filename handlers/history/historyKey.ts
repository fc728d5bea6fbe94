import { createHash } from "node:crypto";
import { sessionId, type SessionKey } from "../sessions/sessionKey";
import { EXPIRY_SHARDS } from "../connections/connectionItems";

/** Sort key of what the session's clients have acknowledged. */
export const ACKNOWLEDGED_ENTRY = "acknowledged";

const LOG_PREFIX = "log#";
const CLAIM_PREFIX = "id#";

/** As many as the largest number has that a client in JavaScript can tell from its neighbours. */
const SEQ_DIGITS = 16;

/** The partition of a session: a key of its parts would be longer than a partition key may be. */
export function historyPartition(key: SessionKey): string {
  return digestOf(key).toString("hex");
}

/** The index's partition of a session; there are as many as there are of the index by token expiry. */
export function historyShard(key: SessionKey): string {
  const [firstByte = 0] = digestOf(key);
  return String(firstByte % EXPIRY_SHARDS.length);
}

/** Sort key of a number: in the order of numbers. */
export function logEntry(seq: number): string {
  return `${LOG_PREFIX}${String(seq).padStart(SEQ_DIGITS, "0")}`;
}

/** After every number. */
export const LAST_LOG_ENTRY = `${LOG_PREFIX}${"9".repeat(SEQ_DIGITS)}`;

/** Sort key of a message's claim. An id has 128 characters at most. */
export function claimEntry(messageId: string): string {
  return `${CLAIM_PREFIX}${messageId}`;
}

function digestOf(key: SessionKey): Buffer {
  return createHash("sha256").update(sessionId(key)).digest();
}
