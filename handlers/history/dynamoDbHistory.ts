import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Cursor } from "../../protocol";
import { type Environment, positiveInteger, text } from "../environment";
import type { SessionKey } from "../sessions/sessionKey";
import { type Item, tableClient } from "../tableClient";
import type { Claim, Entry, EntryHead, EntryKey, History } from "./history";
import * as items from "./historyItems";
import { ACKNOWLEDGED_ENTRY, claimEntry, logEntry } from "./historyKey";
import { HistoryTableClient } from "./historyTableClient";
import { dueAtMs } from "./retention";

const A = items.HISTORY_ATTRIBUTES;

export interface DynamoDbHistoryOptions {
  tableName: string;
  /** How long messages are kept. */
  retentionMs: number;
  /** Only needed for `findDue`. */
  expiryIndexName?: string;
}

/** How long a claim is kept after the retention: nothing needs it then, and nothing waits for its deletion. */
const VOID_CLAIM_MS = 86_400_000;

/** First page of a search for the oldest number. Grows tenfold each time: one entry suffices unless the sweeper lags. */
const MAX_OLDEST_LIMIT = 1_000;

const isAbsent = `attribute_not_exists(${A.entry})`;
const isPresent = `attribute_exists(${A.entry})`;
const headAttributes = items.HEAD_ATTRIBUTES.join(", ");

/** The history in a DynamoDB table whose keys are `session` and `entry`. */
export class DynamoDbHistory implements History {
  private readonly table: HistoryTableClient;

  constructor(
    client: DynamoDBClient,
    private readonly options: DynamoDbHistoryOptions,
  ) {
    this.table = new HistoryTableClient(client, options.tableName);
  }

  async readTail(key: SessionKey, signal?: AbortSignal): Promise<EntryHead | undefined> {
    const options = { ScanIndexForward: false, Limit: 1, ProjectionExpression: headAttributes };
    const { Items = [] } = await this.table.queryLog(key, 1, options, signal);
    return Items[0] && items.headOfItem(Items[0]);
  }

  async claim(
    key: SessionKey,
    messageId: string,
    claim: Claim,
    voidBeforeMs: number,
    signal?: AbortSignal,
  ): Promise<"claimed" | "taken"> {
    const attributes = {
      [A.seq]: numberOf(claim.seq),
      [A.claimedAt]: numberOf(claim.claimedAtMs),
      [A.expirationDate]: this.expirationDateOf(claim),
    };
    const condition = `${isAbsent} OR ${A.claimedAt} < :void`;
    const values = { ":void": numberOf(voidBeforeMs) };
    const isClaimed = await this.table.put(key, claimEntry(messageId), attributes, { condition, values }, signal);
    return isClaimed ? "claimed" : "taken";
  }

  async readClaim(key: SessionKey, messageId: string, signal?: AbortSignal): Promise<Claim | undefined> {
    const item = await this.table.get(key, claimEntry(messageId), signal);
    return item && items.claimOfItem(item);
  }

  async moveClaim(
    key: SessionKey,
    messageId: string,
    from: number,
    to: Claim,
    signal?: AbortSignal,
  ): Promise<"moved" | "lost"> {
    const expression = `SET ${A.seq} = :to, ${A.claimedAt} = :at, ${A.expirationDate} = :until`;
    const values = {
      ":from": numberOf(from),
      ":to": numberOf(to.seq),
      ":at": numberOf(to.claimedAtMs),
      ":until": this.expirationDateOf(to),
    };
    const condition = `${A.seq} = :from`;
    const isMoved = await this.table.update(key, claimEntry(messageId), expression, { condition, values }, signal);
    return isMoved ? "moved" : "lost";
  }

  async put(key: SessionKey, entry: Entry, signal?: AbortSignal): Promise<"stored" | "taken"> {
    const item = items.itemOfEntry(key, entry, dueAtMs(entry, this.options.retentionMs));
    const isStored = await this.table.put(key, logEntry(entry.seq), item, { condition: isAbsent }, signal);
    return isStored ? "stored" : "taken";
  }

  async readEntry(key: SessionKey, seq: number, signal?: AbortSignal): Promise<Entry | undefined> {
    const item = await this.table.get(key, logEntry(seq), signal);
    return item && items.entryOfItem(item);
  }

