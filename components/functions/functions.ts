import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import { resolveAuth } from "../args/authArgs";
import { bundleCallback } from "../lambda/bundle";
import { CallbackFunction, type CallbackFunctionArgs } from "../lambda/callbackFunction";
import { keyStatements } from "../data/encryption";
import type { Gateway } from "../gateway/gateway";
import { checkedOrigins } from "../args/originArgs";
import type { Publisher } from "../ingress/publisher";
import { SessionTable } from "../data/sessionTable";

/** What the relay's functions work with. */
export interface FunctionParts {
  sessionTable: SessionTable;
  publisher: Publisher;
  gateway: Gateway;
  relayName: string;
}

/** Called for `$connect`. */
export function connectFunction(
  name: string,
  parts: FunctionParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  return new CallbackFunction(
    `${name}-connect`,
    {
      ...connectSettings(parts, args),
      callbackFactory: () => {
        const handler = require("../../handlers/connect/connect") as typeof import("../../handlers/connect/connect");
        return handler.connectFromEnvironment(process.env);
      },
    },
    opts,
  );
}

/** What `connect` is, however messages are delivered. */
export function connectSettings(
  { sessionTable, gateway, relayName }: FunctionParts,
  args: ResolvedArgs,
): Omit<CallbackFunctionArgs, "callbackFactory"> {
  const { auth } = args;
  const allowedOrigins = checkedOrigins(args.allowedOrigins);
  const given = pulumi.all([auth, allowedOrigins]);
  const origins = pulumi
    .all([allowedOrigins, gateway.origins])
    .apply(([allowed, own]) => (allowed === null ? null : [...new Set([...own, ...allowed])]));
  return {
    ...ours(args),
    // A file of its own: our code stays the same, whatever the user's does.
    files: auth?.authenticate && { "authenticate.js": bundleCallback(auth.authenticate, auth.requireFrom) },
    environment: {
      TABLE_NAME: sessionTable.tableName,
      SESSION_TTL_SECONDS: String(args.sessionTtlSeconds),
      AUTH: pulumi.jsonStringify(given.apply(([auth, allowed]) => resolveAuth(auth, allowed))),
      ALLOWED_ORIGINS: pulumi.jsonStringify(origins),
      RELAY_NAME: relayName,
    },
    policyStatements: [
      sessionTable.statement("dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:DeleteItem"),
      ...keyStatements(args.kmsKeyArn, "useTable"),
    ],
    timeoutSeconds: 10,
  };
}

/** Called for `$disconnect`. */
export function disconnectFunction(
  name: string,
  { sessionTable }: FunctionParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  return new CallbackFunction(
    `${name}-disconnect`,
    {
      ...ours(args),
      callbackFactory: () => {
        const handler =
          require("../../handlers/disconnect/disconnect") as typeof import("../../handlers/disconnect/disconnect");
        return handler.disconnectFromEnvironment(process.env);
      },
      environment: {
        TABLE_NAME: sessionTable.tableName,
        CONNECTION_INDEX_NAME: SessionTable.connectionIndexName,
      },
      policyStatements: [
        sessionTable.indexStatement(SessionTable.connectionIndexName),
        sessionTable.statement("dynamodb:DeleteItem"),
        ...keyStatements(args.kmsKeyArn, "useTable"),
      ],
      timeoutSeconds: 10,
    },
    opts,
  );
}

/** Called with the retry queue's messages. */
export function deliverFunction(
  name: string,
  parts: FunctionParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  return new CallbackFunction(
    `${name}-deliver`,
    {
      ...deliverSettings(parts, args),
      callbackFactory: () => {
        const handler = require("../../handlers/deliver/deliver") as typeof import("../../handlers/deliver/deliver");
        return handler.deliverFromEnvironment(process.env);
      },
    },
    opts,
  );
}

/** What `deliver` is, however messages are delivered. */
export function deliverSettings(
  { sessionTable, publisher, gateway, relayName }: FunctionParts,
  args: ResolvedArgs,
): Omit<CallbackFunctionArgs, "callbackFactory"> {
  return {
    ...ours(args),
    environment: {
      TABLE_NAME: sessionTable.tableName,
      MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
      QUEUE_URL: publisher.queue.url,
      DEAD_LETTER_QUEUE_URL: publisher.deadLetterQueue.url,
      MAX_ATTEMPTS: String(args.maxAttempts),
      BACKOFF_MIN_SECONDS: String(args.backoff.minSeconds),
      BACKOFF_MAX_SECONDS: String(args.backoff.maxSeconds),
      RELAY_NAME: relayName,
    },
    policyStatements: [
      sessionTable.statement("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:DeleteItem"),
      gateway.manageConnectionsStatement("POST", "GET", "DELETE"),
      {
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        Resource: [publisher.queue.arn],
      },
      { Action: ["sqs:SendMessage"], Resource: [publisher.deadLetterQueue.arn] },
      ...keyStatements(args.kmsKeyArn, "useTable", "sendAndReceive"),
    ],
    timeoutSeconds: args.deliverTimeoutSeconds,
  };
}

/** Called every minute, where sessions end with their token. */
export function sweepFunction(
  name: string,
  { sessionTable, gateway, relayName }: FunctionParts,
  args: ResolvedArgs,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  return new CallbackFunction(
    `${name}-sweep`,
    {
      ...ours(args),
      callbackFactory: () => {
        const handler =
          require("../../handlers/sweepers/sessionSweeper") as typeof import("../../handlers/sweepers/sessionSweeper");
        return handler.sweepFromEnvironment(process.env);
      },
      environment: {
        TABLE_NAME: sessionTable.tableName,
        TOKEN_EXPIRY_INDEX_NAME: SessionTable.tokenExpiryIndexName,
        MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
        RELAY_NAME: relayName,
      },
      policyStatements: [
        sessionTable.indexStatement(SessionTable.tokenExpiryIndexName),
        sessionTable.statement("dynamodb:GetItem", "dynamodb:DeleteItem"),
        gateway.manageConnectionsStatement("DELETE"),
        ...keyStatements(args.kmsKeyArn, "useTable"),
      ],
      // Below the minute after which the next one is called.
      timeoutSeconds: 50,
    },
    opts,
  );
}

/** What every function of the relay has alike. */
export function ours(
  args: ResolvedArgs,
): Pick<CallbackFunctionArgs, "requireFrom" | "logRetentionInDays" | "kmsKeyArn" | "permissionsBoundaryArn" | "tags"> {
  const { logRetentionInDays, kmsKeyArn, permissionsBoundaryArn, tags } = args;
  return { requireFrom: __dirname, logRetentionInDays, kmsKeyArn, permissionsBoundaryArn, tags };
}
