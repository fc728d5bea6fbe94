import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../handlers/deliver/backoff";
import { resolveArgs, type WebsocketRelayArgs } from "./args/args";
import type { CallbackFunction, PolicyStatement } from "./lambda/callbackFunction";
import { keyStatements } from "./data/encryption";
import { connectSpec } from "./functions/connect";
import { deliverMapping, deliverSpec, replayDeliverSpec } from "./functions/deliver";
import { disconnectSpec } from "./functions/disconnect";
import type { CustomDomainTarget } from "./gateway/customDomain";
import { Gateway } from "./gateway/gateway";
import { checkedRole, GrantNames, grantRole } from "./lambda/grantRole";
import { Monitoring } from "./monitoring/monitoring";
import { refuseUnlessName, refuseUnusableName, relayNameOf } from "./args/nameArgs";
import { Publisher } from "./ingress/publisher";
import { Replay } from "./functions/replay";
import { relayFunction, type RelayParts } from "./functions/relayFunction";
import { sessionSweeperSpec } from "./functions/sessionSweeper";
import { Sweeper } from "./functions/sweeper";
import { SessionTable } from "./data/sessionTable";

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
  readonly sessionSweeper?: Sweeper;
  readonly eventSourceMapping: aws.lambda.EventSourceMapping;
  readonly monitoring?: Monitoring;

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

    this.kmsKeyArn = resolved.kmsKeyArn;
    this.relayName = relayNameOf(name);
    this.delivery = resolved.delivery;
    this.retryWindowSeconds = resolved.retryWindowSeconds;

    this.sessionTable = new SessionTable(name, resolved, child);
    this.publisher = new Publisher(name, resolved, child);
    this.gateway = new Gateway(name, resolved, child);

    const { sessionTable, publisher, gateway, relayName, delivery } = this;
    const parts: RelayParts = { sessionTable, publisher, gateway, relayName };
    if (delivery === "replay") this.replay = new Replay(name, parts, resolved, child);
    const { replay } = this;
    const connect = connectSpec(parts, resolved);
    this.connect = relayFunction(`${name}-connect`, connect, resolved, child);
    this.disconnect = relayFunction(`${name}-disconnect`, disconnectSpec(parts), resolved, child);
    const deliver = replay ? replayDeliverSpec(replay.parts, resolved) : deliverSpec(parts, resolved);
    this.deliver = relayFunction(`${name}-deliver`, deliver, resolved, child);
    if (resolved.endSessionWithToken) {
      this.sessionSweeper = new Sweeper(name, "sessions", sessionSweeperSpec(parts), resolved, child);
    }

    this.gateway.deploy({ connect: this.connect, disconnect: this.disconnect, frames: replay, ...resolved });
    this.eventSourceMapping = deliverMapping(name, publisher.queue, this.deliver, resolved, child);
    if (resolved.alarms || resolved.dashboard) {
      const functions = this.functions();
      this.monitoring = new Monitoring(name, { ...resolved, relayName, gateway, publisher, functions }, child);
    }

    this.websocketUrl = gateway.websocketUrl;
    this.customDomainTarget = gateway.customDomain?.target;
    this.managementEndpoint = gateway.managementEndpoint;
    this.topicArn = publisher.topicArn;
    this.queueUrl = publisher.queue.url;
    this.deadLetterQueueUrl = publisher.deadLetterQueue.url;
    this.subscriptionDeadLetterQueueUrl = publisher.subscriptionDeadLetterQueue.url;
    this.tableName = sessionTable.tableName;
    this.historyTableName = replay?.historyTable.table.name;
    this.receiptsTopicArn = replay?.receiptsTopic?.arn;
    const addresses = {
      websocketUrl: this.websocketUrl,
      managementEndpoint: this.managementEndpoint,
      topicArn: this.topicArn,
      queueUrl: this.queueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
      subscriptionDeadLetterQueueUrl: this.subscriptionDeadLetterQueueUrl,
      tableName: this.tableName,
      relayName,
      delivery,
      ...(this.historyTableName && { historyTableName: this.historyTableName }),
      ...(this.receiptsTopicArn && { receiptsTopicArn: this.receiptsTopicArn }),
    };
    this.addresses = pulumi.output({ ...addresses, queueArn: publisher.queue.arn });
    this.registerOutputs({
      ...addresses,
      customDomainTarget: this.customDomainTarget,
      retryWindowSeconds: this.retryWindowSeconds,
    });
  }

  /** @deprecated Use `sessionSweeper`. */
  get sweep(): Sweeper | undefined {
    return this.sessionSweeper;
  }

  /**
   * Allows a backend's role to publish to the topic, and nothing else.
   *
   * @param role The role, or its name.
   * @param policyName Part of the policy's name; needed from the second role on. @default "publish"
   * @throws pulumi.InputPropertyError where the role is none, or a grant of this relay has that `policyName`.
   */
  grantPublish(role: pulumi.Input<string | aws.iam.Role>, policyName = "publish"): aws.iam.RolePolicy {
    return this.grant("grantPublish", role, policyName, [{ Action: ["sns:Publish"], Resource: [this.topicArn] }]);
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
    ]);
  }

  /** By the names that alarms and dashboard have for them. */
  private functions(): Record<string, CallbackFunction> {
    const { connect, disconnect, deliver, replay, sessionSweeper } = this;
    return {
      connect,
      disconnect,
      deliver,
      ...(replay && {
        resume: replay.resume,
        acknowledge: replay.acknowledge,
        expire: replay.historySweeper.callbackFunction,
      }),
      ...(sessionSweeper && { sweep: sessionSweeper.callbackFunction }),
    };
  }

  private grant(
    method: string,
    role: pulumi.Input<string | aws.iam.Role>,
    policyName: string,
    statements: PolicyStatement[],
  ): aws.iam.RolePolicy {
    const roleName = checkedRole(role);
    this.grantNames.take(method, this.name, policyName);
    const withKey = [...statements, ...keyStatements(this.kmsKeyArn, statements)];
    return grantRole(`${this.name}-${policyName}-policy`, roleName, withKey, this);
  }
}

/** Where the resources will be; unknown where a provider, the component's own or a parent's, may have another region. */
function knownRegion(opts: pulumi.ComponentResourceOptions | undefined): string | undefined {
  return opts?.provider || opts?.providers || opts?.parent ? undefined : aws.config.region;
}
