import type * as pulumi from "@pulumi/pulumi";
import { type Backoff, type RetryWindowSeconds, retryWindowSeconds } from "../handlers/backoff";
import { maxMessageRetentionSeconds } from "./publisher";
import { type AuthArgs, authProblem, environmentProblem, originProblem } from "./authArgs";
import { isLater, refuse, refuseProblem } from "./refuse";

/** The arguments of a {@link WebsocketRelay}; the program's stack config has the same keys. */
export interface WebsocketRelayArgs {
  /** Who may connect: the issuer of the users' tokens. Required, since there is no safe default. */
  auth: AuthArgs;
  /**
   * Origins whose pages may connect with the cookie, as a browser sends them: `https://app.your-domain.com`. Compared
   * exactly. @default only the API's own origin
   */
  allowedOrigins?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Seconds for which a session is kept after its client connected; at least 7,500, since a connection lasts two hours.
   * @default 10800
   */
  sessionTtlSeconds?: number;
  /** Attempts to deliver a message before it is dead-lettered, 1 to 995. @default 66 */
  maxAttempts?: number;
  /** Seconds before the second attempt; doubled with each further one. At least 1. @default 2 */
  backoffMinSeconds?: number;
  /** The longest pause between two attempts in seconds: what a client waits for at most after it came back. @default 120 */
  backoffMaxSeconds?: number;
  /** Messages that one invocation of `deliver` takes at most, 1 to 10,000. @default 10 */
  batchSize?: number;
  /** Seconds to wait for a batch to fill, 0 to 300; at least 1 where `batchSize` is over 10. @default 0 */
  maximumBatchingWindowInSeconds?: number;
  /** Invocations of `deliver` at one time, 2 to 1,000. @default 10 */
  maximumConcurrency?: number;
  /** Seconds for which the retry queue keeps a message; longer than the longest retry window, under 14 days. @default 345600 */
  messageRetentionSeconds?: number;
  /** Days for which the functions' logs are kept, one of CloudWatch's values (0: for ever). @default 30 */
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

/** {@link WebsocketRelayArgs} with every default filled in, checked, and with what follows from them. */
export interface ResolvedArgs extends Required<WebsocketRelayArgs> {
  backoff: Backoff;
  retryWindowSeconds: RetryWindowSeconds;
  deliverTimeoutSeconds: number;
  visibilityTimeoutSeconds: number;
  maxReceiveCount: number;
}

const defaults = {
  allowedOrigins: [],
  sessionTtlSeconds: 10_800,
  maxAttempts: 66,
  backoffMinSeconds: 2,
  backoffMaxSeconds: 120,
  batchSize: 10,
  maximumBatchingWindowInSeconds: 0,
  maximumConcurrency: 10,
  messageRetentionSeconds: 345_600,
  logRetentionInDays: 30,
  throttlingRateLimit: 500,
  throttlingBurstLimit: 500,
  stageName: "live",
  tags: {},
} satisfies Omit<Required<WebsocketRelayArgs>, "auth">;

/** Time for ten posts that all run into their time-outs, and for settling the batch afterwards. */
const deliverTimeoutSeconds = 30;

/** Receives beyond `maxAttempts` that crashes may use up before the queue itself moves a message. */
const spareReceives = 5;

/** SQS's limits. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const maxReceiveCountLimit = 1_000;
const maxVisibilityTimeoutSeconds = 43_200;

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
const logRetentionValues = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

/**
 * Fills in the defaults and checks every value and combination that can be checked before anything is registered.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveArgs(args: WebsocketRelayArgs): ResolvedArgs {
  refuseUnknown(args);
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined && value !== null));
  const resolved: Required<WebsocketRelayArgs> = { auth: args.auth, ...defaults, ...given };

  // A connection lasts 7,200 s: a session must not expire under a client that is still connected.
  integer(resolved, "sessionTtlSeconds", 7_500, 31_536_000);
  integer(resolved, "maxAttempts", 1, maxReceiveCountLimit - spareReceives);
  integer(resolved, "maximumBatchingWindowInSeconds", 0, 300);
  integer(resolved, "batchSize", 1, 10_000);
  integer(resolved, "maximumConcurrency", 2, 1_000);
  // A redriven message keeps its enqueue time: the dead-letter queue, at 14 days, has to retain longer.
  integer(resolved, "messageRetentionSeconds", 60, maxMessageRetentionSeconds - 1);
  integer(resolved, "throttlingRateLimit", 1, 10_000);
  integer(resolved, "throttlingBurstLimit", 1, 5_000);

  const { maximumBatchingWindowInSeconds, messageRetentionSeconds, maxAttempts } = resolved;
  // Six times the function's time-out, as AWS recommends for throttled invocations, and the window.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeoutSeconds = 6 * deliverTimeoutSeconds + maximumBatchingWindowInSeconds;
  // A visibility time-out ends 12 hours after the receive, whatever was used up before it was changed.
  integer(resolved, "backoffMinSeconds", 1, maxVisibilityTimeoutSeconds - visibilityTimeoutSeconds);
  integer(resolved, "backoffMaxSeconds", 1, maxVisibilityTimeoutSeconds - visibilityTimeoutSeconds);
  if (resolved.backoffMaxSeconds < resolved.backoffMinSeconds) {
    refuse(
      "backoffMaxSeconds",
      resolved.backoffMaxSeconds,
      `at least backoffMinSeconds (${resolved.backoffMinSeconds})`,
      "raise backoffMaxSeconds or lower backoffMinSeconds",
    );
  }
  if (resolved.batchSize > 10 && maximumBatchingWindowInSeconds < 1) {
    refuse(
      "maximumBatchingWindowInSeconds",
      maximumBatchingWindowInSeconds,
      `at least 1 where batchSize (${resolved.batchSize}) is over 10`,
      "set maximumBatchingWindowInSeconds to 1 or more, or batchSize to 10 or less",
    );
  }

  const backoff = { minSeconds: resolved.backoffMinSeconds, maxSeconds: resolved.backoffMaxSeconds };
  const window = retryWindowSeconds(maxAttempts, backoff);
  // Each attempt may also wait for its batch to fill.
  const longestSeconds = window.longest + (maxAttempts - 1) * maximumBatchingWindowInSeconds;
  if (longestSeconds >= messageRetentionSeconds) {
    refuse(
      "messageRetentionSeconds",
      messageRetentionSeconds,
      `over the longest retry window, which ${maxAttempts} attempts with pauses of ${backoff.minSeconds} to ` +
        `${backoff.maxSeconds} s and a batching window of ${maximumBatchingWindowInSeconds} s make ${longestSeconds} s: the queue would drop messages that are still being retried`,
      "raise messageRetentionSeconds, or lower maxAttempts, backoffMaxSeconds or the window",
    );
  }

  if (!logRetentionValues.includes(resolved.logRetentionInDays)) {
    refuse(
      "logRetentionInDays",
      resolved.logRetentionInDays,
      `one of ${logRetentionValues.join(", ")} (0: for ever)`,
      "choose the next longer one",
    );
  }
  if (typeof resolved.stageName !== "string" || !/^\w{1,128}$/.test(resolved.stageName)) {
    refuse("stageName", resolved.stageName, "1 to 128 letters, digits and _", 'leave it out for "live"');
  }
  refuseBadTags(resolved.tags);

  if (!isLater(resolved.allowedOrigins)) {
    if (!Array.isArray(resolved.allowedOrigins)) {
      refuse("allowedOrigins", resolved.allowedOrigins, "a list of origins", 'write ["https://app.your-domain.com"]');
    }
    resolved.allowedOrigins.forEach((origin, index) => {
      refuseProblem(`allowedOrigins[${index}]`, originProblem(origin));
    });
  }
  if (!isLater(resolved.auth)) {
    const problem = authProblem(resolved.auth);
    refuseProblem(problem?.path ?? "auth", problem?.text);
    refuseProblem("auth", environmentProblem(resolved.auth, resolved.allowedOrigins));
  }

  return {
    ...resolved,
    backoff,
    retryWindowSeconds: window,
    deliverTimeoutSeconds,
    visibilityTimeoutSeconds,
    maxReceiveCount: maxAttempts + spareReceives,
  };
}

function refuseUnknown(args: WebsocketRelayArgs): void {
  for (const key of Object.keys(args)) {
    if (key !== "auth" && !(key in defaults)) {
      refuse(key, "an argument of that name", `auth, ${Object.keys(defaults).join(", ")}`, "check the spelling");
    }
  }
}

type NumberKey = {
  [Key in keyof Required<WebsocketRelayArgs>]: Required<WebsocketRelayArgs>[Key] extends number ? Key : never;
}[keyof WebsocketRelayArgs];

function integer(args: Required<WebsocketRelayArgs>, key: NumberKey, min: number, max: number): void {
  const value: unknown = args[key];
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    const fallback = defaults[key];
    refuse(key, value, `a whole number from ${min} to ${max}`, `leave it out for the default of ${fallback}`);
  }
}

function refuseBadTags(tags: WebsocketRelayArgs["tags"]): void {
  if (isLater(tags)) {
    return;
  }
  if (typeof tags !== "object" || Array.isArray(tags)) {
    refuse("tags", tags, "an object of strings", 'write { team: "chat" }');
  }
  // IAM's rules, the strictest of the services'. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
  const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
  if (Object.keys(tags).length > 50) {
    refuse("tags", `${Object.keys(tags).length} tags`, "50", "remove some");
  }
  for (const [key, value] of Object.entries(tags)) {
    if (!isLater(value) && typeof value !== "string") {
      refuse(`tags.${key}`, value, "a string", `write it in quotes`);
    }
    if (key === "" || key.length > 128 || !allowed.test(key)) {
      refuse(`tags.${key}`, key, "a key of 1 to 128 letters, digits, spaces and _.:/=+-@", "rename the tag");
    }
    if (typeof value === "string" && (value.length > 256 || !allowed.test(value))) {
      refuse(`tags.${key}`, value, "up to 256 letters, digits, spaces and _.:/=+-@", "shorten or change it");
    }
    if (key.toLowerCase().startsWith("aws:")) {
      refuse(`tags.${key}`, value, "a key that does not begin with aws:, which AWS reserves", "rename the tag");
    }
  }
}
