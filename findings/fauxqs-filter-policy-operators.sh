#!/bin/sh
# fauxqs 1.9.2 delivers nothing by a filter policy with equals-ignore-case, and nothing to a subscription whose policy
# names a value within a String.Array attribute; it accepts both policies without an error. SNS documents both:
# https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
#
# Seen with Node 20.20:
#   exact value of a String: delivered
#   equals-ignore-case: not delivered
#   a value of a String.Array: not delivered
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

async function sns(action, parameters) {
  const body = new URLSearchParams({ Action: action, Version: "2010-03-31", ...parameters });
  return (await fetch(endpoint, { method: "POST", body })).text();
}

const { QueueUrl } = await sqs("CreateQueue", { QueueName: "queue" });
const { Attributes } = await sqs("GetQueueAttributes", { QueueUrl, AttributeNames: ["QueueArn"] });

async function isDelivered(name, condition, type, value) {
  const topic = await sns("CreateTopic", { Name: name });
  const TopicArn = /<TopicArn>(.*?)<\/TopicArn>/.exec(topic)[1];
  const subscription = { TopicArn, Protocol: "sqs", Endpoint: Attributes.QueueArn };
  const policy = JSON.stringify({ interest: [condition] });
  await sns("Subscribe", { ...subscription, "Attributes.entry.1.key": "FilterPolicy", "Attributes.entry.1.value": policy });
  const attribute = { Name: "interest", "Value.DataType": type, "Value.StringValue": value };
  const entries = Object.entries(attribute).map(([key, text]) => [`MessageAttributes.entry.1.${key}`, text]);
  await sns("Publish", { TopicArn, Message: name, ...Object.fromEntries(entries) });
  const { Messages = [] } = await sqs("ReceiveMessage", { QueueUrl });
  return Messages.length === 1;
}

const isExact = await isDelivered("exact", "rugby", "String", "rugby");
const isIgnoringCase = await isDelivered("case", { "equals-ignore-case": "RUGBY" }, "String", "rugby");
const isInArray = await isDelivered("array", "rugby", "String.Array", JSON.stringify(["tennis", "rugby"]));
const show = (isSo) => (isSo ? "delivered" : "not delivered");
console.log("exact value of a String:", show(isExact));
console.log("equals-ignore-case:", show(isIgnoringCase));
console.log("a value of a String.Array:", show(isInArray));
const isAsDescribed = isExact && !isIgnoringCase && !isInArray;
await app.close();
process.exitCode = isAsDescribed ? 0 : 1;
JS
node try.mjs
