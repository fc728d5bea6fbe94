import * as pulumi from "@pulumi/pulumi";
import type { ConstructResult, Provider } from "@pulumi/pulumi/provider";
import { WebsocketRelay } from "../websocketRelay";
import { relayArgsOf } from "./relayArgsOf";
import type { WebsocketRelay as RemoteRelay } from "./remoteRelay";

const relayType = "websocket-relay:index:WebsocketRelay";

/** The outputs that a program in another language gets. */
type Outputs = Record<Exclude<keyof RemoteRelay, keyof pulumi.ComponentResource>, unknown>;

/**
 * The provider that creates relays for programs in other languages.
 *
 * @param schema Pulumi's schema of the package, with its version.
 */
export function relayProvider(schema: { version: string }): Provider {
  return {
    version: schema.version,
    schema: JSON.stringify(schema),
    // An async function, so that an error becomes a rejection.
    construct: async (name, type, inputs, opts) => construct(name, type, inputs, opts),
  };
}

function construct(
  name: string,
  type: string,
  inputs: pulumi.Inputs,
  opts: pulumi.ComponentResourceOptions,
): ConstructResult {
  if (type !== relayType) throw new Error(`type: got ${type}; allowed: ${relayType}, the only one of this package`);
  try {
    const relay = new WebsocketRelay(name, relayArgsOf(inputs), opts);
    return { urn: relay.urn, state: outputsOf(relay) };
  } catch (error) {
    if (!pulumi.InputPropertyError.isInstance(error)) throw error;
    // Of an error with a property, the CLI prints the property's value, too, even that of a secret.
    throw new pulumi.InputPropertiesError({ message: error.message, errors: [] });
  }
}

function outputsOf(relay: WebsocketRelay): Outputs {
  return {
    websocketUrl: relay.websocketUrl,
    customDomainTarget: relay.customDomainTarget,
    managementEndpoint: relay.managementEndpoint,
    topicArn: relay.topicArn,
    queueUrl: relay.queueUrl,
    queueArn: relay.publisher.queue.arn,
    deadLetterQueueUrl: relay.deadLetterQueueUrl,
    subscriptionDeadLetterQueueUrl: relay.subscriptionDeadLetterQueueUrl,
    tableName: relay.tableName,
    relayName: relay.relayName,
    delivery: relay.delivery,
    historyTableName: relay.historyTableName,
    receiptsTopicArn: relay.receiptsTopicArn,
    readUrl: relay.readUrl,
    retryWindowSeconds: relay.retryWindowSeconds,
    publishPolicy: relay.publishPolicy,
    disconnectUserPolicy: relay.disconnectUserPolicy,
    readPositionPolicy: relay.readPositionPolicy,
  };
}
