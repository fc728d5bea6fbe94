import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HistoryTable, type HistoryTableArgs } from "../data/historyTable";
import type { CallbackFunction } from "../lambda/callbackFunction";
import { acknowledgeSpec } from "./acknowledge";
import { historySweeperSpec } from "./historySweeper";
import { type FunctionSettings, relayFunction, type RelayParts, type ReplayParts } from "./relayFunction";
import { resumeSpec } from "./resume";
import { Sweeper } from "./sweeper";

export interface ReplayComponentArgs extends HistoryTableArgs, FunctionSettings {
  tags: HistoryTableArgs["tags"];
  historyRetentionSeconds: number;
  deadLetterExpired: boolean;
  receipts: boolean;
}

/** What a relay has in replay mode only: the history, the functions for frames and for old messages, and receipts. */
export class Replay extends pulumi.ComponentResource {
  readonly historyTable: HistoryTable;
  /** Carries the outcome of each message; absent unless `receipts` is set. */
  readonly receiptsTopic?: aws.sns.Topic;
  readonly resume: CallbackFunction;
  readonly acknowledge: CallbackFunction;
  readonly historySweeper: Sweeper;
  /** The parts that `deliver` uses, too. */
  readonly parts: ReplayParts;

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
    }
    this.parts = {
      ...relay,
      historyTable: this.historyTable,
      historyRetentionSeconds: args.historyRetentionSeconds,
      deadLetterExpired: args.deadLetterExpired,
      receiptsTopic: this.receiptsTopic,
    };
    this.resume = relayFunction(`${name}-resume`, resumeSpec(this.parts), args, child);
    this.acknowledge = relayFunction(`${name}-acknowledge`, acknowledgeSpec(this.parts), args, child);
    this.historySweeper = new Sweeper(name, "history", historySweeperSpec(this.parts), args, child);

    this.registerOutputs({ historyTableName: this.historyTable.table.name, receiptsTopicArn: this.receiptsTopic?.arn });
  }

  /** @deprecated Use `historySweeper`. */
  get expire(): Sweeper {
    return this.historySweeper;
  }
}
