import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import type { CallbackFunction } from "../lambda/callbackFunction";
import { Expire } from "./historySweeper";
import type { FunctionParts } from "./functions";
import { HistoryTable } from "../data/historyTable";
import { acknowledgeFunction, type ReplayParts, resumeFunction } from "./replayFunctions";

/** What a relay that delivers by replay has beside the rest: the history, who answers frames, who ends it, the receipts. */
export class Replay extends pulumi.ComponentResource {
  readonly historyTable: HistoryTable;
  /** What became of each message; only where `receipts` asks for it. */
  readonly receiptsTopic?: aws.sns.Topic;
  readonly resume: CallbackFunction;
  readonly acknowledge: CallbackFunction;
  readonly expire: Expire;

  constructor(name: string, relay: FunctionParts, args: ResolvedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Replay", `${name}-replay`, {}, opts);
    const child = { parent: this };

    this.historyTable = new HistoryTable(name, args, child);
    if (args.receipts) {
      this.receiptsTopic = new aws.sns.Topic(
        `${name}-receipts-topic`,
        { kmsMasterKeyId: args.kmsKeyArn, tags: args.tags },
        // A new one would have another ARN than the backends' subscriptions.
        { ...child, protect: args.protectData || undefined },
      );
    }
    const parts = this.partsWith(relay);
    this.resume = resumeFunction(name, parts, args, child);
    this.acknowledge = acknowledgeFunction(name, parts, args, child);
    this.expire = new Expire(name, parts, args, child);

    this.registerOutputs({ historyTableName: this.historyTable.table.name, receiptsTopicArn: this.receiptsTopic?.arn });
  }

  /** @internal What the functions work with, beside `relay`'s parts. */
  partsWith(relay: FunctionParts): ReplayParts {
    return { ...relay, historyTable: this.historyTable, receiptsTopic: this.receiptsTopic };
  }
}
