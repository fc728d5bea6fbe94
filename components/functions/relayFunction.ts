import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { keyStatements } from "../data/encryption";
import type { HistoryTable } from "../data/historyTable";
import type { SessionTable } from "../data/sessionTable";
import type { Gateway } from "../gateway/gateway";
import type { Publisher } from "../ingress/publisher";
import { CallbackFunction, type CallbackFunctionArgs } from "../lambda/callbackFunction";
import { bundleOwn, type OwnCallback } from "./ownBundle";

/** One function of the relay, in one mode. */
export interface FunctionSpec {
  callback: OwnCallback;
  /** Whether the function publishes receipts. @default false */
  withReceipts?: boolean;
  environment: CallbackFunctionArgs["environment"];
  /** What the function may do, besides writing its logs and using the relay's key. */
  statements: CallbackFunctionArgs["policyStatements"];
  timeoutSeconds: number;
  /** @default none are reserved */
  reservedConcurrentExecutions?: number;
  /** @default none besides `index.js` */
  files?: CallbackFunctionArgs["files"];
}

/** Settings that all functions of a relay share. */
export type FunctionSettings = Pick<
  CallbackFunctionArgs,
  "logRetentionInDays" | "applicationLogLevel" | "kmsKeyArn" | "permissionsBoundaryArn" | "tags"
>;

/** The parts of a relay that its functions use in both modes. */
export interface RelayParts {
  sessionTable: SessionTable;
  publisher: Publisher;
  gateway: Gateway;
  relayName: string;
}

/** The parts and settings that its functions use in replay mode only. */
export interface ReplayParts extends RelayParts {
  historyTable: HistoryTable;
  historyRetentionSeconds: number;
  historyGeneration: number;
  deadLetterExpired: boolean;
  /** Undefined if no message gets the receipt `waiting`. */
  waitingAfterSeconds?: number;
  /** Undefined if the relay has no receipts. */
  receiptsTopic?: aws.sns.Topic;
  /** Of requests for what raw clients have missed. Undefined if raw clients are refused. */
  flushQueue?: aws.sqs.Queue;
}

/** Creates the function. */
export function relayFunction(
  name: string,
  spec: FunctionSpec,
  settings: FunctionSettings,
  opts: pulumi.ComponentResourceOptions,
): CallbackFunction {
  const {
    callback,
    withReceipts = false,
    environment,
    statements,
    timeoutSeconds,
    reservedConcurrentExecutions,
    files,
  } = spec;
  const { logRetentionInDays, applicationLogLevel, kmsKeyArn, permissionsBoundaryArn, tags } = settings;
  /** The package carries the bundle of an own callback: see `ownBundle.ts`. */
  class RelayFunction extends CallbackFunction {
    protected override bundle(): Promise<string> {
      return bundleOwn(callback, withReceipts);
    }
  }
  return new RelayFunction(
    name,
    {
      callbackFactory: callback.factory,
      files,
      environment,
      policyStatements: [...statements, ...keyStatements(kmsKeyArn, statements)],
      timeoutSeconds,
      reservedConcurrentExecutions,
      logRetentionInDays,
      applicationLogLevel,
      kmsKeyArn,
      permissionsBoundaryArn,
      tags,
    },
    opts,
  );
}
