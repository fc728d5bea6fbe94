import {
  DescribeTableCommand,
  type DynamoDBClient,
  ResourceNotFoundException,
  type TableDescription,
  UpdateTableCommand,
} from "@aws-sdk/client-dynamodb";
import { arn, region } from "../account";
import type { Tables } from "../dynamodb/tables";
import { tableClient } from "../dynamodb/tableClient";
import { autoname } from "./autoname";
import { createTable, deleteTable, rebuildTable, until } from "./rebuildTable";
import type { LocalFunctions, LocalResources, Properties } from "./resource";
import { billingMode, checkTableInputs, createTableInput, indexes, type TableInputs } from "./tableInputs";

/**
 * Tables. Point-in-time recovery, tags and TTL are accepted and have no effect: dynalite has no TTL, and code
 * must not rely on it, since deletion lags by up to days on AWS.
 */
export function tableResources(tables: Tables): LocalResources {
  const client = () => tableClient(tables);
  return {
    "aws:dynamodb/table:Table": {
      replaceOnChanges: ["name", "hashKey", "rangeKey"],
      async create({ name: logicalName, inputs }) {
        const name = (inputs as TableInputs).name ?? autoname(logicalName);
        checkTableInputs(logicalName, inputs);
        await withClient(client(), (dynamodb) => createTable(dynamodb, createTableInput(name, inputs as TableInputs)));
        encrypt(tables, name, inputs);
        return { id: name, outputs: outputs(name) };
      },
      async update(id, { name: logicalName, inputs }, olds) {
        checkTableInputs(logicalName, inputs);
        const [news, before] = [inputs as TableInputs, olds as TableInputs];
        const [input, inputBefore] = [createTableInput(id, news), createTableInput(id, before)];
        const isIndexed = (of: TableInputs) => JSON.stringify([of.attributes, indexes(of)]);
        if (isIndexed(news) !== isIndexed(before)) {
          const rebuild = (dynamodb: DynamoDBClient) => rebuildTable(dynamodb, inputBefore, input);
          await tables.exclusively(() => withClient(client(), rebuild));
        } else if (billingMode(news) !== billingMode(before)) {
          const { BillingMode, ProvisionedThroughput } = input;
          await withClient(client(), async (dynamodb) => {
            await dynamodb.send(new UpdateTableCommand({ TableName: id, BillingMode, ProvisionedThroughput }));
            await until(dynamodb, id, (status) => status === "ACTIVE");
          });
        }
        encrypt(tables, id, inputs);
        return outputs(id);
      },
      async delete(id, olds) {
        if ((olds as TableInputs).deletionProtectionEnabled) {
          throw new Error(
            `ValidationException: table ${id} cannot be deleted while deletionProtectionEnabled is true: set it to false first`,
          );
        }
        await withClient(client(), (dynamodb) => deleteTable(dynamodb, id));
      },
      read: (id) => withClient(client(), (dynamodb) => describe(dynamodb, id)),
    },
  };
}

/** `aws.dynamodb.getTable` */
export function tableFunctions(tables: Tables): LocalFunctions {
  return {
    async "aws:dynamodb/getTable:getTable"({ name }) {
      const table = await withClient(tableClient(tables), (dynamodb) => describe(dynamodb, String(name)));
      if (!table) throw new Error(`ResourceNotFoundException: Requested resource not found: Table: ${String(name)}`);
      return table;
    },
  };
}

function encrypt(tables: Tables, name: string, inputs: Properties): void {
  const { enabled, kmsKeyArn } = (inputs as TableInputs).serverSideEncryption ?? {};
  tables.access.encrypt(name, enabled ? kmsKeyArn : undefined);
}

function outputs(name: string): Properties {
  return { id: name, name, arn: arn("dynamodb", `table/${name}`), region };
}

async function describe(client: DynamoDBClient, name: string): Promise<Properties | undefined> {
  try {
    const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: name }));
    return { ...outputs(name), ...stateOf(Table) };
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/** A table's description by dynalite, as @pulumi/aws names it. */
function stateOf(table: TableDescription): Properties {
  const keys = ({ KeySchema = [] }: Pick<TableDescription, "KeySchema">) => ({
    hashKey: KeySchema.find(({ KeyType }) => KeyType === "HASH")?.AttributeName,
    rangeKey: KeySchema.find(({ KeyType }) => KeyType === "RANGE")?.AttributeName,
  });
  return {
    ...keys(table),
    attributes: table.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => ({
      name: AttributeName,
      type: AttributeType,
    })),
    billingMode: table.BillingModeSummary?.BillingMode ?? "PROVISIONED",
    globalSecondaryIndexes: (table.GlobalSecondaryIndexes ?? []).map((index) => ({
      name: index.IndexName,
      ...keys(index),
      projectionType: index.Projection?.ProjectionType,
      nonKeyAttributes: index.Projection?.NonKeyAttributes ?? [],
    })),
  };
}

async function withClient<T>(client: DynamoDBClient, use: (client: DynamoDBClient) => Promise<T>): Promise<T> {
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}
