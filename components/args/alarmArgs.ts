import type * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../../handlers/deliver/backoff";
import {
  isDeferred,
  refuse,
  refuseUnknownKeys,
  refuseUnlessBoolean,
  refuseUnlessList,
  refuseUnlessObject,
  unquoted,
} from "./refuse";

export type Delivery = "retry" | "replay";

/** When CloudWatch raises an alarm: each threshold is the highest value that is still well. */
export interface AlarmArgs {
  /** Whether there are alarms. @default true */
  enabled?: boolean;
  /**
   * ARNs of what is told when an alarm is raised, and when it is over: topics of SNS, say.
   * @default nobody is told: alarms are seen in the console only
   */
  actions?: pulumi.Input<pulumi.Input<string>[]>;
  /** Messages in a dead-letter queue, in each of the two. @default 0 */
  deadLetters?: number;
  /**
   * Seconds for which a message has been tried in vain, the oldest one's.
   * @default three quarters of the shortest retry window, so that it is raised before the message is dead-lettered
   */
  ageAtFailedAttemptSeconds?: number;
  /**
   * Messages, in five minutes, that nobody acknowledged within the history's retention, or before their own `expiresAt`.
   * Only where `delivery` is `replay`. @default 0
   */
  expiredMessages?: number;
  /** Messages that wait invisibly in the retry queue, which holds 120,000 of them. @default 80000 */
  invisibleMessages?: number;
  /** Invocations of a function, in five minutes, that crashed or ran out of time. @default 0 */
  functionErrors?: number;
  /** Invocations of a function, in five minutes, for which the account had no concurrency left. @default 0 */
  functionThrottles?: number;
  /** Handshakes, in five minutes, that were refused by a fault of ours (`internal-error`). @default 0 */
  failedHandshakes?: number;
  /**
   * Percent of the handshakes, in five minutes, that were refused for their credential or origin, which is how a wrong
   * issuer, cookie or origin shows. What only the client can be at fault for does not count. @default 50
   */
  refusedHandshakesPercent?: number;
  /** Handshakes, in five minutes, below which that percentage says nothing. @default 20 */
  refusedHandshakesMinimum?: number;
}

/** {@link AlarmArgs} with every default filled in, checked. */
export type ResolvedAlarms = Required<Omit<AlarmArgs, "enabled">>;

const defaults = {
  actions: [],
  deadLetters: 0,
  expiredMessages: 0,
  invisibleMessages: 80_000,
  functionErrors: 0,
  functionThrottles: 0,
  failedHandshakes: 0,
  refusedHandshakesPercent: 50,
  refusedHandshakesMinimum: 20,
} satisfies Omit<ResolvedAlarms, "ageAtFailedAttemptSeconds">;

/** The highest threshold of each that can still be passed. */
const maxima = {
  deadLetters: 1_000_000_000,
  expiredMessages: 1_000_000_000,
  // A queue's longest retention.
  ageAtFailedAttemptSeconds: 1_209_600,
  // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
  invisibleMessages: 119_999,
  functionErrors: 1_000_000_000,
  functionThrottles: 1_000_000_000,
  failedHandshakes: 1_000_000_000,
  refusedHandshakesPercent: 99,
  refusedHandshakesMinimum: 1_000_000_000,
} satisfies Record<Exclude<keyof ResolvedAlarms, "actions">, number>;

/**
 * @returns undefined where there are to be no alarms.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveAlarms(
  given: AlarmArgs,
  retryWindow: RetryWindowSeconds,
  delivery: Delivery = "retry",
): ResolvedAlarms | undefined {
  const fix = "write { enabled: false } for no alarms, { actions: [topicArn] } to be told";
  refuseUnlessObject("alarms", given, "an object", fix);
  // A key that YAML leaves empty is null.
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const { enabled = true, ...thresholds } = Object.fromEntries(present) as AlarmArgs;
  const known = ["enabled", "actions", ...Object.keys(maxima)];
  refuseUnknownKeys("alarms.", thresholds, known);
  refuseUnlessBoolean("alarms.enabled", enabled);

  const ageAtFailedAttemptSeconds = Math.max(1, Math.floor(0.75 * retryWindow.shortest));
  const resolved = { ...defaults, ageAtFailedAttemptSeconds, ...thresholds };
  refuseBadActions(resolved.actions);
  for (const [key, max] of Object.entries(maxima) as [keyof typeof maxima, number][]) {
    const min = key === "refusedHandshakesMinimum" || key === "ageAtFailedAttemptSeconds" ? 1 : 0;
    const value: unknown = resolved[key];
    const inRange = "choose one in that range, or leave it out for the default";
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      refuse(`alarms.${key}`, value, `a whole number from ${min} to ${max}`, unquoted(value) ?? inRange);
    }
  }
  if (delivery === "retry" && resolved.expiredMessages !== defaults.expiredMessages) {
    const { expiredMessages } = resolved;
    refuse("alarms.expiredMessages", expiredMessages, 'only where delivery is "replay"', "leave it out");
  }
  return enabled ? resolved : undefined;
}

function refuseBadActions(actions: ResolvedAlarms["actions"]): void {
  const fix = "write the ARNs of topics or of other actions, [topic.arn]";
  if (isDeferred(actions)) {
    return;
  }
  refuseUnlessList("alarms.actions", actions, "ARNs");
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  if (actions.length > 5) {
    refuse("alarms.actions", `${actions.length} actions`, "5, CloudWatch's limit", "let a topic tell the others");
  }
  actions.forEach((action: unknown, index) => {
    if (!isDeferred(action) && !(typeof action === "string" && /^arn:aws[\w-]*:[a-z0-9-]+:[^\s]+$/.test(action))) {
      refuse(`alarms.actions[${index}]`, action, "an ARN", fix);
    }
  });
}
