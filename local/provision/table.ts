import {
  CreateTableCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceNotFoundException,
  UpdateTableCommand,
  type BillingMode,
  type CreateTableCommandInput,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  type KeyType,
  type ProjectionType,
  type ProvisionedThroughput,
  type ScalarAttributeType,
} from "@aws-sdk/client-dynamodb";
import { arn, credentials, region } from "../account";
import type { Tables } from "../table";
import { autoname } from "./autoname";
import type { LocalResources, Properties } from "./resource";

/** The inputs that something here follows from, as @pulumi/aws names them. */
interface TableInputs {
  name?: string;
  attributes?: { name: string; type: string }[];
  hashKey?: string;
  rangeKey?: string;
  billingMode?: string;
  readCapacity?: number;
  writeCapacity?: number;
  globalSecondaryIndexes?: IndexInputs[];
  ttl?: { attributeName?: string; enabled?: boolean };
  deletionProtectionEnabled?: boolean;
}

interface IndexInputs {
  name: string;
  hashKey?: string;
  rangeKey?: string;
  keySchemas?: { attributeName: string; keyType: string }[];
  projectionType: string;
  nonKeyAttributes?: string[];
  readCapacity?: number;
  writeCapacity?: number;
}

/** What would change how a table behaves, and is not modelled here. */
const unsupportedInputs = [
  "localSecondaryIndexes",
  "streamEnabled",
  "replicas",
  "importTable",
  "restoreSourceName",
  "restoreSourceTableArn",
];

/**
 * Tables. Encryption, point-in-time recovery, tags and TTL are accepted and have no effect: dynalite knows no expiry, and
 * code must not rely on it, since deletion lags by up to days on AWS.
 */
export function tableResources(tables: Tables): LocalResources {
  const client = () => new DynamoDBClient({ endpoint: tables.endpoint, region, credentials });
  return {
    "aws:dynamodb/table:Table": {
      replaceOnChanges: ["name", "hashKey", "rangeKey"],
      async create({ name: logicalName, inputs }) {
        const name = (inputs as TableInputs).name ?? autoname(logicalName);
        checkInputs(logicalName, inputs);
        await withClient(client(), async (dynamodb) => {
          await dynamodb.send(new CreateTableCommand(createTableInput(name, inputs as TableInputs)));
          await until(dynamodb, name, (status) => status === "ACTIVE");
        });
        return { id: name, outputs: outputs(name) };
      },
      async update(id, { name: logicalName, inputs }, olds) {
        checkInputs(logicalName, inputs);
        const [news, before] = [inputs as TableInputs, olds as TableInputs];
        if (JSON.stringify(indexes(news)) !== JSON.stringify(indexes(before))) {
          throw new Error(
            `table ${logicalName}: globalSecondaryIndexes cannot be changed in place in the local run, for dynalite ` +
              "builds no index later: destroy the table first",
          );
        }
        if (billingMode(news) !== billingMode(before)) {
          await withClient(client(), async (dynamodb) => {
            const { BillingMode, ProvisionedThroughput } = createTableInput(id, news);
            await dynamodb.send(new UpdateTableCommand({ TableName: id, BillingMode, ProvisionedThroughput }));
            await until(dynamodb, id, (status) => status === "ACTIVE");
          });
        }
        return outputs(id);
      },
      async delete(id, olds) {
        if ((olds as TableInputs).deletionProtectionEnabled) {
          throw new Error(
            `ValidationException: table ${id} cannot be deleted while deletionProtectionEnabled is true: set it to false first`,
          );
        }
        await withClient(client(), async (dynamodb) => {
          await dynamodb.send(new DeleteTableCommand({ TableName: id }));
          await until(dynamodb, id, (status) => status === undefined);
        });
      },
    },
  };
}

function outputs(name: string): Properties {
  return { id: name, name, arn: arn("dynamodb", `table/${name}`), region };
}

function checkInputs(logicalName: string, inputs: Properties): void {
  for (const key of unsupportedInputs) {
    if (inputs[key]) throw new Error(`table ${logicalName}: ${key} is not modelled in the local run`);
  }
  const { ttl } = inputs as TableInputs;
  if (ttl?.enabled && !ttl.attributeName) {
    throw new Error(
      `table ${logicalName}: ttl.attributeName must name an attribute when ttl.enabled is true; got nothing`,
    );
  }
}

function createTableInput(name: string, inputs: TableInputs): CreateTableCommandInput {
  const throughput = (of: { readCapacity?: number; writeCapacity?: number }): ProvisionedThroughput | undefined =>
    billingMode(inputs) === "PROVISIONED"
      ? { ReadCapacityUnits: of.readCapacity, WriteCapacityUnits: of.writeCapacity }
      : undefined;
  const globalIndexes = indexes(inputs).map((index) => ({
    ...index.definition,
    ProvisionedThroughput: throughput(index),
  }));
  return {
    TableName: name,
    AttributeDefinitions: inputs.attributes?.map((attribute) => ({
      AttributeName: attribute.name,
      AttributeType: attribute.type as ScalarAttributeType,
    })),
    KeySchema: keySchema(inputs),
    BillingMode: billingMode(inputs),
    ProvisionedThroughput: throughput(inputs),
    GlobalSecondaryIndexes: globalIndexes.length > 0 ? globalIndexes : undefined,
  };
}

function billingMode({ billingMode = "PROVISIONED" }: TableInputs): BillingMode {
  return billingMode as BillingMode;
}

function indexes(inputs: TableInputs): (IndexInputs & { definition: GlobalSecondaryIndex })[] {
  return (inputs.globalSecondaryIndexes ?? []).map((index) => ({
    ...index,
    definition: {
      IndexName: index.name,
      KeySchema: keySchema(index),
      Projection: {
        ProjectionType: index.projectionType as ProjectionType,
        NonKeyAttributes: index.nonKeyAttributes?.length ? index.nonKeyAttributes : undefined,
      },
    },
  }));
}

/** An index's keys come as `hashKey` and `rangeKey`, or in the newer form, `keySchemas`. */
function keySchema({ hashKey, rangeKey, keySchemas = [] }: Partial<IndexInputs>): KeySchemaElement[] {
  if (keySchemas.length > 0) {
    return keySchemas.map((key) => ({ AttributeName: key.attributeName, KeyType: key.keyType as KeyType }));
  }
  return [
    { AttributeName: hashKey, KeyType: "HASH" },
    ...(rangeKey ? [{ AttributeName: rangeKey, KeyType: "RANGE" as const }] : []),
  ];
}

async function withClient(client: DynamoDBClient, use: (client: DynamoDBClient) => Promise<void>): Promise<void> {
  try {
    await use(client);
  } finally {
    client.destroy();
  }
}

/** Asks until the table's status is what it is to be. The SDK's own waiters wait at least 20 seconds. */
async function until(
  client: DynamoDBClient,
  name: string,
  isReached: (status: string | undefined) => boolean,
): Promise<void> {
  while (!isReached(await status(client, name)));
}

async function status(client: DynamoDBClient, name: string): Promise<string | undefined> {
  try {
    return (await client.send(new DescribeTableCommand({ TableName: name }))).Table?.TableStatus;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
