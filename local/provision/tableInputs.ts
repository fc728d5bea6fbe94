import type {
  BillingMode,
  CreateTableCommandInput,
  GlobalSecondaryIndex,
  KeySchemaElement,
  KeyType,
  ProjectionType,
  ProvisionedThroughput,
  ScalarAttributeType,
} from "@aws-sdk/client-dynamodb";
import type { Properties } from "./resource";

/** The inputs that have an effect here, as @pulumi/aws names them. */
export interface TableInputs {
  name?: string;
  attributes?: { name: string; type: string }[];
  hashKey?: string;
  rangeKey?: string;
  billingMode?: string;
  readCapacity?: number;
  writeCapacity?: number;
  globalSecondaryIndexes?: IndexInputs[];
  ttl?: { attributeName?: string; enabled?: boolean };
  pointInTimeRecovery?: { enabled?: boolean; recoveryPeriodInDays?: number };
  serverSideEncryption?: { enabled?: boolean; kmsKeyArn?: string };
  deletionProtectionEnabled?: boolean;
}

export interface IndexInputs {
  name: string;
  hashKey?: string;
  rangeKey?: string;
  keySchemas?: { attributeName: string; keyType: string }[];
  projectionType: string;
  nonKeyAttributes?: string[];
  readCapacity?: number;
  writeCapacity?: number;
}

export function checkTableInputs(logicalName: string, inputs: Properties): void {
  const { ttl, pointInTimeRecovery } = inputs as TableInputs;
  const { recoveryPeriodInDays: days = 35 } = pointInTimeRecovery ?? {};
  if (!Number.isInteger(days) || days < 1 || days > 35) {
    throw new Error(
      `table ${logicalName}: pointInTimeRecovery.recoveryPeriodInDays must be an integer from 1 to 35; got ${days}`,
    );
  }
  const refused = attributeNames(inputs as TableInputs).find((name) => name === "" || name.length > 255);
  if (refused !== undefined) {
    throw new Error(
      `table ${logicalName}: an attribute's name must be of 1 to 255 characters; got ${JSON.stringify(refused)}`,
    );
  }
  if (ttl?.enabled && !ttl.attributeName) {
    throw new Error(
      `table ${logicalName}: ttl.attributeName must name an attribute when ttl.enabled is true; got nothing`,
    );
  }
}

function attributeNames({ attributes = [], ttl }: TableInputs): string[] {
  const names = attributes.map(({ name }) => name);
  // The provider takes an empty one for none.
  return ttl?.attributeName ? [...names, ttl.attributeName] : names;
}

export function createTableInput(name: string, inputs: TableInputs): CreateTableCommandInput {
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

export function billingMode({ billingMode = "PROVISIONED" }: TableInputs): BillingMode {
  return billingMode as BillingMode;
}

export function indexes(inputs: TableInputs): (IndexInputs & { definition: GlobalSecondaryIndex })[] {
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
