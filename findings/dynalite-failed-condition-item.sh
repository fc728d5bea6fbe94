#!/bin/sh
# dynalite 4.0.0 accepts ReturnValuesOnConditionCheckFailure: "ALL_OLD", and its ConditionalCheckFailedException never has the
# item. With DynamoDB, it has:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
#
# Seen with Node 20.20:
#   the error: ConditionalCheckFailedException
#   its item: none
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts dynalite@4.0.0 @aws-sdk/client-dynamodb@3.1169.0

cat > try.js <<'JS'
const dynalite = require("dynalite");
const {
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  waitUntilTableExists,
} = require("@aws-sdk/client-dynamodb");

const server = dynalite({ createTableMs: 0 });
server.listen(0, "127.0.0.1", async () => {
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "a", secretAccessKey: "a" },
  });
  const TableName = "table";
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: [{ AttributeName: "id", AttributeType: "S" }],
      KeySchema: [{ AttributeName: "id", KeyType: "HASH" }],
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1 }, { TableName });
  const Key = { id: { S: "1" } };
  await client.send(new PutItemCommand({ TableName, Item: { ...Key, owner: { S: "somebody" } } }));
  const error = await client
    .send(
      new DeleteItemCommand({
        TableName,
        Key,
        ConditionExpression: "attribute_not_exists(id)",
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      }),
    )
    .catch((thrown) => thrown);
  console.log("the error:", error.name);
  console.log("its item:", error.Item === undefined ? "none" : JSON.stringify(error.Item));
  process.exit(error.name === "ConditionalCheckFailedException" && error.Item === undefined ? 0 : 1);
});
JS
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node try.js
