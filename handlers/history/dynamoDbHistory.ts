import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Cursor } from "../../protocol";
import { type Environment, positiveInteger, text, wholeNumber } from "../environment";
import type { SessionKey } from "../sessions/sessionKey";
import { type Item, tableClient } from "../tableClient";
import type { DueSegment, History, KeyClaim, RawLease, Segment, SessionCursor, Skipped } from "./history";
import {
  claimOfItem,
  cursorAttribute,
  dueSegmentOfItem,
  expirationDateOf,
  HISTORY_ATTRIBUTES as A,
  historyItemKey,
  markAttributes,
  numberOf,
  sessionCursorOfItem,
  skippedAttribute,
} from "./historyItems";
import { claimEntry, CURSOR_ENTRY, LAST_LOG_ENTRY, logEntry } from "./historyKey";
import { HistoryTableClient } from "./historyTableClient";
import { DAY_MS } from "./retention";
import { charactersOf } from "./segment";
import { itemOfSegment, segmentOfItem } from "./segmentItems";

export interface DynamoDbHistoryOptions {
  tableName: string;
  /** How long messages are kept. */
  retentionMs: number;
  /** Only needed for `findDue`. */
  dueIndexName?: string;
}

/** How long a claim is kept after the retention: it is void then, and the table deletes it at no charge. */
const VOID_CLAIM_MS = DAY_MS;

const isAbsent = `attribute_not_exists(${A.entry})`;
/** Without it, an update of a segment that was deleted meanwhile would create it again, empty. */
const isPresent = `attribute_exists(${A.entry})`;

/** The history in a DynamoDB table whose keys are `session` and `entry`. */
export class DynamoDbHistory implements History {
  private readonly table: HistoryTableClient;

  constructor(
    client: DynamoDBClient,
    private readonly options: DynamoDbHistoryOptions,
  ) {
    this.table = new HistoryTableClient(client, options.tableName);
  }

  async readBack(key: SessionKey, throughFirst: number, limit: number, signal?: AbortSignal): Promise<Segment[]> {
    // Larger numbers have more digits than a sort key.
    const last = logEntry(Math.min(throughFirst, Number.MAX_SAFE_INTEGER));
    const options = { Limit: limit, ScanIndexForward: false };
    return (await this.table.query(key, [logEntry(0), last], options, signal)).map(segmentOfItem);
  }

  async readOn(
    key: SessionKey,
    fromFirst: number,
    limit: number,
    signal?: AbortSignal,
    maxCharacters = Infinity,
  ): Promise<Segment[]> {
    const options = { Limit: limit, ScanIndexForward: true };
    const items = await this.table.query(key, [logEntry(fromFirst), LAST_LOG_ENTRY], options, signal);
    const segments: Segment[] = [];
    let characters = 0;
    for (const item of items) {
      if (characters >= maxCharacters) break;
      const segment = segmentOfItem(item);
      segments.push(segment);
      characters += charactersOf(segment);
    }
    return segments;
  }

  async put(key: SessionKey, segment: Segment, signal?: AbortSignal): Promise<"stored" | "taken"> {
    const isStored = await this.table.put(itemOfSegment(key, segment), { condition: isAbsent }, signal);
    return isStored ? "stored" : "taken";
  }

  async renew(
    key: SessionKey,
    seen: Segment,
    { ttlMs, nextEpoch, dueAtMs }: { ttlMs: number; nextEpoch?: string; dueAtMs?: number },
    signal?: AbortSignal,
  ): Promise<"renewed" | "changed"> {
    const { condition, values } = ttlAsIn(seen);
    const renewed = setting({
      [A.expirationDate]: expirationDateOf(ttlMs),
      ...(nextEpoch !== undefined && { [A.nextEpoch]: { S: nextEpoch } }),
      ...(dueAtMs !== undefined && markedAt(key, dueAtMs)),
    });
    const all = { ...values, ...renewed.values };
    const isAsSeen = await this.change(key, seen.first, renewed.expression, all, signal, condition);
    return isAsSeen ? "renewed" : "changed";
  }

  async seal(key: SessionKey, seen: Segment, signal?: AbortSignal): Promise<"sealed" | "changed"> {
    const [ttl, mark] = [ttlAsIn(seen), markAsIn(seen)];
    const expression = `REMOVE ${[A.messages, A.reported, A.recent, A.expirationDate].join(", ")}`;
    const condition = `${ttl.condition} AND ${mark.condition}`;
    const values = { ...ttl.values, ...mark.values };
    return (await this.change(key, seen.first, expression, values, signal, condition)) ? "sealed" : "changed";
  }

  async addReported(key: SessionKey, first: number, positions: readonly number[], signal?: AbortSignal): Promise<void> {
    // A set is never empty.
    if (positions.length === 0) return;
    const values = { ":positions": { NS: [...new Set(positions)].map(String) } };
    await this.change(key, first, `ADD ${A.reported} :positions`, values, signal);
  }

