import type { CreateTableCommandInput } from "@aws-sdk/client-dynamodb";

export type TableDeclaration = Omit<CreateTableCommandInput, "TableName">;

/** With both indexes: the one for connections of 0.1.0, and the one by the end of tokens. */
export const SESSION_TABLE: TableDeclaration = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "caller_id", AttributeType: "S" },
    { AttributeName: "context", AttributeType: "S" },
    { AttributeName: "connection_id", AttributeType: "S" },
    { AttributeName: "expiry_shard", AttributeType: "S" },
    { AttributeName: "token_expires_at", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "caller_id", KeyType: "HASH" },
    { AttributeName: "context", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "connection",
      KeySchema: [{ AttributeName: "connection_id", KeyType: "HASH" }],
      Projection: { ProjectionType: "KEYS_ONLY" },
    },
    {
      IndexName: "token-expiry",
      KeySchema: [
        { AttributeName: "expiry_shard", KeyType: "HASH" },
        { AttributeName: "token_expires_at", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "KEYS_ONLY" },
    },
  ],
};

export const HISTORY_TABLE: TableDeclaration = {
  BillingMode: "PAY_PER_REQUEST",
  AttributeDefinitions: [
    { AttributeName: "session", AttributeType: "S" },
    { AttributeName: "entry", AttributeType: "S" },
    { AttributeName: "due_shard", AttributeType: "S" },
    { AttributeName: "due_at", AttributeType: "N" },
  ],
  KeySchema: [
    { AttributeName: "session", KeyType: "HASH" },
    { AttributeName: "entry", KeyType: "RANGE" },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: "due",
      KeySchema: [
        { AttributeName: "due_shard", KeyType: "HASH" },
        { AttributeName: "due_at", KeyType: "RANGE" },
      ],
      Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["caller_id", "context"] },
    },
  ],
};
