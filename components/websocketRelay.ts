import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../handlers/deliver/backoff";
import { resolveArgs, type WebsocketRelayArgs } from "./args/args";
import type { CallbackFunction, PolicyStatement } from "./lambda/callbackFunction";
import { keyStatements } from "./data/encryption";
import { connectFunction, deliverFunction, disconnectFunction } from "./functions/functions";
import type { CustomDomainTarget } from "./gateway/customDomain";
import { Gateway } from "./gateway/gateway";
import { checkedRole, GrantNames, grantRole } from "./lambda/grantRole";
import { Monitoring } from "./monitoring/monitoring";
import { refuseUnlessName, refuseUnusableName, relayNameOf } from "./args/nameArgs";
import { Publisher } from "./ingress/publisher";
import { Replay } from "./functions/replay";
import { connectReplayFunction, deliverReplayFunction } from "./functions/replayFunctions";
import { SessionTable } from "./data/sessionTable";
import { Sweep } from "./functions/sessionSweeper";

/** Where everything of a relay is. */
export interface RelayAddresses {
  websocketUrl: string;
  managementEndpoint: string;
  topicArn: string;
  queueUrl: string;
  queueArn: string;
  deadLetterQueueUrl: string;
  subscriptionDeadLetterQueueUrl: string;
  tableName: string;
  relayName: string;
  delivery: "retry" | "replay";
  /** Only where messages are delivered by replay. */
  historyTableName?: string;
  /** Only where there are receipts. */
  receiptsTopicArn?: string;
}

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
  /** Only where messages are delivered by replay. */
  readonly replay?: Replay;
  /** Only where sessions end with their token. */
  readonly sweep?: Sweep;
  readonly eventSourceMapping: aws.lambda.EventSourceMapping;
  readonly monitoring: Monitoring | undefined;

  /** What clients open, with `?context=…&contextId=…`: the custom domain's, where there is one. */
  readonly websocketUrl: pulumi.Output<string>;
  /** What a DNS record of the custom domain has to point at; absent where there is no domain that was made here. */
  readonly customDomainTarget: pulumi.Output<CustomDomainTarget> | undefined;
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
  /** `{project}-{stack}-{name}`: the dimension `Relay` of the relay's metrics. */
  readonly relayName: string;
  /** How messages reach a client that was away. */
  readonly delivery: "retry" | "replay";
  /** What was published to each session, by its number; absent unless `delivery` is `replay`. */
  readonly historyTableName?: pulumi.Output<string>;
  /** What backends subscribe to, to learn what became of their messages; absent unless `receipts` asks for it. */
  readonly receiptsTopicArn?: pulumi.Output<string>;
  /** All of the above together, as the command line reads it from one stack output. */
  readonly addresses: pulumi.Output<RelayAddresses>;
  /** For how long a message is retried, at the shortest and at the longest. */
  readonly retryWindowSeconds: RetryWindowSeconds;

  private readonly kmsKeyArn?: pulumi.Input<string>;
  private readonly grantNames = new GrantNames();

  /**
   * @param name Prefix of every child's name: letters, digits, `-` and `_`; up to 40 of them, 39 in replay mode or where
   * `accessLogs.accountRole` is `create`, 36 with `ordering: "strict"`, unless transforms or `pulumi:autonaming` set names.
   * @throws pulumi.InputPropertyError before anything is registered, where a value or a combination is ruled out.
   */
  constructor(
    private readonly name: string,
    args: WebsocketRelayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    refuseUnlessName(name);
    const resolved = resolveArgs(args, knownRegion(opts));
    refuseUnusableName(name, resolved, opts);
    super("websocket-relay:index:WebsocketRelay", name, {}, opts);
    const child = { parent: this };
    const { tags } = resolved;

    this.kmsKeyArn = resolved.kmsKeyArn;
    this.relayName = relayNameOf(name);
    this.sessionTable = new SessionTable(name, resolved, child);
    this.publisher = new Publisher(name, resolved, child);
    this.gateway = new Gateway(name, resolved, child);
    const { sessionTable, publisher, gateway, relayName } = this;
    const parts = { sessionTable, publisher, gateway, relayName };
    if (resolved.delivery === "replay") this.replay = new Replay(name, parts, resolved, child);
    const { replay } = this;
    this.connect = (replay ? connectReplayFunction : connectFunction)(name, parts, resolved, child);
    this.disconnect = disconnectFunction(name, parts, resolved, child);
    this.deliver = replay
      ? deliverReplayFunction(name, replay.partsWith(parts), resolved, child)
      : deliverFunction(name, parts, resolved, child);
    if (resolved.endSessionWithToken) this.sweep = new Sweep(name, parts, resolved, child);

    this.gateway.deploy({ connect: this.connect, disconnect: this.disconnect, frames: replay, ...resolved });

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

    const { connect, disconnect, deliver, sweep } = this;
    const functions = {
      ...{ connect, disconnect, deliver },
      ...(replay && {
        resume: replay.resume,
        acknowledge: replay.acknowledge,
        expire: replay.expire.callbackFunction,
      }),
      ...(sweep && { sweep: sweep.callbackFunction }),
    };
    this.monitoring =
      resolved.alarms || resolved.dashboard
        ? new Monitoring(name, { ...resolved, relayName, gateway, publisher, functions }, child)
        : undefined;

    this.websocketUrl = this.gateway.websocketUrl;
    this.customDomainTarget = this.gateway.customDomain?.target;
    this.managementEndpoint = this.gateway.managementEndpoint;
    this.topicArn = this.publisher.topicArn;
    this.queueUrl = this.publisher.queue.url;
    this.deadLetterQueueUrl = this.publisher.deadLetterQueue.url;
    this.subscriptionDeadLetterQueueUrl = this.publisher.subscriptionDeadLetterQueue.url;
    this.tableName = this.sessionTable.tableName;
    this.delivery = resolved.delivery;
    this.historyTableName = replay?.historyTable.table.name;
    this.receiptsTopicArn = replay?.receiptsTopic?.arn;
    this.retryWindowSeconds = resolved.retryWindowSeconds;
    const addresses = {
      websocketUrl: this.websocketUrl,
      managementEndpoint: this.managementEndpoint,
      topicArn: this.topicArn,
      queueUrl: this.queueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
      subscriptionDeadLetterQueueUrl: this.subscriptionDeadLetterQueueUrl,
      tableName: this.tableName,
      relayName: this.relayName,
      delivery: this.delivery,
      ...(this.historyTableName && { historyTableName: this.historyTableName }),
      ...(this.receiptsTopicArn && { receiptsTopicArn: this.receiptsTopicArn }),
    };
    this.addresses = pulumi.output({ ...addresses, queueArn: this.publisher.queue.arn });
    this.registerOutputs({
      ...addresses,
      customDomainTarget: this.customDomainTarget,
      retryWindowSeconds: this.retryWindowSeconds,
    });
  }

  /**
   * Allows a backend's role to publish to the topic, and nothing else.
   *
   * @param role The role, or its name.
   * @param policyName Part of the policy's name; needed from the second role on. @default "publish"
   * @throws pulumi.InputPropertyError where the role is none, or a grant of this relay has that `policyName`.
   */
  grantPublish(role: pulumi.Input<string | aws.iam.Role>, policyName = "publish"): aws.iam.RolePolicy {
    return this.grant("grantPublish", role, policyName, [
      { Action: ["sns:Publish"], Resource: [this.topicArn] },
      ...keyStatements(this.kmsKeyArn, "publish"),
    ]);
  }

  /**
   * Allows a backend's role to cut users off (`disconnectUser`): to find, clear and block their sessions and to close
   * their connections.
   *
   * @param role The role, or its name.
   * @param policyName Part of the policy's name; needed from the second role on. @default "disconnect-user"
   * @throws pulumi.InputPropertyError where the role is none, or a grant of this relay has that `policyName`.
   */
  grantDisconnectUser(role: pulumi.Input<string | aws.iam.Role>, policyName = "disconnect-user"): aws.iam.RolePolicy {
    return this.grant("grantDisconnectUser", role, policyName, [
      this.sessionTable.statement("dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      this.gateway.manageConnectionsStatement("DELETE"),
      ...keyStatements(this.kmsKeyArn, "useTable"),
    ]);
  }

  private grant(
    method: string,
    role: pulumi.Input<string | aws.iam.Role>,
    policyName: string,
    statements: PolicyStatement[],
  ): aws.iam.RolePolicy {
    const roleName = checkedRole(role);
    this.grantNames.take(method, this.name, policyName);
    return grantRole(`${this.name}-${policyName}-policy`, roleName, statements, this);
  }
}

/** Where the resources will be; unknown where a provider, the component's own or a parent's, may have another region. */
function knownRegion(opts: pulumi.ComponentResourceOptions | undefined): string | undefined {
  return opts?.provider || opts?.providers || opts?.parent ? undefined : aws.config.region;
}
