import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../handlers/deliver/backoff";
import { resolveArgs, type WebsocketRelayArgs } from "./args/args";
import { refuseUnlessName, refuseUnusableName, relayNameOf } from "./args/nameArgs";
import { refuse } from "./args/refuse";
import { keyStatements } from "./data/encryption";
import { SessionTable } from "./data/sessionTable";
import { connectSpec } from "./functions/connect";
import { deliverMapping, deliverSpec, deliverReplaySpec } from "./functions/deliver";
import { disconnectSpec } from "./functions/disconnect";
import { readSpec } from "./functions/read";
import { relayFunction, type RelayParts } from "./functions/relayFunction";
import { sessionSweeperSpec } from "./functions/sessionSweeper";
import type { CustomDomainTarget } from "./gateway/customDomain";
import { Gateway } from "./gateway/gateway";
import { HttpRead } from "./httpRead";
import { Publisher } from "./ingress/publisher";
import { type CallbackFunction, policyDocument, type PolicyStatement } from "./lambda/callbackFunction";
import { checkedRole, GrantNames, grantRole } from "./lambda/grantRole";
import { refuseUnusableTypescript } from "./lambda/refuseUnusableTypescript";
import { Monitoring } from "./monitoring/monitoring";
import { Replay } from "./replay";
import { Sweeper } from "./sweeper";

/** The addresses of a relay's parts. */
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
  /** Only in replay mode. */
  historyTableName?: string;
  /** Only with `receipts`. */
  receiptsTopicArn?: string;
  /** Only with `httpRead`. */
  readUrl?: string;
}

