import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../handlers/backoff";
import { resolveArgs, type WebsocketRelayArgs } from "./args";
import { resolveAuth } from "./authArgs";
import { CallbackFunction } from "./callbackFunction";
import { Gateway } from "./gateway";
import { Publisher } from "./publisher";
import { SessionTable } from "./sessionTable";

/**
 * Delivers what a backend publishes to a user's client over an API Gateway WebSocket, and keeps it when the connection is
 * lost: topic -> retry queue -> `deliver` -> the connection that the session table knows for that user and context; a
 * message whose client is away is retried until it has come back, else dead-lettered with the reason.
 *
 * @example
 * const relay = new WebsocketRelay("relay", { auth: { oidc: { issuer, audience } } });
 * relay.grantPublish(backendRole);
 */
export class WebsocketRelay extends pulumi.ComponentResource {
  readonly sessionTable: SessionTable;
  readonly publisher: Publisher;
  readonly gateway: Gateway;
  readonly connect: CallbackFunction;
  readonly disconnect: CallbackFunction;
  readonly deliver: CallbackFunction;
  readonly eventSourceMapping: aws.lambda.EventSourceMapping;

  /** What clients open, with `?context=…&contextId=…`. */
  readonly websocketUrl: pulumi.Output<string>;
  /** Where connections are posted to, looked at and closed (`@connections`). */
  readonly managementEndpoint: pulumi.Output<string>;
  /** What backends publish to. */
  readonly topicArn: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  /** Messages that could not be delivered, each with its `reason`. */
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  /** Messages that SNS could not hand to the retry queue. */
  readonly subscriptionDeadLetterQueueUrl: pulumi.Output<string>;
  readonly tableName: pulumi.Output<string>;
  /** For how long a message is retried, at the shortest and at the longest. */
  readonly retryWindowSeconds: RetryWindowSeconds;

