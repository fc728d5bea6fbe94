import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "../lambda/callbackFunction";

export interface HistoryTableArgs {
  protectData: boolean;
  pointInTimeRecovery: boolean;
  /** @default DynamoDB's own key */
  kmsKeyArn?: pulumi.Input<string>;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The table of what was published to each session, by its number. Unlike a session's row, its sequence never goes. */
export class HistoryTable extends pulumi.ComponentResource {
  /** Messages by when they have to be looked at, in shards: one key would be one partition's throughput. */
  static readonly expiryIndexName = "expiry";

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
          { name: "expiry_shard", type: "S" },
          { name: "due_at", type: "N" },
        ],
        globalSecondaryIndexes: [
          {
            name: HistoryTable.expiryIndexName,
            keySchemas: [
              { attributeName: "expiry_shard", keyType: "HASH" },
              { attributeName: "due_at", keyType: "RANGE" },
            ],
            // Whose message it is, and which: without the body, which would be stored and written twice.
            projectionType: "INCLUDE",
            nonKeyAttributes: ["caller_id", "context", "seq"],
          },
        ],
        // Of what is of no use any more; the messages themselves are deleted by `expire`, the oldest first.
        ttl: { attributeName: "expiration_date", enabled: true },
        deletionProtectionEnabled: protectData || undefined,
        // Off is said, as in the session table.
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

  /** The right to find what is due. */
  expiryIndexStatement(): PolicyStatement {
    return {
      Action: ["dynamodb:Query"],
      Resource: [pulumi.interpolate`${this.table.arn}/index/${HistoryTable.expiryIndexName}`],
    };
  }
}
