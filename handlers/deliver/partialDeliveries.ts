import { type DynamoDBClient, UpdateItemCommand } from "@aws-sdk/client-dynamodb";
import pLimit from "p-limit";
import { type Environment, text } from "../environment";
import { errorFields, type Log } from "../log";
import { idsOf, type Message, type QueuedMessage } from "../messages/message";
import { batchGet, waitMs } from "../sessions/batchGet";
import { keyOf, SESSION_ATTRIBUTES as A } from "../sessions/sessionItems";
import type { SessionKey } from "../sessions/sessionKey";
import type { Connections } from "../sessions/sessionRow";
import { tableClient } from "../tableClient";
import type { Attempted } from "./outcome";

/** The connections that took a message at an earlier attempt, by the queue's id of the message. */
export type TakenBy = ReadonlyMap<string, ReadonlySet<string>>;

/** Records which connections have taken a message that is retried for others. */
export interface PartialDeliveries {
  /** By the queue's ids of the messages; those that no connection has taken are missing. Consistent. */
  read(sqsMessageIds: readonly string[], signal?: AbortSignal): Promise<TakenBy>;
  /** @param expirationDate Epoch seconds after which the queue no longer has the message. */
  add(
    sqsMessageId: string,
    connectionIds: readonly string[],
    expirationDate: number,
    signal?: AbortSignal,
  ): Promise<void>;
}

export interface PartialDeliveriesDependencies {
  partials: PartialDeliveries;
  /** The relay's setting. */
  connectionsOfSession: Connections;
}

/** String set of connection ids. */
const TAKEN_BY = "taken_by";

// A session's partition key begins with user#, a connection's with connection#: neither is ever one of these.
const PREFIX = "delivery#";
const CONTEXT = "#delivery";

/**
 * A queue keeps no message longer, however often it is received.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
 */
const MAX_RETENTION_SECONDS = 1_209_600;

/** The SDK has 50 sockets. */
const MAX_PARALLEL_WRITES = 25;

/** Partial deliveries in the session table. */
export class DynamoDbPartialDeliveries implements PartialDeliveries {
  constructor(
    private readonly client: DynamoDBClient,
    private readonly table: { tableName: string },
  ) {}

  async read(sqsMessageIds: readonly string[], signal?: AbortSignal): Promise<TakenBy> {
    const keys = [...new Set(sqsMessageIds)].map((id) => keyOf(itemKey(id)));
    const items = await batchGet(keys, { client: this.client, wait: waitMs, ...this.table }, signal);
    return new Map(
      items.map((item) => [item[A.callerId]?.S?.slice(PREFIX.length) ?? "", new Set(item[TAKEN_BY]?.SS ?? [])]),
    );
  }

  async add(
    sqsMessageId: string,
    connectionIds: readonly string[],
    expirationDate: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const command = new UpdateItemCommand({
      TableName: this.table.tableName,
      Key: keyOf(itemKey(sqsMessageId)),
      UpdateExpression: `ADD ${TAKEN_BY} :ids SET ${A.expirationDate} = :expirationDate`,
      ExpressionAttributeValues: {
        ":ids": { SS: [...connectionIds] },
        ":expirationDate": { N: String(expirationDate) },
      },
    });
    await this.client.send(command, { abortSignal: signal });
  }
}

/** Whether some connections may have taken the message and others not, as far as is known before its session's row is read. */
export function mayBePartial({ scope }: QueuedMessage, connectionsOfSession: Connections): boolean {
  return connectionsOfSession === "all" || scope !== undefined;
}

/** Which connections have taken the messages at earlier attempts. */
export async function readTakenBy(
  messages: readonly Message[],
  { partials }: Pick<PartialDeliveriesDependencies, "partials">,
  signal: AbortSignal,
): Promise<TakenBy> {
  const again = messages.filter(({ attempt }) => attempt > 1);
  return again.length === 0
    ? new Map()
    : await partials.read(
        again.map(({ sqsMessageId }) => sqsMessageId),
        signal,
      );
}

/** Records which connections have taken the messages that are retried. A message without a record is posted to all of them again. */
export async function recordPartial(
  attempted: readonly Attempted[],
  dependencies: PartialDeliveriesDependencies & { log: Log },
  signal: AbortSignal,
): Promise<void> {
  const { log } = dependencies;
  const partial = attempted.filter(({ outcome: { kind } }) => kind === "failed" || kind === "not-reached");
  await pLimit(MAX_PARALLEL_WRITES).map(partial, async ({ message, acceptedBy = [] }) => {
    if (acceptedBy.length === 0) return;
    try {
      await addTakenBy(message, acceptedBy, dependencies, signal);
    } catch (error) {
      const fields = { ...idsOf(message), connectionIds: acceptedBy, ...errorFields(error) };
      log.error("partial delivery not recorded: these connections get the message again", fields);
    }
  });
}

/** @throws if it may not be recorded. */
export async function addTakenBy(
  { sqsMessageId, sentAtMs }: QueuedMessage,
  connectionIds: readonly string[],
  { partials }: Pick<PartialDeliveriesDependencies, "partials">,
  signal: AbortSignal,
): Promise<void> {
  const expirationDate = Math.ceil(sentAtMs / 1000) + MAX_RETENTION_SECONDS;
  await partials.add(sqsMessageId, connectionIds, expirationDate, signal);
}

/** Partial deliveries in the table `TABLE_NAME`. */
export function partialDeliveriesFromEnvironment(environment: Environment): PartialDeliveries {
  return new DynamoDbPartialDeliveries(tableClient(), { tableName: text(environment, "TABLE_NAME") });
}

function itemKey(sqsMessageId: string): SessionKey {
  return { callerId: `${PREFIX}${sqsMessageId}`, context: CONTEXT };
}