  async readAfter(key: SessionKey, afterSeq: number, limit: number, signal?: AbortSignal): Promise<Entry[]> {
    const { Items = [] } = await this.table.queryLog(key, afterSeq + 1, { Limit: limit }, signal);
    return Items.map(items.entryOfItem);
  }

  async readOldest(key: SessionKey, storedAfterMs: number, signal?: AbortSignal): Promise<EntryHead | undefined> {
    let start: Item | undefined;
    for (let limit = 1; ; limit = Math.min(limit * 10, MAX_OLDEST_LIMIT)) {
      const options = { Limit: limit, ProjectionExpression: headAttributes, ExclusiveStartKey: start };
      const { Items = [], LastEvaluatedKey } = await this.table.queryLog(key, 1, options, signal);
      const oldest = Items.map(items.headOfItem).find(({ storedAtMs }) => storedAtMs > storedAfterMs);
      if (oldest || !LastEvaluatedKey) return oldest;
      start = LastEvaluatedKey;
    }
  }

  async readAcknowledged(key: SessionKey, signal?: AbortSignal): Promise<Cursor | undefined> {
    const item = await this.table.get(key, ACKNOWLEDGED_ENTRY, signal);
    return item && items.cursorOfItem(item);
  }

  async acknowledge(key: SessionKey, { epoch, seq }: Cursor, signal?: AbortSignal): Promise<"acknowledged" | "stale"> {
    const attributes = { [A.epoch]: { S: epoch }, [A.seq]: numberOf(seq) };
    const condition = `${isAbsent} OR ${A.epoch} <> :epoch OR ${A.seq} < :seq`;
    const values = { ":epoch": { S: epoch }, ":seq": numberOf(seq) };
    const isMoved = await this.table.put(key, ACKNOWLEDGED_ENTRY, attributes, { condition, values }, signal);
    return isMoved ? "acknowledged" : "stale";
  }

  async *findDue(shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<EntryKey[]> {
    const { expiryIndexName = "" } = this.options;
    for await (const page of this.table.queryDue(expiryIndexName, shard, nowMs, signal)) {
      yield page.map(items.entryKeyOfItem);
    }
  }

  async strip(key: SessionKey, seq: number, dueAtMs: number | undefined, signal?: AbortSignal): Promise<void> {
    const isDueAgain = dueAtMs !== undefined;
    const removed = isDueAgain ? [A.body, A.attributes] : [A.body, A.attributes, A.expiryShard, A.dueAt];
    const expression = `REMOVE ${removed.join(", ")}${isDueAgain ? ` SET ${A.dueAt} = :due` : ""}`;
    const values = isDueAgain ? { ":due": numberOf(dueAtMs) } : undefined;
    // Without the condition, an entry that was deleted meanwhile would be created again, empty.
    await this.table.update(key, logEntry(seq), expression, { condition: isPresent, values }, signal);
  }

  async postpone(key: SessionKey, seq: number, dueAtMs: number, signal?: AbortSignal): Promise<void> {
    const values = { ":due": numberOf(dueAtMs) };
    const expression = `SET ${A.dueAt} = :due`;
    await this.table.update(key, logEntry(seq), expression, { condition: isPresent, values }, signal);
  }

  async delete(key: SessionKey, seq: number, signal?: AbortSignal): Promise<void> {
    await this.table.delete(key, logEntry(seq), signal);
  }

  private expirationDateOf({ claimedAtMs }: Claim) {
    return numberOf(Math.ceil((claimedAtMs + this.options.retentionMs + VOID_CLAIM_MS) / 1000));
  }
}

/** The history in the table `HISTORY_TABLE_NAME`; `HISTORY_EXPIRY_INDEX_NAME` is only needed to sweep it. */
export function historyFromEnvironment(environment: Environment): DynamoDbHistory {
  const retentionMs = retentionMsFromEnvironment(environment);
  const tableName = text(environment, "HISTORY_TABLE_NAME");
  return new DynamoDbHistory(tableClient(), {
    tableName,
    retentionMs,
    expiryIndexName: environment.HISTORY_EXPIRY_INDEX_NAME,
  });
}

/** For how long messages are kept: `HISTORY_RETENTION_SECONDS`. */
export function retentionMsFromEnvironment(environment: Environment): number {
  return positiveInteger(environment, "HISTORY_RETENTION_SECONDS") * 1000;
}

function numberOf(value: number) {
  return { N: String(value) };
}
