#!/bin/sh
# fauxqs 1.9.2 answers success to a DeleteMessage by the latest receipt handle of a message that is visible again (here
# after ChangeMessageVisibility to 0), and gives the message again. On a standard queue of SQS only a handle that is not
# the latest may leave the message there:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteMessage.html
#
# Seen with Node 20.20:
#   delete answered: {}
#   received after the delete: 1 message
#
# Exits 0 while that is so, and otherwise with another status.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts fauxqs@1.9.2

cat > try.mjs <<'JS'
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false });
const endpoint = await app.listen({ port: 0, host: "127.0.0.1" });

async function sqs(action, body) {
  const headers = { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` };
  const response = await fetch(endpoint, { method: "POST", headers, body: JSON.stringify(body) });
  return response.json();
}

const { QueueUrl } = await sqs("CreateQueue", { QueueName: "queue" });
await sqs("SendMessage", { QueueUrl, MessageBody: "once" });
const receive = async (VisibilityTimeout) => (await sqs("ReceiveMessage", { QueueUrl, VisibilityTimeout })).Messages ?? [];
const [{ ReceiptHandle }] = await receive(30);
await sqs("ChangeMessageVisibility", { QueueUrl, ReceiptHandle, VisibilityTimeout: 0 });
const deleted = await sqs("DeleteMessage", { QueueUrl, ReceiptHandle });
const again = await receive(30);
console.log("delete answered:", JSON.stringify(deleted));
console.log("received after the delete:", again.length, "message");
const isAsDescribed = JSON.stringify(deleted) === "{}" && again.length === 1;
await app.close();
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
