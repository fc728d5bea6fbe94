import type * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, authProblem, environmentProblem } from "./authArgs";
import { checkExisting, type ExistingArgs, existingKeys } from "./existingArgs";
import { checkForeignPublishers, type ForeignPublisherArgs } from "./foreignPublisherArgs";
import { type Operations, type OperationsArgs, operationsKeys, resolveOperations } from "./operationsArgs";
import { refuseBadOrigins } from "./originArgs";
import {
  refuse,
  refuseProblem,
  refuseUnknownKeys,
  refuseUnlessBoolean,
  refuseUnlessInteger,
  refuseUnlessObject,
  unquoted,
} from "./refuse";
import { checkReplay, type ReplayArgs, replayDefaults } from "./replayArgs";
import { resolveRetry, type Retry, type RetryArgs, retryDefaults } from "./retryArgs";
import { refuseBadTags } from "./tagArgs";

/** The arguments of a {@link WebsocketRelay}; the program's stack config has the same keys. */
export interface WebsocketRelayArgs extends RetryArgs, ReplayArgs, ExistingArgs, ForeignPublisherArgs, OperationsArgs {
  /**
   * Who may connect. `null` authenticates nobody: every client names its user itself, by the query parameter `user`, and
   * gets whatever is published to that user. Required, since there is no safe default.
   */
  auth: AuthArgs | null;
  /**
   * Origins whose pages may connect with the cookie or the subprotocol, as a browser sends them:
   * `https://app.your-domain.com`, an app's own `capacitor://localhost`, or `file://`. Compared exactly, but for
   * `https://*.your-domain.com`, which has one more label in the place of the `*`. `null` checks no origin: any page that a
   * user visits may connect with the user's cookie.
   * @default only the API's own origin, and the custom domain's
   */
  allowedOrigins?: pulumi.Input<pulumi.Input<string>[]> | null;
  /**
   * Seconds for which a session is kept after its client connected; at least 7,500, since a connection lasts two hours.
   * @default 10800
   */
  sessionTtlSeconds?: number;
  /**
   * Whether what holds data is guarded: Pulumi's `protect` on the tables, the topics, the retry queue and both dead-letter
   * queues, so that no update replaces or deletes them, and the tables' deletion protection. The topic holds what SNS is
   * still retrying, and a new one would have another ARN than publishers know. To destroy the stack, set it to false and
   * run `pulumi up` first. @default false
   */
  protectData?: boolean;
  /**
   * Whether the relay's own tables can be restored to any second of their last 35 days. Not beside `tableName`, but where
   * there is a history. @default protectData
   */
  pointInTimeRecovery?: boolean;
  /** Days for which the functions' and the access logs are kept, one of CloudWatch's values (0: for ever). @default 30 */
  logRetentionInDays?: number;
  /** Requests a second to each route, sustained. @default 500, the account's limit of new connections */
  throttlingRateLimit?: number;
  /** Requests to each route that may come at once. @default 500 */
  throttlingBurstLimit?: number;
  /** The last part of the URL: letters, digits and `_`. A change **replaces** the stage. @default "live" */
  stageName?: string;
  /** Tags of every resource that takes any. @default none */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

type RequiredArgs = Required<Omit<WebsocketRelayArgs, keyof ExistingArgs | keyof OperationsArgs>>;

/** {@link WebsocketRelayArgs} with every default filled in, checked, and with what follows from them. */
export interface ResolvedArgs extends RequiredArgs, ExistingArgs, Retry, Operations {
  endSessionWithToken: boolean;
}

const defaults = {
  ...retryDefaults,
  ...replayDefaults,
  allowedOrigins: [],
  sessionTtlSeconds: 10_800,
  publisherAccountIds: [],
  publisherOrganizationIds: [],
  protectData: false,
  logRetentionInDays: 30,
  throttlingRateLimit: 500,
  throttlingBurstLimit: 500,
  stageName: "live",
  tags: {},
} satisfies Omit<WebsocketRelayArgs, "auth">;

/** Every argument there is. */
export const argumentKeys = [
  "auth",
  ...Object.keys(defaults),
  "pointInTimeRecovery",
  ...existingKeys,
  ...operationsKeys,
];

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentionValues = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/**
 * Fills in the defaults and checks every value and combination that can be checked before anything is registered.
 *
 * @param region The region of the resources, where it is known.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveArgs(args: WebsocketRelayArgs, region?: string): ResolvedArgs {
  refuseUnlessObject(
    "args",
    args,
    "an object with auth",
    'write new WebsocketRelay("relay", { auth: { oidc: { … } } })',
  );
  refuseUnknownKeys("", args, argumentKeys);
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null));
  const filled = { auth: args.auth, ...defaults, ...given } as typeof defaults & WebsocketRelayArgs;
  const resolved = {
    ...filled,
    allowedOrigins: args.allowedOrigins === null ? null : filled.allowedOrigins,
    pointInTimeRecovery: filled.pointInTimeRecovery ?? (hasTable(filled) && filled.protectData),
    ...checkExisting(filled, { region, ordering: filled.ordering }),
    ...checkForeignPublishers(filled, filled.topicArn),
  };

  // A connection lasts 7,200 s: a session must not expire under a client that is still connected.
  integer(resolved, "sessionTtlSeconds", 7_500, 31_536_000);
  const retry = resolveRetry(resolved);
  checkReplay(resolved, retry);
  integer(resolved, "throttlingRateLimit", 1, 10_000);
  integer(resolved, "throttlingBurstLimit", 1, 5_000);
  if (!logRetentionValues.includes(resolved.logRetentionInDays)) {
    refuse(
      "logRetentionInDays",
      resolved.logRetentionInDays,
      `one of ${logRetentionValues.join(", ")} (0: for ever)`,
      unquoted(resolved.logRetentionInDays) ?? "choose the next longer one",
    );
  }
  if (typeof resolved.stageName !== "string" || !/^\w{1,128}$/.test(resolved.stageName)) {
    refuse(
      "stageName",
      resolved.stageName,
      "1 to 128 letters, digits and _",
      'write such a text, or leave it out for "live"',
    );
  }
  refuseBadTags(resolved.tags);
  refuseBadProtection(resolved);
  if (resolved.allowedOrigins !== null) refuseBadOrigins(resolved.allowedOrigins);
  const problem = authProblem(resolved.auth);
  refuseProblem(problem?.path ?? "auth", problem?.text);
  refuseProblem("auth", environmentProblem(resolved.auth, resolved.allowedOrigins));

  return {
    ...resolved,
    ...retry,
    ...resolveOperations(args, { ...retry, ...resolved }, region),
    endSessionWithToken: resolved.auth?.endSessionWithToken === true,
  };
}

type IntegerKey = "sessionTtlSeconds" | "throttlingRateLimit" | "throttlingBurstLimit";

function integer(args: Record<IntegerKey, number>, key: IntegerKey, min: number, max: number): void {
  refuseUnlessInteger(key, args[key], min, max, defaults[key]);
}

function refuseBadProtection(
  args: Pick<WebsocketRelayArgs, "protectData" | "pointInTimeRecovery" | "tableName" | "delivery">,
): void {
  refuseUnlessBoolean("protectData", args.protectData);
  refuseUnlessBoolean("pointInTimeRecovery", args.pointInTimeRecovery);
  if (args.pointInTimeRecovery && !hasTable(args)) {
    refuse("pointInTimeRecovery", true, "not beside tableName", "set it on your table, where you create it");
  }
}

/** Whether there is a table of the relay's own: the history always is. */
function hasTable({ tableName, delivery }: Pick<WebsocketRelayArgs, "tableName" | "delivery">): boolean {
  return tableName === undefined || delivery === "replay";
}
