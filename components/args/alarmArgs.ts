import type * as pulumi from "@pulumi/pulumi";
import { defaultsOf, refuseUnallowed } from "./options";
import { isDeferred, refuse, refuseUnknownKeys, refuseUnlessList, refuseUnlessObject } from "./refuse";
import type { ResolvedRetry } from "./retryArgs";
import { spec } from "./spec";

export type Delivery = "retry" | "replay";

/**
 * When CloudWatch raises an alarm. A threshold is the highest value that raises none. Thresholds without a range are 0 to
 * 1,000,000,000; counts of what happens are per five minutes.
 */
export interface AlarmArgs {
  /** Whether the alarms are created. @default true */
  enabled?: boolean;
  /**
   * Up to five ARNs to notify when an alarm is raised and when it is over, such as those of SNS topics.
   * @default none: alarms are visible in the console only
   */
  actions?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Notifications that SNS failed to deliver, and of these the ones that the subscription's dead-letter queue did not take:
   * the threshold of `failed-notifications` and `lost-notifications`. On a topic of yours the metrics count all of its
   * subscriptions, and are in the topic's account.
   * @default 0 for a topic that the relay creates; with `topicArn`, these two alarms are not created
   */
  failedNotifications?: number;
  /**
   * Dead letters for a reason other than that the user was away, and messages that SNS put into the subscription's dead-letter
   * queue. Applies to each of the two. @default 0
   */
  deadLetters?: number;
  /**
   * Dead letters whose user was away: `no-session`, `session-expired`, `token-expired`, `subprotocol-changed`, `connection-gone`
   * or `expired`. @default 100, more than single users cause
   */
  userAwayDeadLetters?: number;
  /**
   * Messages in the dead-letter queue, however long they have been there. Set it to be told of messages without a reason, which
   * the queue itself moved there, or to have the queue emptied. @default that alarm is not created
   */
  deadLetterQueueDepth?: number;
  /**
   * Age in seconds of the oldest message that `deliver` has not received three times yet, 60 to 1,209,600.
   * @default four minutes more than a third receive takes without a backlog: 246 with the default pauses
   */
  deliverLagSeconds?: number;
  /**
   * Age in seconds of the oldest message that an attempt failed to deliver although its user was not away, or whose dead letter
   * could not be sent, 1 to 1,209,600.
   * @default three quarters of the shortest retry window, which is before the message is dead-lettered
   */
  ageAtFailedAttemptSeconds?: number;
  /**
   * Messages that no client acknowledged within the history's retention or before their `expiresAt`. Only in replay mode.
   * @default 100, more than single users cause
   */
  expiredMessages?: number;
  /**
   * How late the history sweeper may be, in seconds, 120 to 259,200. Up to 60 seconds are normal. Only in replay mode.
   * @default 600
   */
  historySweepLagSeconds?: number;
  /** Messages that wait invisibly in the retry queue, which holds 120,000 of them; 0 to 119,999. @default 80000 */
  invisibleMessages?: number;
  /** Invocations of a function that crashed or timed out. @default 0 */
  functionErrors?: number;
  /** Invocations of a function that were throttled because the account had no concurrency left. @default 0 */
  functionThrottles?: number;
  /** Handshakes that failed because of an internal error (`internal-error`). @default 0 */
  failedHandshakes?: number;
  /**
   * Percent of the handshakes, 0 to 99, that were refused for their credential or origin, as a wrong issuer, cookie or origin
   * causes. Refusals that only a single client can cause do not count. @default 50
   */
  refusedHandshakesPercent?: number;
  /** Handshakes below which that percentage raises no alarm; at least 1. @default 20 */
  refusedHandshakesMinimum?: number;
}

/** {@link AlarmArgs} with all defaults filled in, checked. */
export type ResolvedAlarms = Required<Omit<AlarmArgs, "enabled" | WithoutAlarm>> & Pick<AlarmArgs, WithoutAlarm>;

/** The thresholds whose alarms are not created without a value. */
type WithoutAlarm = "failedNotifications" | "deadLetterQueueDepth";

const { keys } = spec.alarms;

const defaults = defaultsOf(keys);

/**
 * Less than six minutes, which is twice the visibility timeout: then, a message is received for the third time where `deliver`
 * crashes or cannot be invoked, and the metric no longer includes it.
 */
const normalLagSeconds = 240;

/**
 * @param createsTopic Whether the topic is the relay's own.
 * @returns undefined if the alarms are disabled.
 * @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix.
 */
export function resolveAlarms(
  given: AlarmArgs,
  { retryWindowSeconds, thirdReceiveSeconds }: Pick<ResolvedRetry, "retryWindowSeconds" | "thirdReceiveSeconds">,
  delivery: Delivery = "retry",
  createsTopic = true,
): ResolvedAlarms | undefined {
  const fix = "write { enabled: false } for no alarms, { actions: [topicArn] } to be notified";
  refuseUnlessObject("alarms", given, "an object", fix);
  refuseUnknownKeys("alarms.", given, Object.keys(keys));
  // A key that YAML leaves empty is null.
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const ageAtFailedAttemptSeconds = Math.max(1, Math.floor(0.75 * retryWindowSeconds.shortest));
  const { enabled, ...resolved } = {
    ...defaults,
    ageAtFailedAttemptSeconds,
    deliverLagSeconds: normalLagSeconds + thirdReceiveSeconds,
    ...(createsTopic && { failedNotifications: 0 }),
    ...(Object.fromEntries(present) as AlarmArgs),
  };
  refuseUnallowed("alarms.", { enabled, ...resolved }, keys);
  refuseBadActions(resolved.actions);
  for (const name of ["expiredMessages", "historySweepLagSeconds"] as const) {
    if (delivery === "retry" && resolved[name] !== defaults[name]) {
      refuse(`alarms.${name}`, resolved[name], 'only where delivery is "replay"', "leave it out");
    }
  }
  return enabled ? resolved : undefined;
}

function refuseBadActions(actions: ResolvedAlarms["actions"]): void {
  if (isDeferred(actions)) return;
  refuseUnlessList("alarms.actions", actions, "ARNs");
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  if (actions.length > 5) {
    refuse(
      "alarms.actions",
      `${actions.length} actions`,
      "5, CloudWatch's limit",
      "notify a topic, and subscribe the others to it",
    );
  }
  actions.forEach((action: unknown, index) => {
    if (!isDeferred(action) && !(typeof action === "string" && /^arn:aws[\w-]*:[a-z0-9-]+:[^\s]+$/.test(action))) {
      refuse(`alarms.actions[${index}]`, action, "an ARN", "write the ARNs of topics or of other actions, [topic.arn]");
    }
  });
}
