import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { queueEncryption } from "../ingress/queueEncryption";
import type { CallbackFunction } from "../lambda/callbackFunction";
import type { DeliverMappingSettings } from "./deliver";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, ReplayParts } from "./relayFunction";
import { deadLetterEnvironment, deadLetterStatements, frameEnvironment, receiptsStatements } from "./replayAccess";

/** Called with the requests for what clients without the protocol have missed, in replay mode. */
export const flushCallback: OwnCallback = {
  module: "../../handlers/raw/flush",
  factory: () => {
    const handler = require("../../handlers/raw/flush") as typeof import("../../handlers/raw/flush");
    return handler.flushFromEnvironment(process.env);
  },
  publishesReceipts: true,
};

const TIMEOUT_SECONDS = 30;

/** Longer than the function may take: another invocation would find the session's raw connections busy. */
const VISIBILITY_TIMEOUT_SECONDS = 2 * TIMEOUT_SECONDS;

/** A request is received ten times at most, within a minute or two. It contains no message. */
const RETENTION_SECONDS = 300;

/** The queue of the requests, which `connect` sends. */
export function flushQueue(
  name: string,
  { kmsKeyArn, tags }: { kmsKeyArn?: pulumi.Input<string>; tags: DeliverMappingSettings["tags"] },
  opts: pulumi.CustomResourceOptions,
): aws.sqs.Queue {
  return new aws.sqs.Queue(
    `${name}-flush-queue`,
    {
      // A connection opens only after `$connect` has answered.
      delaySeconds: 1,
      visibilityTimeoutSeconds: VISIBILITY_TIMEOUT_SECONDS,
      messageRetentionSeconds: RETENTION_SECONDS,
      ...queueEncryption(kmsKeyArn),
      tags,
    },
    opts,
  );
}

export function flushSpec(parts: ReplayParts, flushQueue: aws.sqs.Queue): FunctionSpec {
  const { sessionTable, gateway, historyTable, receiptsTopic } = parts;
  return {
    callback: flushCallback,
    withReceipts: receiptsTopic !== undefined,
    environment: {
      ...frameEnvironment(parts),
      FLUSH_QUEUE_URL: flushQueue.url,
      ...deadLetterEnvironment(parts),
    },
    statements: [
      sessionTable.statement("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      historyTable.statement("dynamodb:Query", "dynamodb:UpdateItem"),
      gateway.manageConnectionsStatement("POST", "GET", "DELETE"),
      {
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        Resource: [flushQueue.arn],
      },
      ...deadLetterStatements(parts),
      ...receiptsStatements(parts),
    ],
    timeoutSeconds: TIMEOUT_SECONDS,
  };
}

/** Has Lambda poll the queue of requests and invoke `flush` with them. */
export function flushMapping(
  name: string,
  flushQueue: aws.sqs.Queue,
  flush: CallbackFunction,
  { maximumConcurrency, tags }: Pick<DeliverMappingSettings, "maximumConcurrency" | "tags">,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.EventSourceMapping {
  return new aws.lambda.EventSourceMapping(
    `${name}-flush-mapping`,
    {
      eventSourceArn: flushQueue.arn,
      functionName: flush.function.arn,
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      // When all clients reconnect at once, the poller must not take the account's whole concurrency.
      scalingConfig: { maximumConcurrency },
      tags,
    },
    opts,
  );
}
