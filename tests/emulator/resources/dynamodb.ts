import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  type DynamoDBClient,
  type GlobalSecondaryIndex,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { autoname } from "../../../local/provision/autoname";
import { type EmulatedResources, inPascalCase, type Properties } from "./resource";

interface TableInputs {
  name?: string;
  attributes: { name: string; type: string }[];
  hashKey: string;
  rangeKey?: string;
  billingMode: string;
  globalSecondaryIndexes?: {
    name: string;
    keySchemas: Properties[];
    projectionType: string;
    nonKeyAttributes?: string[];
  }[];
  ttl?: { attributeName: string; enabled: boolean };
  pointInTimeRecovery?: { enabled: boolean };
  serverSideEncryption?: { enabled: boolean; kmsKeyArn?: string };
  deletionProtectionEnabled?: boolean;
  tags?: Record<string, string>;
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Operations_Amazon_DynamoDB.html */
export function dynamodbResources(dynamodb: DynamoDBClient): EmulatedResources {
  return {
    "aws:dynamodb/table:Table": {
      async create(logicalName, registered) {
        const inputs = registered as unknown as TableInputs;
        const TableName = inputs.name ?? autoname(logicalName);
        const { TableDescription } = await dynamodb.send(new CreateTableCommand(tableOf(TableName, inputs)));
        const { ttl, pointInTimeRecovery } = inputs;
        if (ttl) {
          const TimeToLiveSpecification = { AttributeName: ttl.attributeName, Enabled: ttl.enabled };
          await dynamodb.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
        }
        if (pointInTimeRecovery?.enabled) {
          const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: true };
          await dynamodb.send(new UpdateContinuousBackupsCommand({ TableName, PointInTimeRecoverySpecification }));
        }
        return { id: TableName, outputs: { name: TableName, arn: TableDescription?.TableArn } };
      },
      async delete(id) {
        await dynamodb.send(new DeleteTableCommand({ TableName: id }));
      },
    },
  };
}

function tableOf(TableName: string, inputs: TableInputs): CreateTableCommandInput {
  const { hashKey, rangeKey, globalSecondaryIndexes = [], serverSideEncryption, tags = {} } = inputs;
  const indexes = globalSecondaryIndexes.map(({ name, keySchemas, projectionType, nonKeyAttributes }) => ({
    IndexName: name,
    KeySchema: keySchemas.map((key) => inPascalCase(key)),
    Projection: { ProjectionType: projectionType, NonKeyAttributes: nonKeyAttributes },
  })) as unknown as GlobalSecondaryIndex[];
  return {
    TableName,
    BillingMode: inputs.billingMode as CreateTableCommandInput["BillingMode"],
    AttributeDefinitions: inputs.attributes.map(({ name, type }) => ({
      AttributeName: name,
      AttributeType: type as "S" | "N" | "B",
    })),
    KeySchema: [
      { AttributeName: hashKey, KeyType: "HASH" },
      ...(rangeKey === undefined ? [] : [{ AttributeName: rangeKey, KeyType: "RANGE" as const }]),
    ],
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes }),
    ...(serverSideEncryption?.enabled && {
      SSESpecification: { Enabled: true, SSEType: "KMS", KMSMasterKeyId: serverSideEncryption.kmsKeyArn },
    }),
    DeletionProtectionEnabled: inputs.deletionProtectionEnabled,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  };
}
