import * as pulumi from "@pulumi/pulumi";
import {
  type AccessLogsArgs,
  type AlarmArgs,
  type AuthArgs,
  type CustomDomainArgs,
  WebsocketRelay,
  type WebsocketRelayArgs,
} from "./components";
import { refuseUnknownConfig } from "./components/args/unknownConfig";

const config = new pulumi.Config();

// The CLI takes no declared key without a default: an empty text and an empty object stand for none.
const textOrNone = (key: string) => config.get(key) || undefined;
const objectOrNone = <T extends object>(key: string) => {
  const value = config.getObject<T>(key);
  return value && Object.keys(value).length > 0 ? value : undefined;
};

const args: WebsocketRelayArgs = {
  auth: config.requireObject<AuthArgs>("auth"),
  allowedOrigins: config.getObject<string[]>("allowedOrigins"),
  sessionTtlSeconds: config.getNumber("sessionTtlSeconds"),
  maxAttempts: config.getNumber("maxAttempts"),
  backoffMinSeconds: config.getNumber("backoffMinSeconds"),
  backoffMaxSeconds: config.getNumber("backoffMaxSeconds"),
  batchSize: config.getNumber("batchSize"),
  maximumBatchingWindowInSeconds: config.getNumber("maximumBatchingWindowInSeconds"),
  maximumConcurrency: config.getNumber("maximumConcurrency"),
  messageRetentionSeconds: config.getNumber("messageRetentionSeconds"),
  delivery: config.get<"retry" | "replay">("delivery"),
  historyRetentionSeconds: config.getNumber("historyRetentionSeconds"),
  deadLetterExpired: config.getBoolean("deadLetterExpired"),
  receipts: config.getBoolean("receipts"),
  ordering: config.get<"standard" | "strict">("ordering"),
  topicArn: textOrNone("topicArn"),
  tableName: textOrNone("tableName"),
  kmsKeyArn: textOrNone("kmsKeyArn"),
  permissionsBoundaryArn: textOrNone("permissionsBoundaryArn"),
  publisherAccountIds: config.getObject<string[]>("publisherAccountIds"),
  publisherOrganizationIds: config.getObject<string[]>("publisherOrganizationIds"),
  protectData: config.getBoolean("protectData"),
  pointInTimeRecovery: config.getBoolean("pointInTimeRecovery"),
  logRetentionInDays: config.getNumber("logRetentionInDays"),
  throttlingRateLimit: config.getNumber("throttlingRateLimit"),
  throttlingBurstLimit: config.getNumber("throttlingBurstLimit"),
  stageName: config.get("stageName"),
  ipAddressType: config.get<"ipv4" | "dualstack">("ipAddressType"),
  customDomain: objectOrNone<CustomDomainArgs>("customDomain"),
  alarms: config.getObject<AlarmArgs>("alarms"),
  dashboard: config.getBoolean("dashboard"),
  accessLogs: objectOrNone<AccessLogsArgs>("accessLogs"),
  tags: config.getObject<Record<string, string>>("tags"),
};
refuseUnknownConfig(config.name, Object.keys(args));

const relay = new WebsocketRelay("relay", args);

export const {
  websocketUrl,
  managementEndpoint,
  topicArn,
  queueUrl,
  deadLetterQueueUrl,
  subscriptionDeadLetterQueueUrl,
  tableName,
  relayName,
  delivery,
  retryWindowSeconds,
} = relay;
// An undefined output is warned of.
export const customDomainTarget = relay.customDomainTarget ?? null;
export const historyTableName = relay.historyTableName ?? null;
export const receiptsTopicArn = relay.receiptsTopicArn ?? null;
