import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import type { CallbackFunction } from "../lambda/callbackFunction";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, RelayParts, ReplayParts } from "./relayFunction";
import { historyEnvironment, receiptsEnvironment, receiptsStatements, waitingEnvironment } from "./replayAccess";

/** Called with the messages of the retry queue. */
export const deliverCallbacks = {
  retry: {
    module: "../../handlers/deliver/deliver",
    factory: () => {
      const handler = require("../../handlers/deliver/deliver") as typeof import("../../handlers/deliver/deliver");
      return handler.deliverFromEnvironment(process.env);
    },
  },
  replay: {
    module: "../../handlers/deliver/deliverReplay",
    factory: () => {
      const handler =
        require("../../handlers/deliver/deliverReplay") as typeof import("../../handlers/deliver/deliverReplay");
      return handler.deliverReplayFromEnvironment(process.env);
    },
    publishesReceipts: true,
  },
} satisfies Record<string, OwnCallback>;

export type DeliverSettings = Pick<ResolvedArgs, "maxAttempts" | "backoff" | "deliverTimeoutSeconds" | "connections">;

/** `deliver` in retry mode. */
export function deliverSpec(
  { sessionTable, publisher, gateway, relayName }: RelayParts,
  { maxAttempts, backoff, deliverTimeoutSeconds, connections }: DeliverSettings,
): FunctionSpec {
  return {
    callback: deliverCallbacks.retry,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
      QUEUE_URL: publisher.queue.url,
      DEAD_LETTER_QUEUE_URL: publisher.deadLetterQueue.url,
      CONNECTIONS: connections,
      MAX_ATTEMPTS: String(maxAttempts),
      BACKOFF_MIN_SECONDS: String(backoff.minSeconds),
      BACKOFF_MAX_SECONDS: String(backoff.maxSeconds),
      RELAY_NAME: relayName,
    },
    statements: [
      sessionTable.statement(
        "dynamodb:BatchGetItem",
        "dynamodb:Query",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
      ),
      gateway.manageConnectionsStatement("POST", "GET", "DELETE"),
      {
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        Resource: [publisher.queue.arn],
      },
      { Action: ["sqs:SendMessage"], Resource: [publisher.deadLetterQueue.arn] },
    ],
    timeoutSeconds: deliverTimeoutSeconds,
  };
}

/** `deliver` in replay mode: it stores each message before it posts it. */
export function deliverReplaySpec(parts: ReplayParts, settings: DeliverSettings): FunctionSpec {
  const { environment, statements, timeoutSeconds } = deliverSpec(parts, settings);
  const { historyTable, historyGeneration, deadLetterExpired, receiptsTopic, flushQueue } = parts;
  return {
    callback: deliverCallbacks.replay,
    withReceipts: receiptsTopic !== undefined,
    environment: {
      ...environment,
      ...historyEnvironment(parts),
      HISTORY_GENERATION: String(historyGeneration),
      ...(!flushQueue && { RAW_CLIENTS: "false" }),
      ...receiptsEnvironment(parts),
      ...waitingEnvironment(parts),
      ...(deadLetterExpired && { DEAD_LETTER_EXPIRED: "true" }),
    },
    statements: [
      ...statements,
      historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
      ...receiptsStatements(parts),
    ],
    timeoutSeconds,
  };
}

export type DeliverMappingSettings = Pick<
  ResolvedArgs,
  "batchSize" | "maximumBatchingWindowInSeconds" | "maximumConcurrency" | "tags"
>;

/** Has Lambda poll the retry queue and invoke `deliver` with its messages. */
export function deliverMapping(
  name: string,
  queue: aws.sqs.Queue,
  deliver: CallbackFunction,
  { batchSize, maximumBatchingWindowInSeconds, maximumConcurrency, tags }: DeliverMappingSettings,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.EventSourceMapping {
  return new aws.lambda.EventSourceMapping(
    `${name}-deliver-mapping`,
    {
      eventSourceArn: queue.arn,
      functionName: deliver.function.arn,
      batchSize,
      maximumBatchingWindowInSeconds,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // Failures do not slow the poller down: without this limit it could take the account's whole concurrency.
      scalingConfig: { maximumConcurrency },
      tags,
    },
    opts,
  );
}
