#!/bin/sh
# dynalite 4.0.0 counts strings in UTF-16 units. DynamoDB counts the bytes of their UTF-8, so an item of 600 KB, which
# DynamoDB refuses for its limit of 400 KB, is stored, and an item of 3,000 bytes is said to take one write unit instead of
# three. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
#
# Seen with Node 20.20:
#   an item of 600 KB: stored
#   write units of an item of 3 KB: 1
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts dynalite@4.0.0 @aws-sdk/client-dynamodb@3.1169.0

cat > try.js <<'JS'
const dynalite = require("dynalite");
const { CreateTableCommand, DynamoDBClient, PutItemCommand, waitUntilTableExists } = require("@aws-sdk/client-dynamodb");

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
  const put = (id, text) =>
    client.send(
      new PutItemCommand({ TableName, Item: { id: { S: id }, text: { S: text } }, ReturnConsumedCapacity: "TOTAL" }),
    );
  // Three bytes in UTF-8 each.
  const large = await put("large", "漢".repeat(200_000)).then(
    () => "stored",
    ({ name }) => name,
  );
  const { ConsumedCapacity } = await put("small", "漢".repeat(1_000));
  console.log("an item of 600 KB:", large);
  console.log("write units of an item of 3 KB:", ConsumedCapacity?.CapacityUnits);
  process.exit(large === "stored" && ConsumedCapacity?.CapacityUnits === 1 ? 0 : 1);
});
JS
AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true node try.js