  async mark(key: SessionKey, seen: Segment, dueAtMs: number, signal?: AbortSignal): Promise<void> {
    const { expression, values } = setting(markedAt(key, dueAtMs));
    const mark = markAsIn(seen);
    await this.change(key, seen.first, expression, { ...values, ...mark.values }, signal, mark.condition);
  }

  async unmark(key: SessionKey, seen: Segment, signal?: AbortSignal): Promise<void> {
    const [ttl, mark] = [ttlAsIn(seen), markAsIn(seen)];
    const expression = `REMOVE ${Object.keys(markAttributes(key)).join(", ")}`;
    const condition = `${ttl.condition} AND ${mark.condition}`;
    await this.change(key, seen.first, expression, { ...ttl.values, ...mark.values }, signal, condition);
  }

  async delete(key: SessionKey, first: number, signal?: AbortSignal): Promise<void> {
    await this.table.delete(key, logEntry(first), signal);
  }

  async *findDue(shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<DueSegment[]> {
    const { dueIndexName = "" } = this.options;
    for await (const page of this.table.queryDue(dueIndexName, shard, nowMs, signal)) {
      yield page.flatMap(dueSegmentOfItem);
    }
  }

  async readCursor(key: SessionKey, signal?: AbortSignal): Promise<SessionCursor> {
    return sessionCursorOfItem(await this.table.get(key, CURSOR_ENTRY, signal));
  }

  async acknowledge(key: SessionKey, cursor: Cursor, signal?: AbortSignal): Promise<"acknowledged" | "stale"> {
    const isMoved = await this.advance(key, A.acknowledged, cursor, {}, signal);
    return isMoved ? "acknowledged" : "stale";
  }

  async settle(
    key: SessionKey,
    { settled, oldestSeq }: { settled?: Cursor; oldestSeq?: number },
    signal?: AbortSignal,
  ): Promise<void> {
    const also: Item = oldestSeq === undefined ? {} : { [A.oldestSeq]: numberOf(oldestSeq) };
    if (settled) await this.advance(key, A.settled, settled, also, signal);
    else if (oldestSeq !== undefined) {
      const condition = `attribute_not_exists(${A.oldestSeq}) OR ${A.oldestSeq} < :oldest`;
      const values = { ":oldest": numberOf(oldestSeq) };
      await this.table.update(key, CURSOR_ENTRY, `SET ${A.oldestSeq} = :oldest`, { condition, values }, signal);
    }
  }

  async leaseRaw(
    key: SessionKey,
    { owner, untilMs }: RawLease,
    nowMs: number,
    signal?: AbortSignal,
  ): Promise<SessionCursor | "busy"> {
    const expression = `SET ${A.rawLeaseOwner} = :owner, ${A.rawLeaseUntil} = :until`;
    // The owner itself: the SDK has retried a call that had taken effect.
    const condition = `attribute_not_exists(${A.rawLeaseUntil}) OR ${A.rawLeaseUntil} <= :now OR ${A.rawLeaseOwner} = :owner`;
    const values = { ":owner": { S: owner }, ":until": numberOf(untilMs), ":now": numberOf(nowMs) };
    const item = await this.table.updated(key, CURSOR_ENTRY, expression, { condition, values }, signal);
    return item ? sessionCursorOfItem(item) : "busy";
  }

  async releaseRaw(
    key: SessionKey,
    owner: string,
    { accepted, skipped, acknowledges = false }: { accepted?: Cursor; skipped?: Skipped; acknowledges?: boolean },
    signal?: AbortSignal,
  ): Promise<"released" | "changed"> {
    const cursor = accepted && cursorAttribute(accepted);
    const moved = cursor && {
      [A.accepted]: cursor,
      ...(acknowledges && { [A.acknowledged]: cursor }),
      ...(skipped && { [A.skipped]: skippedAttribute(skipped) }),
    };
    const set = setting(moved ?? {});
    const ahead = accepted && acknowledges ? ` AND (${isBehind(A.acknowledged)})` : "";
    const values = {
      ":owner": { S: owner },
      ...set.values,
      ...(accepted && acknowledges && { ":epoch": { S: accepted.epoch }, ":seq": numberOf(accepted.seq) }),
    };
    const removed = [A.rawLeaseOwner, A.rawLeaseUntil, ...(accepted && !skipped ? [A.skipped] : [])];
    const expression = `${moved ? `${set.expression} ` : ""}REMOVE ${removed.join(", ")}`;
    const condition = `${A.rawLeaseOwner} = :owner${ahead}`;
    const isReleased = await this.table.update(key, CURSOR_ENTRY, expression, { condition, values }, signal);
    return isReleased ? "released" : "changed";
  }

  async moveWaited(key: SessionKey, waited: Cursor, signal?: AbortSignal): Promise<void> {
    await this.advance(key, A.waited, waited, {}, signal);
  }

  async claimKey(
    key: SessionKey,
    idempotencyKey: string,
    { owner, claimedAtMs }: KeyClaim,
    voidBeforeMs: number,
    signal?: AbortSignal,
  ): Promise<"claimed" | "taken"> {
    const item = {
      ...historyItemKey(key, claimEntry(idempotencyKey)),
      [A.owner]: { S: owner },
      [A.claimedAt]: numberOf(claimedAtMs),
      [A.expirationDate]: expirationDateOf(claimedAtMs + this.options.retentionMs + VOID_CLAIM_MS),
    };
    const condition = `${isAbsent} OR ${A.claimedAt} < :void`;
    const isClaimed = await this.table.put(item, { condition, values: { ":void": numberOf(voidBeforeMs) } }, signal);
    return isClaimed ? "claimed" : "taken";
  }

  async readKeyClaim(key: SessionKey, idempotencyKey: string, signal?: AbortSignal): Promise<KeyClaim | undefined> {
    const item = await this.table.get(key, claimEntry(idempotencyKey), signal);
    return item && claimOfItem(item);
  }

  /** Updates a segment, if it exists and the condition holds; false if not. */
  private async change(
    key: SessionKey,
    first: number,
    expression: string,
    values: Item,
    signal?: AbortSignal,
    condition = "",
  ): Promise<boolean> {
    const conditional = {
      condition: [isPresent, condition].filter(Boolean).join(" AND "),
      // The service refuses an empty list of values.
      ...(Object.keys(values).length > 0 && { values }),
    };
    return await this.table.update(key, logEntry(first), expression, conditional, signal);
  }

  /** Moves a cursor forward, and sets other attributes with it; false if it is already as far. */
  private async advance(
    key: SessionKey,
    name: string,
    cursor: Cursor,
    also: Item,
    signal?: AbortSignal,
  ): Promise<boolean> {
    const expression = `SET ${name} = :cursor${Object.keys(also)
      .map((other) => `, ${other} = :${other}`)
      .join("")}`;
    const condition = isBehind(name);
    const values = {
      ":cursor": cursorAttribute(cursor),
      ":epoch": { S: cursor.epoch },
      ":seq": numberOf(cursor.seq),
      ...Object.fromEntries(Object.entries(also).map(([other, value]) => [`:${other}`, value])),
    };
    return await this.table.update(key, CURSOR_ENTRY, expression, { condition, values }, signal);
  }
}

/** That a cursor is not yet at `:seq` in `:epoch`. */
function isBehind(name: string): string {
  return `attribute_not_exists(${name}) OR ${name}.epoch <> :epoch OR ${name}.seq < :seq`;
}

interface Condition {
  condition: string;
  values: Item;
}

/** That a segment's TTL is as it was read. */
function ttlAsIn({ ttlMs }: Segment): Condition {
  return ttlMs === undefined
    ? { condition: `attribute_not_exists(${A.expirationDate})`, values: {} }
    : { condition: `${A.expirationDate} = :seen`, values: { ":seen": expirationDateOf(ttlMs) } };
}

/** That a segment's due time, and whether it is in the index, are as they were read. */
function markAsIn({ isMarked, dueAtMs }: Segment): Condition {
  const mark = `${isMarked ? "attribute_exists" : "attribute_not_exists"}(${A.dueShard})`;
  return dueAtMs === undefined
    ? { condition: `${mark} AND attribute_not_exists(${A.dueAt})`, values: {} }
    : { condition: `${mark} AND ${A.dueAt} = :seenDue`, values: { ":seenDue": numberOf(dueAtMs) } };
}

/** The attributes that put a segment into the index. */
function markedAt(key: SessionKey, dueAtMs: number): Item {
  return { [A.dueAt]: numberOf(dueAtMs), ...markAttributes(key) };
}

/** Sets these attributes. */
function setting(attributes: Item): { expression: string; values: Item } {
  const names = Object.keys(attributes);
  return {
    expression: `SET ${names.map((name) => `${name} = :${name}`).join(", ")}`,
    values: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`:${name}`, value])),
  };
}

