import type { SQSMessageAttributes } from "aws-lambda";
import type { Cursor } from "../../protocol";
import { CONNECTION_ATTRIBUTES } from "../connections/connectionItems";
import { SESSION_ATTRIBUTES } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import type { Item } from "../tableClient";
import type { Claim, Entry, EntryHead, EntryKey } from "./history";
import { historyPartition, historyShard } from "./historyKey";

/** The history table's attributes. */
export const HISTORY_ATTRIBUTES = {
  /** Partition key: a digest of the session's key. */
  session: "session",
  /** Sort key: of a number, of a message's claim, or of the acknowledged cursor. */
  entry: "entry",
  epoch: "epoch",
  seq: "seq",
  messageId: "message_id",
  body: "body",
  /** Epoch milliseconds. */
  storedAt: "stored_at",
  /** Epoch milliseconds; the message's own, and not the table's. */
  expiresAt: "expires_at",
  /** JSON. */
  attributes: "attributes",
  callerId: SESSION_ATTRIBUTES.callerId,
  context: SESSION_ATTRIBUTES.context,
  expiryShard: CONNECTION_ATTRIBUTES.expiryShard,
  /** Epoch milliseconds. */
  dueAt: "due_at",
  /** Epoch milliseconds. */
  claimedAt: "claimed_at",
  /** TTL in epoch seconds. Only of claims: TTL deletes in no order. */
  expirationDate: SESSION_ATTRIBUTES.expirationDate,
} as const;

const A = HISTORY_ATTRIBUTES;

/** With a body of 128 KB, the publisher's attributes may exceed the size of an item (400 KB). */
const MAX_ATTRIBUTES_BYTES = 256 * 1024;

export function historyItemKey(key: SessionKey, entry: string): Item {
  return { [A.session]: { S: historyPartition(key) }, [A.entry]: { S: entry } };
}

/** An entry's attributes, without the key of its item. */
export function itemOfEntry(key: SessionKey, entry: Entry, dueAtMs: number): Item {
  const attributes = Object.keys(entry.attributes).length > 0 ? JSON.stringify(entry.attributes) : undefined;
  const keepsAttributes = attributes !== undefined && Buffer.byteLength(attributes) <= MAX_ATTRIBUTES_BYTES;
  return {
    [A.epoch]: { S: entry.epoch },
    [A.seq]: { N: String(entry.seq) },
    [A.messageId]: { S: entry.messageId },
    ...(entry.body !== undefined && { [A.body]: { S: entry.body } }),
    [A.storedAt]: { N: String(entry.storedAtMs) },
    ...(entry.expiresAtMs !== undefined && { [A.expiresAt]: { N: String(entry.expiresAtMs) } }),
    // Only a dead letter needs them: a dead letter without them is better than a message that cannot be stored.
    ...(keepsAttributes && { [A.attributes]: { S: attributes } }),
    [A.callerId]: { S: key.callerId },
    [A.context]: { S: key.context },
    [A.expiryShard]: { S: historyShard(key) },
    [A.dueAt]: { N: String(dueAtMs) },
  };
}

export function entryOfItem(item: Item): Entry {
  const attributes = item[A.attributes]?.S;
  return {
    ...headOfItem(item),
    body: item[A.body]?.S,
    attributes: attributes === undefined ? {} : (JSON.parse(attributes) as SQSMessageAttributes),
  };
}

/** The attributes of an entry's head. */
export const HEAD_ATTRIBUTES = [A.epoch, A.seq, A.messageId, A.storedAt, A.expiresAt] as const;

export function headOfItem(item: Item): EntryHead {
  const expiresAt = item[A.expiresAt]?.N;
  return {
    ...cursorOfItem(item),
    messageId: item[A.messageId]?.S ?? "",
    storedAtMs: Number(item[A.storedAt]?.N),
    expiresAtMs: expiresAt === undefined ? undefined : Number(expiresAt),
  };
}

export function claimOfItem(item: Item): Claim {
  return { seq: Number(item[A.seq]?.N), claimedAtMs: Number(item[A.claimedAt]?.N) };
}

export function cursorOfItem(item: Item): Cursor {
  return { epoch: item[A.epoch]?.S ?? "", seq: Number(item[A.seq]?.N) };
}

export function entryKeyOfItem(item: Item): EntryKey {
  const key = { callerId: item[A.callerId]?.S ?? "", context: item[A.context]?.S ?? "" };
  return { key, seq: Number(item[A.seq]?.N) };
}
