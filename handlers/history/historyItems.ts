import type { Cursor } from "../../protocol";
import { SESSION_ATTRIBUTES } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import type { Item } from "../tableClient";
import type { DueSegment, KeyClaim, SessionCursor, Skipped } from "./history";
import { firstOf, historyShard, partitionKeyOf } from "./historyKey";

/** The history table's attributes. */
export const HISTORY_ATTRIBUTES = {
  /** Partition key: a digest of the session's key. */
  session: "session",
  /** Sort key: of a segment, of an idempotency key's claim, or of the session's cursor. */
  entry: "entry",

  // Of segments.
  epoch: "epoch",
  nextEpoch: "next_epoch",
  /** Absent: 0. */
  generation: "generation",
  /** Epoch milliseconds. */
  storedAt: "stored_at",
  /** Epoch milliseconds. */
  until: "until",
  count: "count",
  /** JSON: a string, or binary if it is deflated. */
  messages: "messages",
  /** Positions of messages. */
  reported: "reported",
  recent: "recent",
  /** Epoch milliseconds. */
  dueAt: "due_at",
  /** Epoch milliseconds. */
  laterDueAt: "later_due_at",
  /** Partition key of the index. With the session's key, only while the segment is marked. */
  dueShard: "due_shard",
  callerId: SESSION_ATTRIBUTES.callerId,
  context: SESSION_ATTRIBUTES.context,

  // Of cursors.
  acknowledged: "acknowledged",
  settled: "settled",
  oldestSeq: "oldest_seq",
  accepted: "accepted",
  skipped: "skipped",
  waited: "waited",
  rawLeaseOwner: "raw_lease_owner",
  /** Epoch milliseconds. */
  rawLeaseUntil: "raw_lease_until",

  // Of claims.
  owner: "owner",
  /** Epoch milliseconds. */
  claimedAt: "claimed_at",

  /** TTL in epoch seconds, of segments and claims. */
  expirationDate: SESSION_ATTRIBUTES.expirationDate,
} as const;

/** The index of the sessions by when the sweeper visits them next. */
export const HISTORY_DUE_INDEX = "due";

const A = HISTORY_ATTRIBUTES;

export function historyItemKey(key: SessionKey, entry: string): Item {
  return { [A.session]: { S: partitionKeyOf(key) }, [A.entry]: { S: entry } };
}

export function numberOf(value: number): { N: string } {
  return { N: String(value) };
}

/** DynamoDB's TTL counts seconds: rounded up, so that nothing is deleted early. */
export function expirationDateOf(ttlMs: number): { N: string } {
  return numberOf(Math.ceil(ttlMs / 1000));
}

/** What puts a segment into the index, besides its due time. */
export function markAttributes(key: SessionKey): Item {
  return {
    [A.dueShard]: { S: historyShard(key) },
    [A.callerId]: { S: key.callerId },
    [A.context]: { S: key.context },
  };
}

/** The segment of an item of the index; none if the relay did not write the item, which must not hold up the others. */
export function dueSegmentOfItem(item: Item): DueSegment[] {
  const first = firstOf(item[A.entry]?.S ?? "");
  const [callerId, context] = [item[A.callerId]?.S, item[A.context]?.S];
  if (first === undefined || callerId === undefined || context === undefined) return [];
  return [{ key: { callerId, context }, first, dueAtMs: Number(item[A.dueAt]?.N) }];
}

export function cursorAttribute({ epoch, seq }: Cursor): { M: Item } {
  return { M: { epoch: { S: epoch }, seq: numberOf(seq) } };
}

export function skippedAttribute({ epoch, from, through }: Skipped): { M: Item } {
  return { M: { epoch: { S: epoch }, from: numberOf(from), through: numberOf(through) } };
}

export function sessionCursorOfItem(item: Item = {}): SessionCursor {
  const acknowledged = cursorOf(item[A.acknowledged]?.M);
  const settled = cursorOf(item[A.settled]?.M);
  const accepted = cursorOf(item[A.accepted]?.M);
  const skipped = item[A.skipped]?.M;
  const waited = cursorOf(item[A.waited]?.M);
  return {
    ...(acknowledged && { acknowledged }),
    ...(settled && { settled }),
    ...(accepted && { accepted }),
    ...(skipped && { skipped: skippedOf(skipped) }),
    ...(waited && { waited }),
    oldestSeq: Number(item[A.oldestSeq]?.N ?? 1),
  };
}

export function claimOfItem(item: Item): KeyClaim {
  return { owner: item[A.owner]?.S ?? "", claimedAtMs: Number(item[A.claimedAt]?.N) };
}

function skippedOf({ epoch, from, through }: Item): Skipped {
  return { epoch: epoch?.S ?? "", from: Number(from?.N), through: Number(through?.N) };
}

function cursorOf(map: Item | undefined): Cursor | undefined {
  return map && { epoch: map.epoch?.S ?? "", seq: Number(map.seq?.N) };
}