/** The history in the table `HISTORY_TABLE_NAME`; `HISTORY_DUE_INDEX_NAME` is only needed to sweep it. */
export function historyFromEnvironment(environment: Environment): DynamoDbHistory {
  return new DynamoDbHistory(tableClient(), {
    tableName: text(environment, "HISTORY_TABLE_NAME"),
    retentionMs: retentionMsFromEnvironment(environment),
    dueIndexName: environment.HISTORY_DUE_INDEX_NAME,
  });
}

/** For how long messages are kept: `HISTORY_RETENTION_SECONDS`. */
export function retentionMsFromEnvironment(environment: Environment): number {
  return positiveInteger(environment, "HISTORY_RETENTION_SECONDS") * 1000;
}

/** After how long an open message gets the receipt `waiting`: `WAITING_AFTER_SECONDS`; undefined if none does. */
export function waitingAfterMsFromEnvironment(environment: Environment): number | undefined {
  if (environment.WAITING_AFTER_SECONDS === undefined) return undefined;
  return positiveInteger(environment, "WAITING_AFTER_SECONDS") * 1000;
}

/** The generation of new segments: `HISTORY_GENERATION`. */
export function historyGenerationFromEnvironment(environment: Environment): number {
  return wholeNumber(environment, "HISTORY_GENERATION");
}
