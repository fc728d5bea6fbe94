import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HistoryTable, type HistoryTableArgs } from "./data/historyTable";
import { acknowledgeSpec } from "./functions/acknowledge";
import { flushMapping, flushQueue, flushSpec } from "./functions/flush";
import { historySweeperSpec } from "./functions/historySweeper";
import { type FunctionSettings, relayFunction, type RelayParts, type ReplayParts } from "./functions/relayFunction";
import { resumeSpec } from "./functions/resume";
import { HistorySweeper } from "./historySweeper";
import { queuePolicy } from "./ingress/queuePolicy";
import { topicPolicy } from "./ingress/topicPolicy";
import type { CallbackFunction } from "./lambda/callbackFunction";

/** Only the relay's own functions publish receipts. */
const noPublishers = { accountIds: [], organizationIds: [] };

export interface ReplayComponentArgs extends HistoryTableArgs, FunctionSettings {
  tags: HistoryTableArgs["tags"];
  historyRetentionSeconds: number;
  historyGeneration: number;
  deadLetterExpired: boolean;
  receipts: boolean;
  /** @default no receipts `waiting` */
  waitingAfterSeconds?: number;
  /** Whether clients without the protocol may connect. */
  rawClients: boolean;
  maximumConcurrency: number;
}

/** What a relay has in replay mode only: the history, the functions for frames, raw clients and old messages, and receipts. */
export class Replay extends pulumi.ComponentResource {
  readonly historyTable: HistoryTable;
  /** Carries the outcome of each message; absent unless `receipts` is set. */
  readonly receiptsTopic?: aws.sns.Topic;
  readonly receiptsTopicPolicy?: aws.sns.TopicPolicy;
  readonly resume: CallbackFunction;
  readonly acknowledge: CallbackFunction;
  /** Requests for what clients without the protocol have missed; absent if `rawClients` is false. */
  readonly flushQueue?: aws.sqs.Queue;
  readonly flushQueuePolicy?: aws.sqs.QueuePolicy;
  /** Sends it to them; absent if `rawClients` is false. */
  readonly flush?: CallbackFunction;
  readonly flushMapping?: aws.lambda.EventSourceMapping;
  readonly historySweeper: HistorySweeper;
  /** @deprecated Use `historySweeper`. */
  readonly expire: HistorySweeper;

  private readonly settings: Pick<
    ReplayParts,
    "historyRetentionSeconds" | "historyGeneration" | "deadLetterExpired" | "waitingAfterSeconds"
  >;

  constructor(name: string, relay: RelayParts, args: ReplayComponentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Replay", `${name}-replay`, {}, opts);
    const child = { parent: this };

    this.historyTable = new HistoryTable(name, args, child);
    if (args.receipts) {
      this.receiptsTopic = new aws.sns.Topic(
        `${name}-receipts-topic`,
        { kmsMasterKeyId: args.kmsKeyArn, tags: args.tags },
        // Backends subscribe to its ARN, and a new topic would have another one.
        { ...child, protect: args.protectData || undefined },
      );
      this.receiptsTopicPolicy = topicPolicy(`${name}-receipts-topic`, this.receiptsTopic, noPublishers, child);
    }
    const { historyRetentionSeconds, historyGeneration, deadLetterExpired, waitingAfterSeconds } = args;
    this.settings = { historyRetentionSeconds, historyGeneration, deadLetterExpired, waitingAfterSeconds };
    if (args.rawClients) {
      this.flushQueue = flushQueue(name, args, child);
      this.flushQueuePolicy = queuePolicy(`${name}-flush-queue`, this.flushQueue, undefined, child);
    }
    const parts = this.partsWith(relay);
    this.resume = relayFunction(`${name}-resume`, resumeSpec(parts), args, child);
    this.acknowledge = relayFunction(`${name}-acknowledge`, acknowledgeSpec(parts), args, child);
    if (this.flushQueue) {
      this.flush = relayFunction(`${name}-flush`, flushSpec(parts, this.flushQueue), args, child);
      this.flushMapping = flushMapping(name, this.flushQueue, this.flush, args, child);
    }
    this.historySweeper = new HistorySweeper(name, historySweeperSpec(parts), args, child);
    this.expire = this.historySweeper;

    this.registerOutputs({ historyTableName: this.historyTable.table.name, receiptsTopicArn: this.receiptsTopic?.arn });
  }

  /** @internal The parts and settings of the relay's functions, those of `deliver` too. */
  partsWith(relay: RelayParts): ReplayParts {
    const { historyTable, receiptsTopic, flushQueue, settings } = this;
    return { ...relay, ...settings, historyTable, receiptsTopic, flushQueue };
  }
}
