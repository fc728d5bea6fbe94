#!/bin/sh
# fauxqs 1.9.2 refuses every SQS message with a character beyond the Basic Multilingual Plane, an emoji for example.
# SQS allows #x10000 to #x10FFFF:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
#
# Seen with Node 20.20:
#   BMP: accepted
#   emoji: com.amazonaws.sqs#InvalidMessageContents
#
# Exits 0 while that is so, and otherwise with another status. What sends the same message through an SNS topic is not
# refused.
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

async function sns(action, parameters) {
  const body = new URLSearchParams({ Action: action, Version: "2010-03-31", ...parameters });
  return (await fetch(endpoint, { method: "POST", body })).text();
}

const { QueueUrl } = await sqs("CreateQueue", { QueueName: "queue" });
const bmp = await sqs("SendMessage", { QueueUrl, MessageBody: "snowman \u2603" });
const emoji = await sqs("SendMessage", { QueueUrl, MessageBody: "smile \u{1F600}" });
console.log("BMP:", bmp.MessageId ? "accepted" : bmp.__type);
console.log("emoji:", emoji.MessageId ? "accepted" : emoji.__type);
const isAsDescribed = Boolean(bmp.MessageId) && String(emoji.__type).endsWith("#InvalidMessageContents");
await app.close();
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
