import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import { CallbackFunction, type CallbackFunctionArgs, type PolicyStatement } from "../lambda/callbackFunction";
import { keyStatements } from "../data/encryption";
import { connectSettings, deliverSettings, type FunctionParts, ours } from "./functions";
import { HistoryTable } from "../data/historyTable";

/** What the functions of a relay that delivers by replay work with. */
export interface ReplayParts extends FunctionParts {
  historyTable: HistoryTable;
  /** Only where there are receipts. */
  receiptsTopic?: aws.sns.Topic;
}

/** Called for `$connect`. */
export function connectReplayFunction(
  name: string,
  parts: FunctionParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const { environment, policyStatements, ...settings } = connectSettings(parts, args);
  return new CallbackFunction(
    `${name}-connect`,
    {
      ...settings,
      callbackFactory: () => {
        const handler =
          require("../../handlers/connect/replayConnect") as typeof import("../../handlers/connect/replayConnect");
        return handler.connectReplayFromEnvironment(process.env);
      },
      // It tells a connection that another one has taken its session over.
      environment: { ...environment, MANAGEMENT_ENDPOINT: parts.gateway.managementEndpoint },
      policyStatements: [...policyStatements, parts.gateway.manageConnectionsStatement("POST")],
    },
    opts,
  );
}

/** Called with the retry queue's messages. */
export function deliverReplayFunction(
  name: string,
  parts: ReplayParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const { environment, policyStatements, ...settings } = deliverSettings(parts, args);
  return new CallbackFunction(
    `${name}-deliver`,
    {
      ...settings,
      callbackFactory: parts.receiptsTopic ? deliverWithReceipts : deliverWithoutReceipts,
      environment: {
        ...environment,
        ...historyEnvironment(parts, args),
        ...receiptsEnvironment(parts),
        ...(args.deadLetterExpired && { DEAD_LETTER_EXPIRED: "true" }),
      },
      policyStatements: [
        ...policyStatements,
        parts.historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
        ...receiptsStatements(parts, args),
      ],
    },
    opts,
  );
}

/** Two modules: whoever asks for no receipts ships no client of their topic. */
const deliverWithReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/deliver/replayDeliverWithReceipts") as typeof import("../../handlers/deliver/replayDeliverWithReceipts");
  return handler.deliverWithReceiptsFromEnvironment(process.env);
};
const deliverWithoutReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/deliver/replayDeliver") as typeof import("../../handlers/deliver/replayDeliver");
  return handler.deliverReplayFromEnvironment(process.env);
};

const resumeWithReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/frames/resumeWithReceipts") as typeof import("../../handlers/frames/resumeWithReceipts");
  return handler.resumeWithReceiptsFromEnvironment(process.env);
};
const resumeWithoutReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler = require("../../handlers/frames/resume") as typeof import("../../handlers/frames/resume");
  return handler.resumeFromEnvironment(process.env);
};

/** Called with a client's frame that asks for what it missed. */
export function resumeFunction(
  name: string,
  parts: ReplayParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const settings = frameSettings(parts, args, {
    historyStatements: [parts.historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem")],
    reportStatements: deadLetterStatements(parts, args),
  });
  return new CallbackFunction(
    `${name}-resume`,
    {
      ...settings,
      callbackFactory: parts.receiptsTopic ? resumeWithReceipts : resumeWithoutReceipts,
      environment: { ...settings.environment, ...deadLetterEnvironment(parts, args) },
    },
    opts,
  );
}

const acknowledgeWithReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/frames/acknowledgeWithReceipts") as typeof import("../../handlers/frames/acknowledgeWithReceipts");
  return handler.acknowledgeWithReceiptsFromEnvironment(process.env);
};
const acknowledgeWithoutReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler = require("../../handlers/frames/acknowledge") as typeof import("../../handlers/frames/acknowledge");
  return handler.acknowledgeFromEnvironment(process.env);
};

/** Called with a client's frame that says how far everything has arrived. */
export function acknowledgeFunction(
  name: string,
  parts: ReplayParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const { historyTable, receiptsTopic } = parts;
  return new CallbackFunction(
    `${name}-acknowledge`,
    {
      ...frameSettings(parts, args, {
        historyStatements: [
          historyTable.statement("dynamodb:GetItem", "dynamodb:PutItem"),
          // Each message that is acknowledged gets a receipt: its id is read.
          ...(receiptsTopic ? [historyTable.statement("dynamodb:Query")] : []),
        ],
      }),
      callbackFactory: receiptsTopic ? acknowledgeWithReceipts : acknowledgeWithoutReceipts,
    },
    opts,
  );
}

const expireWithReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/sweepers/historySweeperWithReceipts") as typeof import("../../handlers/sweepers/historySweeperWithReceipts");
  return handler.expireWithReceiptsFromEnvironment(process.env);
};
const expireWithoutReceipts: CallbackFunctionArgs["callbackFactory"] = () => {
  const handler =
    require("../../handlers/sweepers/historySweeper") as typeof import("../../handlers/sweepers/historySweeper");
  return handler.expireFromEnvironment(process.env);
};

/** Called every minute. */
export function expireFunction(
  name: string,
  parts: ReplayParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const { historyTable, relayName } = parts;
  return new CallbackFunction(
    `${name}-expire`,
    {
      ...ours(args),
      callbackFactory: parts.receiptsTopic ? expireWithReceipts : expireWithoutReceipts,
      environment: {
        ...historyEnvironment(parts, args),
        HISTORY_EXPIRY_INDEX_NAME: HistoryTable.expiryIndexName,
        RELAY_NAME: relayName,
        ...deadLetterEnvironment(parts, args),
        ...receiptsEnvironment(parts),
      },
      policyStatements: [
        historyTable.expiryIndexStatement(),
        historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
        ...keyStatements(args.kmsKeyArn, "useTable"),
        ...deadLetterStatements(parts, args),
        ...receiptsStatements(parts, args),
      ],
      // Below the minute after which the next one is called.
      timeoutSeconds: 50,
    },
    opts,
  );
}

/** What a function that answers a client's frames is, whatever the frame. */
function frameSettings(
  parts: ReplayParts,
  args: ResolvedArgs,
  {
    historyStatements,
    reportStatements = [],
  }: { historyStatements: PolicyStatement[]; reportStatements?: PolicyStatement[] },
): Omit<CallbackFunctionArgs, "callbackFactory"> {
  const { sessionTable, gateway, relayName } = parts;
  return {
    ...ours(args),
    environment: {
      TABLE_NAME: sessionTable.tableName,
      ...historyEnvironment(parts, args),
      MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
      RELAY_NAME: relayName,
      ...receiptsEnvironment(parts),
    },
    policyStatements: [
      sessionTable.statement("dynamodb:GetItem"),
      ...historyStatements,
      gateway.manageConnectionsStatement("POST"),
      ...keyStatements(args.kmsKeyArn, "useTable"),
      ...reportStatements,
      ...receiptsStatements(parts, args),
    ],
    // Below the 29 seconds after which the gateway gives a function up, and tells the client so.
    timeoutSeconds: 28,
  };
}

type Environment = CallbackFunctionArgs["environment"];

function historyEnvironment({ historyTable }: ReplayParts, { historyRetentionSeconds }: ResolvedArgs): Environment {
  return {
    HISTORY_TABLE_NAME: historyTable.table.name,
    HISTORY_RETENTION_SECONDS: String(historyRetentionSeconds),
  };
}

/** Whoever finds an expired message reports it. */
function deadLetterEnvironment({ publisher }: ReplayParts, { deadLetterExpired }: ResolvedArgs): Environment {
  return deadLetterExpired ? { DEAD_LETTER_QUEUE_URL: publisher.deadLetterQueue.url } : {};
}

function deadLetterStatements(
  { publisher }: ReplayParts,
  { deadLetterExpired, kmsKeyArn }: ResolvedArgs,
): PolicyStatement[] {
  if (!deadLetterExpired) return [];
  return [
    { Action: ["sqs:SendMessage"], Resource: [publisher.deadLetterQueue.arn] },
    ...keyStatements(kmsKeyArn, "sendAndReceive"),
  ];
}

function receiptsEnvironment({ receiptsTopic }: ReplayParts): Environment {
  return receiptsTopic ? { RECEIPTS_TOPIC_ARN: receiptsTopic.arn } : {};
}

function receiptsStatements({ receiptsTopic }: ReplayParts, { kmsKeyArn }: ResolvedArgs): PolicyStatement[] {
  if (!receiptsTopic) return [];
  return [{ Action: ["sns:Publish"], Resource: [receiptsTopic.arn] }, ...keyStatements(kmsKeyArn, "publish")];
}
