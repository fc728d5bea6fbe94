import * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, WebsocketRelay } from "./components";

const config = new pulumi.Config();

const relay = new WebsocketRelay("relay", {
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
  logRetentionInDays: config.getNumber("logRetentionInDays"),
  throttlingRateLimit: config.getNumber("throttlingRateLimit"),
  throttlingBurstLimit: config.getNumber("throttlingBurstLimit"),
  stageName: config.get("stageName"),
  tags: config.getObject<Record<string, string>>("tags"),
});

export const {
  websocketUrl,
  managementEndpoint,
  topicArn,
  queueUrl,
  deadLetterQueueUrl,
  subscriptionDeadLetterQueueUrl,
  tableName,
  retryWindowSeconds,
} = relay;
