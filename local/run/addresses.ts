import { basename } from "node:path";
import { arn, credentials, region } from "../account";
import type { LocalCloud } from "../cloud";

/** The addresses that `npm start -- --json` prints. */
export interface Addresses {
  /** The relay's name in its metrics, where the program tells it. */
  relayName?: string;
  /** The delivery mode; `retry` where the program does not export it. */
  delivery: "retry" | "replay";
  websocketUrl: string;
  managementEndpoint: string;
  /** SNS and SQS. */
  awsEndpoint: string;
  dynamodbEndpoint: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  topicArn: string;
  queueUrl: string;
  queueArn: string;
  deadLetterQueueUrl: string;
  subscriptionDeadLetterQueueUrl: string;
  tableName: string;
  /** In replay mode only. */
  historyTableName?: string;
  /** Where receipts are on. */
  receiptsTopicArn?: string;
  /** With `httpRead`. */
  readUrl?: string;
  tokenUrl: string;
  jwksUrl: string;
  cookieName: string;
  allowedOrigins: string[];
  controlUrl: string;
  /** The page of local/page, in a browser. */
  pageUrl: string;
}

/** The outputs of a program that has made a relay, with where each local part listens. */
export function relayAddresses(
  exported: Readonly<Record<string, unknown>>,
  { cloud, controlUrl, cookieName, allowedOrigins }: Surroundings,
): Addresses {
  // One by one, as index.ts exports them, or together, as a relay's `addresses`.
  const outputs = { ...exported, ...(exported.addresses as Record<string, unknown> | undefined) };
  return {
    ...(typeof outputs.relayName === "string" && { relayName: outputs.relayName }),
    delivery: outputs.delivery === "replay" ? "replay" : "retry",
    websocketUrl: text(outputs, "websocketUrl"),
    managementEndpoint: text(outputs, "managementEndpoint"),
    awsEndpoint: cloud.messaging.endpoint,
    dynamodbEndpoint: cloud.tables.endpoint,
    region,
    accessKeyId: credentials.accessKeyId,
    secretAccessKey: credentials.secretAccessKey,
    topicArn: text(outputs, "topicArn"),
    queueUrl: text(outputs, "queueUrl"),
    queueArn: arn("sqs", basename(text(outputs, "queueUrl"))),
    deadLetterQueueUrl: text(outputs, "deadLetterQueueUrl"),
    subscriptionDeadLetterQueueUrl: text(outputs, "subscriptionDeadLetterQueueUrl"),
    tableName: text(outputs, "tableName"),
    ...textsOf(outputs, ["historyTableName", "receiptsTopicArn", "readUrl"]),
    tokenUrl: cloud.issuer.tokenUrl,
    jwksUrl: cloud.issuer.jwksUrl,
    cookieName,
    allowedOrigins: [...allowedOrigins, new URL(text(outputs, "managementEndpoint")).origin],
    controlUrl,
    pageUrl: `${controlUrl}/`,
  };
}

/** The addresses that a relay's outputs do not have. */
export interface Surroundings {
  cloud: LocalCloud;
  controlUrl: string;
  cookieName: string;
  /** Those of the program's config. */
  allowedOrigins: readonly string[];
}

/** Those that there are. */
function textsOf<K extends string>(outputs: Record<string, unknown>, keys: readonly K[]): Partial<Record<K, string>> {
  const given = keys.filter((key) => typeof outputs[key] === "string");
  return Object.fromEntries(given.map((key) => [key, outputs[key]])) as Partial<Record<K, string>>;
}

function text(outputs: Record<string, unknown>, key: string): string {
  const value = outputs[key];
  if (typeof value !== "string") {
    throw new Error(
      `the program's output ${key} is ${JSON.stringify(value)}: the program has to export it as text, as index.ts does`,
    );
  }
  return value;
}
