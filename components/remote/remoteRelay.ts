import * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../../handlers/deliver/backoff";
import type { CustomDomainTarget } from "../gateway/customDomain";
import type { RelayArgs } from "./remoteArgs";

/**
 * Delivers a backend's messages to a user's client over an API Gateway WebSocket, and survives dropped connections. Backends
 * publish to the topic; a message whose client is away is retried, or replayed from a history.
 */
// Only for Pulumi's analyzer, which generates plugin/schema.json from it. provider.ts constructs the relay itself, so that a relay
// has the same URNs in every language.
export declare class WebsocketRelay extends pulumi.ComponentResource {
  /** The URL that clients open, with `?context=…&contextId=…`: the custom domain's, if there is one. */
  readonly websocketUrl: pulumi.Output<string>;
  /** The target of the custom domain's DNS record; absent unless the relay created the domain. */
  readonly customDomainTarget?: pulumi.Output<CustomDomainTarget>;
  /** The endpoint that sends to connections, looks them up and closes them (`@connections`). */
  readonly managementEndpoint: pulumi.Output<string>;
  /** The topic that backends publish to. */
  readonly topicArn: pulumi.Output<string>;
  /** The URL of the retry queue. */
  readonly queueUrl: pulumi.Output<string>;
  /** The ARN of the retry queue. */
  readonly queueArn: pulumi.Output<string>;
  /** The URL of the queue of messages that could not be delivered, each with its `reason`. */
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  /** The URL of the queue of messages that SNS could not deliver to the retry queue. */
  readonly subscriptionDeadLetterQueueUrl: pulumi.Output<string>;
  /** The table of the sessions. */
  readonly tableName: pulumi.Output<string>;
  /** `{project}-{stack}-{name}`: the dimension `Relay` of the relay's metrics. */
  readonly relayName: pulumi.Output<string>;
  /** How a client that was away gets its messages: `retry` or `replay`. */
  readonly delivery: pulumi.Output<string>;
  /** The table of the messages published to each session; only in replay mode. */
  readonly historyTableName?: pulumi.Output<string>;
  /** The topic that carries the outcome of each message; only with `receipts`. */
  readonly receiptsTopicArn?: pulumi.Output<string>;
  /** The URL that answers a session's messages, with `?context=…&contextId=…`; only with `httpRead`. */
  readonly readUrl?: pulumi.Output<string>;
  /** How long a message is retried, shortest and longest. */
  readonly retryWindowSeconds: pulumi.Output<RetryWindowSeconds>;
  /** The policy, as JSON, of a role that publishes to the topic: attach it to the role of each backend. */
  readonly publishPolicy: pulumi.Output<string>;
  /** The policy, as JSON, of a role that disconnects users: attach it to the role of each backend that does. */
  readonly disconnectUserPolicy: pulumi.Output<string>;
  /** The policy, as JSON, of a role that reads the position of a session in the history; only in replay mode. */
  readonly readPositionPolicy?: pulumi.Output<string>;

  constructor(name: string, args: RelayArgs, opts?: pulumi.ComponentResourceOptions);
}