/**
 * Delivers a backend's messages to a user's client over an API Gateway WebSocket, and survives dropped connections: topic ->
 * retry queue -> `deliver` -> the connection that the session table has for that user and context. A message whose client is
 * away is retried until the client is back, or dead-lettered with the reason.
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
  /** Only in replay mode. */
  readonly replay?: Replay;
  /** Only with `httpRead`. */
  readonly httpRead?: HttpRead;
  /** Only if sessions end with their token. */
  readonly sessionSweeper?: Sweeper;
  /** @deprecated Use `sessionSweeper`. */
  readonly sweep?: Sweeper;
  readonly eventSourceMapping: aws.lambda.EventSourceMapping;
  readonly monitoring?: Monitoring;

  /** The URL that clients open, with `?context=…&contextId=…`: the custom domain's, if there is one. */
  readonly websocketUrl: pulumi.Output<string>;
  /** The target of the custom domain's DNS record; absent unless the relay created the domain. */
  readonly customDomainTarget: pulumi.Output<CustomDomainTarget> | undefined;
  /** The endpoint that sends to connections, looks them up and closes them (`@connections`). */
  readonly managementEndpoint: pulumi.Output<string>;
  /** The topic that backends publish to. */
  readonly topicArn: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  /** Messages that could not be delivered, each with its `reason`. */
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  /** Messages that SNS could not deliver to the retry queue. */
  readonly subscriptionDeadLetterQueueUrl: pulumi.Output<string>;
  readonly tableName: pulumi.Output<string>;
  /** `{project}-{stack}-{name}`: the dimension `Relay` of the relay's metrics. */
  readonly relayName: string;
  /** How a client that was away gets its messages. */
  readonly delivery: "retry" | "replay";
  /** The table of the messages published to each session; absent unless `delivery` is `replay`. */
  readonly historyTableName?: pulumi.Output<string>;
  /** The topic that carries the outcome of each message; absent unless `receipts` is set. */
  readonly receiptsTopicArn?: pulumi.Output<string>;
  /** The URL that answers a session's messages, with `?context=…&contextId=…`; absent unless `httpRead` is set. */
  readonly readUrl?: pulumi.Output<string>;
  /** All of the above, which the command line reads from one stack output. */
  readonly addresses: pulumi.Output<RelayAddresses>;
  /** The policy, as JSON, that `grantPublish` gives a role, for a role of which only another program creates policies. */
  readonly publishPolicy: pulumi.Output<string>;
  /** The policy, as JSON, that `grantDisconnectUser` gives a role. */
  readonly disconnectUserPolicy: pulumi.Output<string>;
  /** The policy, as JSON, that `grantReadPosition` gives a role; only in replay mode. */
  readonly readPositionPolicy?: pulumi.Output<string>;
  /** How long a message is retried, shortest and longest. */
  readonly retryWindowSeconds: RetryWindowSeconds;

  private readonly kmsKeyArn?: pulumi.Input<string>;
  private readonly grantNames = new GrantNames();

  /**
   * @param name Prefix of every child's name: letters, digits, `-` and `_`; up to 40 of them, 39 in replay mode or where
   * `gatewayLogs.accountRole` is `create`, 36 with `ordering: "strict"`, unless transforms or `pulumi:autonaming` set names.
   * @throws pulumi.InputPropertyError before anything is registered, if a value or a combination is invalid.
   */
  constructor(
    private readonly name: string,
    args: WebsocketRelayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    refuseUnusableTypescript();
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
    const connect = connectSpec(replay?.partsWith(parts) ?? parts, resolved);
    this.connect = relayFunction(`${name}-connect`, connect, resolved, child);
    this.disconnect = relayFunction(`${name}-disconnect`, disconnectSpec(parts, resolved), resolved, child);
    const deliver = replay ? deliverReplaySpec(replay.partsWith(parts), resolved) : deliverSpec(parts, resolved);
    this.deliver = relayFunction(`${name}-deliver`, deliver, resolved, child);
    if (replay && resolved.httpRead) {
      const { throttles, gatewayLogs } = resolved;
      const settings = { ...resolved, throttle: throttles.httpRead, accessLogs: gatewayLogs !== undefined };
      this.httpRead = new HttpRead(name, readSpec(replay.partsWith(parts), resolved), settings, child);
    }
    if (resolved.endSessionWithToken) {
      this.sessionSweeper = new Sweeper(name, sessionSweeperSpec(parts), resolved, child);
      this.sweep = this.sessionSweeper;
    }

    this.gateway.deploy({ connect: this.connect, disconnect: this.disconnect, frames: replay, ...resolved });
    this.eventSourceMapping = deliverMapping(name, publisher.queue, this.deliver, resolved, child);
    if (resolved.alarms || resolved.dashboard) {
      const functions = functionsOf(this);
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
    this.readUrl = this.httpRead?.readUrl;
    this.publishPolicy = policyDocument(this.withKey(this.publishStatements()));
    this.disconnectUserPolicy = policyDocument(this.withKey(this.disconnectUserStatements()));
    const readPosition = this.readPositionStatements();
    this.readPositionPolicy = readPosition && policyDocument(this.withKey(readPosition));
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
      ...(this.readUrl && { readUrl: this.readUrl }),
    };
    this.addresses = pulumi.output({ ...addresses, queueArn: publisher.queue.arn });
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
   * @throws pulumi.InputPropertyError if the role is invalid, or another grant of this relay has that `policyName`.
   */
  grantPublish(role: pulumi.Input<string | aws.iam.Role>, policyName = "publish"): aws.iam.RolePolicy {
    return this.grant("grantPublish", role, policyName, this.publishStatements());
  }

  /**
   * Allows a backend's role to disconnect users (`disconnectUser`): to find, clear and block their sessions and to close
   * their connections.
   *
   * @param role The role, or its name.
   * @param policyName Part of the policy's name; needed from the second role on. @default "disconnect-user"
   * @throws pulumi.InputPropertyError if the role is invalid, or another grant of this relay has that `policyName`.
   */
  grantDisconnectUser(role: pulumi.Input<string | aws.iam.Role>, policyName = "disconnect-user"): aws.iam.RolePolicy {
    return this.grant("grantDisconnectUser", role, policyName, this.disconnectUserStatements());
  }

  /**
   * Allows a backend's role to query the history, in replay mode: for the number of a session's newest message (`position`). With
   * this right the role can read the history's messages, too.
   *
   * @param role The role, or its name.
   * @param policyName Part of the policy's name; needed from the second role on. @default "read-position"
   * @throws pulumi.InputPropertyError if `delivery` is `retry`, the role is invalid, or another grant of this relay has that
   * `policyName`.
   */
  grantReadPosition(role: pulumi.Input<string | aws.iam.Role>, policyName = "read-position"): aws.iam.RolePolicy {
    const statements = this.readPositionStatements();
    if (!statements) {
      const fix =
        'set delivery to "replay", or leave out grantReadPosition: without a history, messages have no numbers';
      refuse("delivery", this.delivery, '"replay" for grantReadPosition', fix);
    }
    return this.grant("grantReadPosition", role, policyName, statements);
  }

  private publishStatements(): PolicyStatement[] {
    return [{ Action: ["sns:Publish"], Resource: [this.topicArn] }];
  }

  private disconnectUserStatements(): PolicyStatement[] {
    return [
      this.sessionTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      this.gateway.manageConnectionsStatement("DELETE"),
    ];
  }

  private readPositionStatements(): PolicyStatement[] | undefined {
    return this.replay && [this.replay.historyTable.statement("dynamodb:Query")];
  }

  private grant(
    method: string,
    role: pulumi.Input<string | aws.iam.Role>,
    policyName: string,
    statements: PolicyStatement[],
  ): aws.iam.RolePolicy {
    const roleName = checkedRole(role);
    this.grantNames.take(method, this.name, policyName);
    return grantRole(`${this.name}-${policyName}-policy`, roleName, this.withKey(statements), this);
  }

  private withKey(statements: PolicyStatement[]): PolicyStatement[] {
    return [...statements, ...keyStatements(this.kmsKeyArn, statements)];
  }
}

/** The functions, keyed by their name in alarms and on the dashboard. */
function functionsOf(relay: WebsocketRelay): Record<string, CallbackFunction> {
  const { connect, disconnect, deliver, replay, httpRead, sessionSweeper } = relay;
  return {
    connect,
    disconnect,
    deliver,
    ...(replay && {
      resume: replay.resume,
      acknowledge: replay.acknowledge,
      ...(replay.flush && { flush: replay.flush }),
      expire: replay.historySweeper.callbackFunction,
    }),
    ...(httpRead && { read: httpRead.callbackFunction }),
    ...(sessionSweeper && { sweep: sessionSweeper.callbackFunction }),
  };
}

/** The resources' region; undefined if a provider, the component's own or a parent's, may have another. */
function knownRegion(opts: pulumi.ComponentResourceOptions | undefined): string | undefined {
  return opts?.provider || opts?.providers || opts?.parent ? undefined : aws.config.region;
}
