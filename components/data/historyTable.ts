import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { HISTORY_DUE_INDEX } from "../../handlers/history/historyItems";
import type { PolicyStatement } from "../lambda/callbackFunction";

export interface HistoryTableArgs {
  protectData: boolean;
  pointInTimeRecovery: boolean;
  /** @default DynamoDB's own key */
  kmsKeyArn?: pulumi.Input<string>;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The table of the messages published to each session, by their numbers. Unlike a session's row, the sequence is kept. */
export class HistoryTable extends pulumi.ComponentResource {
  /** Sessions by when the sweeper visits them next, in shards: a single key would limit throughput to one partition. */
  static readonly dueIndexName = HISTORY_DUE_INDEX;

  readonly table: aws.dynamodb.Table;

  constructor(name: string, args: HistoryTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:HistoryTable", `${name}-history`, {}, opts);
    const { protectData, pointInTimeRecovery, kmsKeyArn, tags } = args;

    this.table = new aws.dynamodb.Table(
      `${name}-history-table`,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "session",
        rangeKey: "entry",
        attributes: [
          { name: "session", type: "S" },
          { name: "entry", type: "S" },
          { name: "due_shard", type: "S" },
          { name: "due_at", type: "N" },
        ],
        globalSecondaryIndexes: [
          {
            name: HistoryTable.dueIndexName,
            keySchemas: [
              { attributeName: "due_shard", keyType: "HASH" },
              { attributeName: "due_at", keyType: "RANGE" },
            ],
            // The session, without the bodies, which would be stored and written twice.
            projectionType: "INCLUDE",
            nonKeyAttributes: ["caller_id", "context"],
          },
        ],
        // Deletes free of charge and in no order. A segment's TTL is days after its messages have expired and been reported.
        ttl: { attributeName: "expiration_date", enabled: true },
        deletionProtectionEnabled: protectData || undefined,
        // Disabled explicitly, as in the session table.
        pointInTimeRecovery: { enabled: pointInTimeRecovery },
        serverSideEncryption: kmsKeyArn === undefined ? { enabled: false } : { enabled: true, kmsKeyArn },
        tags,
      },
      { parent: this, protect: protectData || undefined },
    );

    this.registerOutputs({ tableName: this.table.name });
  }

  /** The right to `actions` on the table's items. */
  statement(...actions: string[]): PolicyStatement {
    return { Action: actions, Resource: [this.table.arn] };
  }

  /** The right to query the sessions that are due. */
  dueIndexStatement(): PolicyStatement {
    return {
      Action: ["dynamodb:Query"],
      Resource: [pulumi.interpolate`${this.table.arn}/index/${HistoryTable.dueIndexName}`],
    };
  }
}