  /**
   * @param name Prefix of every child's name.
   * @throws pulumi.InputPropertyError before anything is registered, where a value or a combination is ruled out.
   */
  constructor(
    private readonly name: string,
    args: WebsocketRelayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const resolved = resolveArgs(args);
    super("websocket-relay:index:WebsocketRelay", name, {}, opts);
    const child = { parent: this };
    const { tags, logRetentionInDays, backoff } = resolved;

    this.sessionTable = new SessionTable(name, { tags }, child);
    this.publisher = new Publisher(name, resolved, child);
    this.gateway = new Gateway(name, resolved, child);

    const ownOrigins = pulumi.all([resolved.allowedOrigins, this.gateway.origin]);
    const allowedOrigins = ownOrigins.apply(([origins, own]) => [...new Set([own, ...origins])]);
    const auth = pulumi
      .all([resolved.auth, resolved.allowedOrigins])
      .apply(([given, origins]) => resolveAuth(given, origins));

    this.connect = new CallbackFunction(
      `${name}-connect`,
      {
        callbackFactory: () => {
          const handler = require("../handlers/connect") as typeof import("../handlers/connect");
          return handler.connectFromEnvironment(process.env);
        },
        environment: {
          TABLE_NAME: this.sessionTable.table.name,
          SESSION_TTL_SECONDS: String(resolved.sessionTtlSeconds),
          AUTH: pulumi.jsonStringify(auth),
          ALLOWED_ORIGINS: pulumi.jsonStringify(allowedOrigins),
        },
        policyStatements: [this.sessionTable.statement("dynamodb:PutItem")],
        timeoutSeconds: 10,
        logRetentionInDays,
        tags,
      },
      child,
    );

    this.disconnect = new CallbackFunction(
      `${name}-disconnect`,
      {
        callbackFactory: () => {
          const handler = require("../handlers/disconnect") as typeof import("../handlers/disconnect");
          return handler.disconnectFromEnvironment(process.env);
        },
        environment: {
          TABLE_NAME: this.sessionTable.table.name,
          CONNECTION_INDEX_NAME: SessionTable.connectionIndexName,
        },
        policyStatements: [
          this.sessionTable.connectionIndexStatement(),
          this.sessionTable.statement("dynamodb:DeleteItem"),
        ],
        timeoutSeconds: 10,
        logRetentionInDays,
        tags,
      },
      child,
    );

    this.deliver = new CallbackFunction(
      `${name}-deliver`,
      {
        callbackFactory: () => {
          const handler = require("../handlers/deliver") as typeof import("../handlers/deliver");
          return handler.deliverFromEnvironment(process.env);
        },
        environment: {
          TABLE_NAME: this.sessionTable.table.name,
          MANAGEMENT_ENDPOINT: this.gateway.managementEndpoint,
          QUEUE_URL: this.publisher.queue.url,
          DEAD_LETTER_QUEUE_URL: this.publisher.deadLetterQueue.url,
          MAX_ATTEMPTS: String(resolved.maxAttempts),
          BACKOFF_MIN_SECONDS: String(backoff.minSeconds),
          BACKOFF_MAX_SECONDS: String(backoff.maxSeconds),
        },
        policyStatements: [
          this.sessionTable.statement("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:DeleteItem"),
          this.gateway.manageConnectionsStatement(),
          {
            Action: [
              "sqs:ReceiveMessage",
              "sqs:DeleteMessage",
              "sqs:GetQueueAttributes",
              "sqs:ChangeMessageVisibility",
            ],
            Resource: [this.publisher.queue.arn],
          },
          { Action: ["sqs:SendMessage"], Resource: [this.publisher.deadLetterQueue.arn] },
        ],
        timeoutSeconds: resolved.deliverTimeoutSeconds,
        logRetentionInDays,
        tags,
      },
      child,
    );

    this.gateway.deploy({ connect: this.connect, disconnect: this.disconnect, ...resolved });

    this.eventSourceMapping = new aws.lambda.EventSourceMapping(
      `${name}-deliver-mapping`,
      {
        eventSourceArn: this.publisher.queue.arn,
        functionName: this.deliver.function.arn,
        batchSize: resolved.batchSize,
        maximumBatchingWindowInSeconds: resolved.maximumBatchingWindowInSeconds,
        functionResponseTypes: ["ReportBatchItemFailures"],
        // Failures do not slow the poller down: only this keeps it from taking the account's whole concurrency.
        scalingConfig: { maximumConcurrency: resolved.maximumConcurrency },
        tags,
      },
      child,
    );

    this.websocketUrl = this.gateway.stage.invokeUrl;
    this.managementEndpoint = this.gateway.managementEndpoint;
    this.topicArn = this.publisher.topic.arn;
    this.queueUrl = this.publisher.queue.url;
    this.deadLetterQueueUrl = this.publisher.deadLetterQueue.url;
    this.subscriptionDeadLetterQueueUrl = this.publisher.subscriptionDeadLetterQueue.url;
    this.tableName = this.sessionTable.table.name;
    this.retryWindowSeconds = resolved.retryWindowSeconds;
    this.registerOutputs({
      websocketUrl: this.websocketUrl,
      managementEndpoint: this.managementEndpoint,
      topicArn: this.topicArn,
      queueUrl: this.queueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
      subscriptionDeadLetterQueueUrl: this.subscriptionDeadLetterQueueUrl,
      tableName: this.tableName,
      retryWindowSeconds: this.retryWindowSeconds,
    });
  }

  /**
   * Allows a backend's role to publish to the topic, and nothing else.
   *
   * @param policyName Part of the policy's name; needed from the second role on. @default "publish"
   */
  grantPublish(role: pulumi.Input<string | aws.iam.Role>, policyName = "publish"): aws.iam.RolePolicy {
    return new aws.iam.RolePolicy(
      `${this.name}-${policyName}-policy`,
      {
        role: pulumi.output(role).apply((given) => pulumi.output(typeof given === "string" ? given : given.name)),
        policy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [{ Effect: "Allow", Action: ["sns:Publish"], Resource: [this.topicArn] }],
        }),
      },
      { parent: this },
    );
  }
}
