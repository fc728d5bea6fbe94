import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { SQSMessageAttributes } from "aws-lambda";
import type { SessionKey } from "../sessions/sessionKey";
import type { Item } from "../tableClient";
import type { Segment, StoredMessage } from "./history";
import { expirationDateOf, HISTORY_ATTRIBUTES as A, historyItemKey, markAttributes, numberOf } from "./historyItems";
import { firstOf, logEntry } from "./historyKey";
import { itemBytes, WRITE_UNIT_BYTES, writeUnitsOf } from "./itemSize";
import { decodeRecentIds, encodeRecentIds, type RecentIds } from "./recentIds";

/** Left free where ids fill an item's last KB: AWS calls the documented sizes of numbers approximate. */
const SPARE_BYTES = 16;

/** A message in JSON; what is absent is left out from the end. */
type MessageTuple = [id: string, body: string, expiresAtMs?: number | null, attributes?: SQSMessageAttributes];

/** The segment's item, in as few write units as possible; of `recent`, as many as cost no further one, marked or not. */
export function itemOfSegment(key: SessionKey, segment: Segment): Item {
  const { first, count, epoch, nextEpoch, generation, storedAtMs, untilMs, reported } = segment;
  const { dueAtMs, laterDueAtMs, isMarked, ttlMs } = segment;
  const item: Item = {
    ...historyItemKey(key, logEntry(first)),
    [A.epoch]: { S: epoch },
    ...(nextEpoch !== undefined && { [A.nextEpoch]: { S: nextEpoch } }),
    ...(generation > 0 && { [A.generation]: numberOf(generation) }),
    [A.storedAt]: numberOf(storedAtMs),
    [A.until]: numberOf(untilMs),
    [A.count]: numberOf(count),
    ...(reported.length > 0 && { [A.reported]: { NS: reported.map(String) } }),
    ...(dueAtMs !== undefined && { [A.dueAt]: numberOf(dueAtMs) }),
    ...(laterDueAtMs !== undefined && { [A.laterDueAt]: numberOf(laterDueAtMs) }),
    ...(isMarked && markAttributes(key)),
    ...(ttlMs !== undefined && { [A.expirationDate]: expirationDateOf(ttlMs) }),
  };
  const markBytes = isMarked ? 0 : itemBytes(markAttributes(key));
  return withRecent(withMessages(item, segment.messages), segment.recent, markBytes);
}

/** @throws Error that names the item, if the relay cannot have written it. */
export function segmentOfItem(item: Item): Segment {
  const count = numberIn(item, A.count);
  const messages = messagesIn(item);
  if (messages.length > 0 && messages.length !== count) refuseItem(item, A.messages, `${count} messages`);
  const storedAtMs = numberIn(item, A.storedAt);
  const nextEpoch = item[A.nextEpoch]?.S;
  return {
    first: firstOf(item[A.entry]?.S ?? "") ?? refuseItem(item, A.entry, "log# and a number"),
    count,
    epoch: item[A.epoch]?.S ?? refuseItem(item, A.epoch, "a string"),
    generation: Number(item[A.generation]?.N ?? 0),
    storedAtMs,
    untilMs: numberIn(item, A.until),
    messages,
    reported: (item[A.reported]?.NS ?? []).map(Number).sort((a, b) => a - b),
    recent: recentIn(item, storedAtMs),
    dueAtMs: item[A.dueAt] && numberIn(item, A.dueAt),
    ...(item[A.laterDueAt] && { laterDueAtMs: numberIn(item, A.laterDueAt) }),
    isMarked: item[A.dueShard] !== undefined,
    ttlMs: item[A.expirationDate] && numberIn(item, A.expirationDate) * 1000,
    ...(nextEpoch !== undefined && { nextEpoch }),
  };
}

/** Deflated where that saves a write unit, and readable otherwise. docs/decisions/history-in-segments.md has the measurements. */
function withMessages(item: Item, messages: readonly StoredMessage[]): Item {
  const json = JSON.stringify(messages.map(tupleOf));
  const plain = { ...item, [A.messages]: { S: json } };
  const units = writeUnitsOf(itemBytes(plain));
  if (units === 1) return plain;
  const deflated = { ...item, [A.messages]: { B: deflateRawSync(json) } };
  return writeUnitsOf(itemBytes(deflated)) < units ? deflated : plain;
}

/** @param markBytes Left free for a mark, which is set and removed in writes of its own, each of the larger item. */
function withRecent(item: Item, recent: RecentIds, markBytes: number): Item {
  const bytes = itemBytes(item);
  const free = writeUnitsOf(bytes) * WRITE_UNIT_BYTES - bytes - A.recent.length - SPARE_BYTES - markBytes;
  const encoded = encodeRecentIds(recent, free);
  return encoded ? { ...item, [A.recent]: { B: encoded } } : item;
}

function tupleOf({ id, body, expiresAtMs, attributes }: StoredMessage): MessageTuple {
  if (attributes) return [id, body, expiresAtMs ?? null, attributes];
  return expiresAtMs === undefined ? [id, body] : [id, body, expiresAtMs];
}

function messageOf([id, body, expiresAtMs, attributes]: MessageTuple): StoredMessage {
  return {
    id,
    body,
    ...(typeof expiresAtMs === "number" && { expiresAtMs }),
    ...(attributes && { attributes }),
  };
}

/** None if the segment is sealed. */
function messagesIn(item: Item): StoredMessage[] {
  const { S, B } = item[A.messages] ?? { S: "[]" };
  try {
    const json = B ? inflateRawSync(B).toString() : (S ?? "");
    return (JSON.parse(json) as MessageTuple[]).map(messageOf);
  } catch (error) {
    return refuseItem(item, A.messages, "a JSON array, or one that is deflated", error as Error);
  }
}

/** Absent if none had room, or the segment is sealed: then nothing before it is covered. */
function recentIn(item: Item, storedAtMs: number): RecentIds {
  const bytes = item[A.recent]?.B;
  if (!bytes) return { coveredFromMs: storedAtMs + 1, groups: [] };
  try {
    return decodeRecentIds(bytes);
  } catch (error) {
    return refuseItem(item, A.recent, "times and hashes", error as Error);
  }
}

function numberIn(item: Item, name: string): number {
  const value = Number(item[name]?.N);
  return Number.isSafeInteger(value) ? value : refuseItem(item, name, "a whole number");
}

function refuseItem(item: Item, name: string, allowed: string, cause?: Error): never {
  const [session, entry] = [item[A.session]?.S, item[A.entry]?.S];
  throw new Error(
    `history item ${JSON.stringify({ session, entry })}: ${name} is not what the relay writes; allowed: ${allowed}. ` +
      "Fix: restore the item, or delete all items of this session, whose messages are lost then",
    { cause },
  );
}
