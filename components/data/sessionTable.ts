import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { refuse, refuseProblem } from "../args/refuse";
import type { PolicyStatement } from "../lambda/callbackFunction";
import { existingTableProblem, type RequiredIndexes } from "./existingTable";

export interface SessionTableArgs extends RequiredIndexes {
  /** An existing table. @default a table is created */
  tableName?: pulumi.Input<string>;
  protectData: boolean;
  pointInTimeRecovery: boolean;
  /** @default DynamoDB's own key */
  kmsKeyArn?: pulumi.Input<string>;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The table of each user's open connection for a context: WSSessionDB in the diagrams. */
export class SessionTable extends pulumi.ComponentResource {
  /** Sessions by their newest connection, for connections that were opened under 0.1.0. */
  static readonly connectionIndexName = "connection";
  /** Connections by the end of their tokens, in shards: a single key would limit throughput to one partition. */
  static readonly tokenExpiryIndexName = "token-expiry";

  /** The relay's own; absent if `tableName` names an existing one. */
  readonly table?: aws.dynamodb.Table;
  readonly tableName: pulumi.Output<string>;
  readonly tableArn: pulumi.Output<string>;

  constructor(name: string, args: SessionTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:SessionTable", `${name}-session-table`, {}, opts);

    if (args.tableName === undefined) {
      this.table = this.create(`${name}-table`, args);
      this.tableName = this.table.name;
      this.tableArn = this.table.arn;
    } else {
      const existing = this.find(args.tableName, args);
      this.tableName = existing.name;
      this.tableArn = existing.arn;
    }

    this.registerOutputs({ tableName: this.tableName });
  }

  /** The right to `actions` on the table's items. */
  statement(...actions: string[]): PolicyStatement {
    return { Action: actions, Resource: [this.tableArn] };
  }

  /** The right to query items by an index. */
  indexStatement(indexName: string): PolicyStatement {
    return { Action: ["dynamodb:Query"], Resource: [pulumi.interpolate`${this.tableArn}/index/${indexName}`] };
  }

  private create(name: string, args: SessionTableArgs): aws.dynamodb.Table {
    const { connectionIndex, endSessionWithToken, protectData, pointInTimeRecovery, kmsKeyArn, tags } = args;
    return new aws.dynamodb.Table(
      name,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "caller_id",
        rangeKey: "context",
        attributes: [
          { name: "caller_id", type: "S" },
          { name: "context", type: "S" },
          ...(connectionIndex ? [{ name: "connection_id", type: "S" }] : []),
          ...(endSessionWithToken ? tokenExpiryAttributes : []),
        ],
        globalSecondaryIndexes: [
          ...(connectionIndex ? [connectionIdIndex] : []),
          ...(endSessionWithToken ? [tokenExpiryIndex] : []),
        ],
        ttl: { attributeName: "expiration_date", enabled: true },
        deletionProtectionEnabled: protectData || undefined,
        // Disabled explicitly: the provider treats an omitted block as unchanged, and the table would keep a key that its roles lost.
        // https://github.com/hashicorp/terraform-provider-aws/issues/29811
        pointInTimeRecovery: { enabled: pointInTimeRecovery },
        serverSideEncryption: kmsKeyArn === undefined ? { enabled: false } : { enabled: true, kmsKeyArn },
        tags,
      },
      { parent: this, protect: protectData || undefined },
    );
  }

  private find(
    tableName: pulumi.Input<string>,
    indexes: RequiredIndexes,
  ): pulumi.Output<{ name: string; arn: string }> {
    return pulumi.output(tableName).apply(async (name) => {
      // Not getTableOutput, whose error would be Pulumi's, with the frames of its gRPC client.
      const found = await aws.dynamodb.getTable({ name }, { parent: this }).catch((error: Error) => {
        const why = error.message.trim().replace(/\s+/g, " ") || "AWS gave no reason";
        const fix = `check the name and the deploying role's rights (${why})`;
        return refuse("tableName", name, "a table in the relay's account and region", fix);
      });
      refuseProblem("tableName", existingTableProblem(found, indexes));
      return { name: found.name, arn: found.arn };
    });
  }
}

const connectionIdIndex = {
  name: SessionTable.connectionIndexName,
  keySchemas: [{ attributeName: "connection_id", keyType: "HASH" }],
  projectionType: "KEYS_ONLY",
};

const tokenExpiryAttributes = [
  { name: "expiry_shard", type: "S" },
  { name: "token_expires_at", type: "N" },
];

const tokenExpiryIndex = {
  name: SessionTable.tokenExpiryIndexName,
  keySchemas: [
    { attributeName: "expiry_shard", keyType: "HASH" },
    { attributeName: "token_expires_at", keyType: "RANGE" },
  ],
  projectionType: "KEYS_ONLY",
};
