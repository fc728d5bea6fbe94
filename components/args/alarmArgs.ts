import type * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../../handlers/deliver/backoff";
import { defaultsOf, refuseUnlessAllowed } from "./options";
import { isDeferred, refuse, refuseUnknownKeys, refuseUnlessList, refuseUnlessObject } from "./refuse";
import { spec } from "./spec";

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

const { keys } = spec.alarms;

/** The defaults that are fixed values. */
const defaults = defaultsOf(keys);

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
  refuseUnknownKeys("alarms.", given, Object.keys(keys));
  // A key that YAML leaves empty is null.
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const ageAtFailedAttemptSeconds = Math.max(1, Math.floor(0.75 * retryWindow.shortest));
  const { enabled, ...resolved } = {
    ...defaults,
    ageAtFailedAttemptSeconds,
    ...(Object.fromEntries(present) as AlarmArgs),
  };
  refuseUnlessAllowed("alarms.enabled", enabled, keys.enabled);
  refuseBadActions(resolved.actions);
  for (const [key, option] of Object.entries(keys)) {
    if (option.type === "integer") refuseUnlessAllowed(`alarms.${key}`, resolved[key as keyof ResolvedAlarms], option);
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
