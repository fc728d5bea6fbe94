import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { PolicyStatement } from "./callbackFunction";

export interface SessionTableArgs {
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The table that knows which connection a user has open for a context: WSSessionDB in the diagrams. */
export class SessionTable extends pulumi.ComponentResource {
  /** `$disconnect` carries the connection id and nothing else of the session. */
  static readonly connectionIndexName = "connection";

  readonly table: aws.dynamodb.Table;

  constructor(name: string, args: SessionTableArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:SessionTable", `${name}-session-table`, {}, opts);

    this.table = new aws.dynamodb.Table(
      `${name}-table`,
      {
        billingMode: "PAY_PER_REQUEST",
        hashKey: "caller_id",
        rangeKey: "context",
        attributes: [
          { name: "caller_id", type: "S" },
          { name: "context", type: "S" },
          { name: "connection_id", type: "S" },
        ],
        globalSecondaryIndexes: [
          {
            name: SessionTable.connectionIndexName,
            keySchemas: [{ attributeName: "connection_id", keyType: "HASH" }],
            projectionType: "KEYS_ONLY",
          },
        ],
        ttl: { attributeName: "expiration_date", enabled: true },
        tags: args.tags,
      },
      { parent: this },
    );

    this.registerOutputs({ tableName: this.table.name });
  }

  /** The right to `actions` on the table's items. */
  statement(...actions: string[]): PolicyStatement {
    return { Action: actions, Resource: [this.table.arn] };
  }

  /** The right to look sessions up by their connection. */
  connectionIndexStatement(): PolicyStatement {
    return {
      Action: ["dynamodb:Query"],
      Resource: [pulumi.interpolate`${this.table.arn}/index/${SessionTable.connectionIndexName}`],
    };
  }
}
