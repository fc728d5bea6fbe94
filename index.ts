import * as pulumi from "@pulumi/pulumi";
import { WebsocketRelay } from "./components";
import { argsFromConfig } from "./components/args/stackConfig";

// Its arguments are this project's config: docs/configuration.md lists them.
const relay = new WebsocketRelay("relay", argsFromConfig(new pulumi.Config()));

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
export const readUrl = relay.readUrl ?? null;
