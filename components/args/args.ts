import type * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, authProblem, environmentProblem } from "./authArgs";
import { checkExisting, type ExistingArgs } from "./existingArgs";
import { checkForeignPublishers, type ForeignPublisherArgs } from "./foreignPublisherArgs";
import { type OperationsArgs, type ResolvedOperations, resolveOperations } from "./operationsArgs";
import { defaultsOf, refuseUnallowed } from "./options";
import { refuseBadOrigins } from "./originArgs";
import { refuse, refuseProblem, refuseUnknownKeys, refuseUnlessObject, unquoted } from "./refuse";
import { checkReplay, type ReplayArgs } from "./replayArgs";
import { type ResolvedRetry, resolveRetry, type RetryArgs } from "./retryArgs";
import { type Option, spec } from "./spec";
import { refuseBadTags } from "./tagArgs";
import { type DerivedThrottle, resolveThrottles, type ThrottleArgs, type Throttles } from "./throttleArgs";

/** The arguments of a {@link WebsocketRelay}; the program's stack config has the same keys. */
export interface WebsocketRelayArgs
  extends RetryArgs, ReplayArgs, ExistingArgs, ForeignPublisherArgs, ThrottleArgs, OperationsArgs {
  /**
   * Who may connect, and which user they are. Required, since there is no safe default. `null` turns authentication off:
   * each client names its user itself, in the query parameter `user`, and receives everything that is published to that user.
   */
  auth: AuthArgs | null;
  /**
   * Origins whose pages may connect with a cookie or a subprotocol token, exactly as browsers send them:
   * `https://app.your-domain.com`, an app's own `capacitor://localhost`, or `file://`. `https://*.your-domain.com` matches
   * one more label. `null` checks no origin: any page that a user visits may then connect with the user's cookie.
   * @default only the origins of the API and of the custom domain
   */
  allowedOrigins?: pulumi.Input<pulumi.Input<string>[]> | null;
  /**
   * Seconds for which a session is kept after its client connected, 7,500 to 31,536,000. A connection lasts up to two hours,
   * and a session must outlive it. @default 10800
   */
  sessionTtlSeconds?: number;
  /**
   * Which connections of one user, context and contextId get its messages. "newest": the one that connected last. "all": each
   * of them, up to ten, such as tabs and devices. A change takes effect for each session when a client connects.
   * @default "newest"
   */
  connections?: "newest" | "all";
  /**
   * Whether the session table has the index `connection`, by which `disconnect` finds the sessions of connections that were
   * opened under release 0.1.0. It costs a write unit more for each session that is saved or deleted. Set it to false on a
   * new stack, and on a stack of 0.1.0 two hours after its update. The next release removes the index and this argument.
   * @default true
   */
  connectionIndex?: boolean;
  /**
   * The encryption of the subscription's dead-letter queue, where SNS puts messages that it cannot put into the retry queue.
   * "kms": with `kmsKeyArn`. If the key's policy does not let SNS use it, neither queue takes a message, and the message is lost.
   * "sqs": with a key that SQS manages (SSE-SQS), for which SNS needs no right. Only with `kmsKeyArn`: without it, the queue always
   * has SSE-SQS.
   * @default "kms"
   */
  subscriptionDeadLetterQueueSse?: "kms" | "sqs";
  /**
   * Whether tables, topics and queues are protected from being deleted or replaced: Pulumi's `protect`, and the tables'
   * deletion protection. A topic holds messages that SNS is still retrying, and a new topic would have an ARN that publishers
   * do not know. To destroy the stack, set it to false and run `pulumi up` first. @default false
   */
  protectData?: boolean;
  /**
   * Whether the relay's own tables can be restored to any second of the last 35 days. Not with `tableName` in retry mode.
   * @default the value of `protectData`
   */
  pointInTimeRecovery?: boolean;
  /**
   * Days for which the functions' logs and the gateway's are kept, one of CloudWatch's values; 0 keeps them forever.
   * @default 30
   */
  logRetentionInDays?: number;
  /**
   * The lowest level of lines in the functions' logs. "WARN": dead letters, refused frames and everything that went wrong.
   * "INFO" adds a line for each message, attempt, handshake and frame. Metrics are written at every level. @default "WARN"
   */
  applicationLogLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  /**
   * Concurrency of the account that is reserved for `connect`, 1 to 100,000: other functions cannot use it, and `connect`
   * cannot use more. The account must keep 100 unreserved. @default none: `connect` shares the account's concurrency
   */
  connectReservedConcurrentExecutions?: number;
  /** The last part of the WebSocket URL: letters, digits and `_`. A change **replaces** the stage. @default "live" */
  stageName?: string;
  /** Tags of every resource that supports tags. @default none */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

type Optional = "waitingAfterSeconds" | "connectReservedConcurrentExecutions";

type WithoutDefault = keyof ExistingArgs | keyof ResolvedOperations | DerivedThrottle | Optional;

/** {@link WebsocketRelayArgs} with all defaults filled in, checked, and the settings that are derived from them. */
export interface ResolvedArgs
  extends
    Required<Omit<WebsocketRelayArgs, WithoutDefault>>,
    Pick<WebsocketRelayArgs, Optional>,
    ExistingArgs,
    ResolvedRetry,
    ResolvedOperations {
  endSessionWithToken: boolean;
  throttles: Throttles;
}

const defaults = defaultsOf(spec);

/** Does not compile if the spec lacks an argument. */
const options: Readonly<Record<keyof WebsocketRelayArgs, Option>> = spec;

/**
 * Fills in the defaults and checks every value and combination that can be checked before anything is registered.
 *
 * @param region The region of the resources, if it is known.
 * @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix.
 */
export function resolveArgs(args: WebsocketRelayArgs, region?: string): ResolvedArgs {
  refuseUnlessObject(
    "args",
    args,
    "an object with auth",
    'write new WebsocketRelay("relay", { auth: { oidc: { … } } })',
  );
  refuseUnknownKeys("", args, Object.keys(options));
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null));
  const filled = { auth: args.auth, ...defaults, ...given } as typeof defaults & WebsocketRelayArgs;
  refuseUnallowed("", filled, options);
  const resolved = {
    ...filled,
    allowedOrigins: args.allowedOrigins === null ? null : filled.allowedOrigins,
    pointInTimeRecovery: filled.pointInTimeRecovery ?? (createsTable(filled) && filled.protectData),
    ...checkExisting(filled, { region, ordering: filled.ordering }),
    ...checkForeignPublishers(filled, filled.topicArn),
  };

  const retry = resolveRetry(resolved);
  checkReplay(resolved, retry);
  refuseBadLogRetention(resolved.logRetentionInDays);
  if (typeof resolved.stageName !== "string" || !/^\w{1,128}$/.test(resolved.stageName)) {
    refuse(
      "stageName",
      resolved.stageName,
      "1 to 128 letters, digits and _",
      `write such a name, or leave it out for "${spec.stageName.default}"`,
    );
  }
  refuseBadTags(resolved.tags);
  if (resolved.subscriptionDeadLetterQueueSse === "sqs" && resolved.kmsKeyArn === undefined) {
    const allowed = '"kms" without kmsKeyArn, since SQS then manages the keys of all queues';
    refuse("subscriptionDeadLetterQueueSse", "sqs", allowed, "leave it out, or set kmsKeyArn");
  }
  if (resolved.pointInTimeRecovery && !createsTable(resolved)) {
    refuse("pointInTimeRecovery", true, "not with tableName", "set it where you create that table");
  }
  if (resolved.allowedOrigins !== null) refuseBadOrigins(resolved.allowedOrigins);
  const problem = authProblem(resolved.auth);
  refuseProblem(problem?.path ?? "auth", problem?.text);
  refuseProblem("auth", environmentProblem(resolved.auth, resolved.allowedOrigins));

  return {
    ...resolved,
    ...retry,
    ...resolveOperations(resolved, { ...retry, ...resolved }, region),
    endSessionWithToken: resolved.auth?.endSessionWithToken === true,
    throttles: resolveThrottles(resolved),
  };
}

function refuseBadLogRetention(days: number): void {
  const allowed: readonly number[] = spec.logRetentionInDays.oneOf;
  if (allowed.includes(days)) return;
  const fix = unquoted(days) ?? "choose the next longer one";
  refuse("logRetentionInDays", days, `one of ${allowed.join(", ")} (0: forever)`, fix);
}

/** Whether the relay creates a table: the history is always its own. */
function createsTable({ tableName, delivery }: Pick<WebsocketRelayArgs, "tableName" | "delivery">): boolean {
  return tableName === undefined || delivery === "replay";
}
