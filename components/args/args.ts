import type * as pulumi from "@pulumi/pulumi";
import { type AuthArgs, authProblem, environmentProblem } from "./authArgs";
import { checkExisting, type ExistingArgs } from "./existingArgs";
import { checkForeignPublishers, type ForeignPublisherArgs } from "./foreignPublisherArgs";
import { type Operations, type OperationsArgs, resolveOperations } from "./operationsArgs";
import { defaultsOf, refuseUnlessAllAllowed, refuseUnlessAllowed } from "./options";
import { refuseBadOrigins } from "./originArgs";
import { refuse, refuseProblem, refuseUnknownKeys, refuseUnlessObject, unquoted } from "./refuse";
import { checkReplay, type ReplayArgs } from "./replayArgs";
import { resolveRetry, type Retry, type RetryArgs } from "./retryArgs";
import { type Option, spec } from "./spec";
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

const defaults = defaultsOf(spec);

/** Does not compile where the spec lacks an argument. */
const options: Readonly<Record<keyof WebsocketRelayArgs, Option>> = spec;

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
  refuseUnknownKeys("", args, Object.keys(options));
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null));
  const filled = { auth: args.auth, ...defaults, ...given } as typeof defaults & WebsocketRelayArgs;
  const resolved = {
    ...filled,
    allowedOrigins: args.allowedOrigins === null ? null : filled.allowedOrigins,
    pointInTimeRecovery: filled.pointInTimeRecovery ?? (hasTable(filled) && filled.protectData),
    ...checkExisting(filled, { region, ordering: filled.ordering }),
    ...checkForeignPublishers(filled, filled.topicArn),
  };

  refuseUnlessAllowed("sessionTtlSeconds", resolved.sessionTtlSeconds, spec.sessionTtlSeconds);
  const retry = resolveRetry(resolved);
  checkReplay(resolved, retry);
  refuseUnlessAllAllowed(resolved, spec, ["throttlingRateLimit", "throttlingBurstLimit"]);
  refuseBadLogRetention(resolved.logRetentionInDays);
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
    ...resolveOperations(resolved, { ...retry, ...resolved }, region),
    endSessionWithToken: resolved.auth?.endSessionWithToken === true,
  };
}

function refuseBadLogRetention(days: number): void {
  const allowed: readonly number[] = spec.logRetentionInDays.oneOf;
  if (allowed.includes(days)) return;
  const fix = unquoted(days) ?? "choose the next longer one";
  refuse("logRetentionInDays", days, `one of ${allowed.join(", ")} (0: forever)`, fix);
}

function refuseBadProtection(
  args: Pick<ResolvedArgs, "protectData" | "pointInTimeRecovery" | "tableName" | "delivery">,
): void {
  refuseUnlessAllAllowed(args, spec, ["protectData", "pointInTimeRecovery"]);
  if (args.pointInTimeRecovery && !hasTable(args)) {
    refuse("pointInTimeRecovery", true, "not beside tableName", "set it on your table, where you create it");
  }
}

/** Whether there is a table of the relay's own: the history always is. */
function hasTable({ tableName, delivery }: Pick<WebsocketRelayArgs, "tableName" | "delivery">): boolean {
  return tableName === undefined || delivery === "replay";
}
