import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { RetryWindowSeconds } from "../handlers/backoff";
import { METRICS, METRICS_NAMESPACE } from "../handlers/metrics";
import type { RefusalReason } from "../handlers/refusals";
import { isLater, refuse } from "./refuse";

type Delivery = "retry" | "replay";

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

/** Whose metrics are watched. */
export interface AlarmSubjects {
  relayName: string;
  delivery: Delivery;
  queueName: pulumi.Input<string>;
  deadLetterQueueName: pulumi.Input<string>;
  subscriptionDeadLetterQueueName: pulumi.Input<string>;
  /** By what they are called in an alarm's name. */
  functionNames: Record<string, pulumi.Input<string>>;
}

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
  if (typeof given !== "object" || Array.isArray(given)) {
    refuse("alarms", given, "an object", "write { enabled: false } for no alarms, { actions: [topicArn] } to be told");
  }
  // A key that YAML leaves empty is null.
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const { enabled = true, ...thresholds } = Object.fromEntries(present) as AlarmArgs;
  const known = ["enabled", "actions", ...Object.keys(maxima)];
  const unknown = Object.keys(thresholds).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    refuse(`alarms.${unknown}`, "a key of that name", known.join(", "), "check the spelling");
  }
  if (typeof enabled !== "boolean") {
    refuse("alarms.enabled", enabled, "true or false", "leave it out for true");
  }

  const ageAtFailedAttemptSeconds = Math.max(1, Math.floor(0.75 * retryWindow.shortest));
  const resolved = { ...defaults, ageAtFailedAttemptSeconds, ...thresholds };
  refuseBadActions(resolved.actions);
  for (const [key, max] of Object.entries(maxima) as [keyof typeof maxima, number][]) {
    const min = key === "refusedHandshakesMinimum" || key === "ageAtFailedAttemptSeconds" ? 1 : 0;
    const value: unknown = resolved[key];
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      refuse(`alarms.${key}`, value, `a whole number from ${min} to ${max}`, "leave it out for the default");
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
  if (isLater(actions)) {
    return;
  }
  if (!Array.isArray(actions)) {
    refuse("alarms.actions", actions, "a list of ARNs", fix);
  }
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
  if (actions.length > 5) {
    refuse("alarms.actions", `${actions.length} actions`, "5, CloudWatch's limit", "let a topic tell the others");
  }
  actions.forEach((action: unknown, index) => {
    if (!isLater(action) && !(typeof action === "string" && /^arn:aws[\w-]*:[a-z0-9-]+:[^\s]+$/.test(action))) {
      refuse(`alarms.actions[${index}]`, action, "an ARN", fix);
    }
  });
}

/** How the alarms are to be, by the last part of their names. */
export function alarmsOf(
  alarms: ResolvedAlarms,
  subjects: AlarmSubjects,
): Record<string, aws.cloudwatch.MetricAlarmArgs> {
  return {
    "dead-letters": deadLetters(
      subjects.deadLetterQueueName,
      alarms.deadLetters,
      "Messages could not be delivered: each dead letter names its reason.",
    ),
    "subscription-dead-letters": deadLetters(
      subjects.subscriptionDeadLetterQueueName,
      alarms.deadLetters,
      "SNS could not hand messages to the retry queue: see the queue's policy and key.",
    ),
    ...(subjects.delivery === "replay" && { "expired-messages": expiredMessages(alarms, subjects) }),
    "age-at-failed-attempt": {
      alarmDescription: `A message has been tried in vain for over ${alarms.ageAtFailedAttemptSeconds} s: its user is away, or nothing is delivered.`,
      namespace: METRICS_NAMESPACE,
      metricName: METRICS.ageAtFailedAttempt,
      dimensions: { Relay: subjects.relayName },
      statistic: "Maximum",
      // The metric is in milliseconds.
      threshold: alarms.ageAtFailedAttemptSeconds * 1_000,
      ...once,
    },
    "invisible-messages": {
      alarmDescription: "Messages to users who are away fill the retry queue: it takes no more than 120,000.",
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesNotVisible",
      dimensions: { QueueName: subjects.queueName },
      statistic: "Maximum",
      threshold: alarms.invisibleMessages,
      ...once,
    },
    ...functionAlarms(alarms, subjects),
    "failed-handshakes": {
      alarmDescription:
        "Handshakes are answered 500: the issuer's keys or the table cannot be reached. See connect's log.",
      namespace: METRICS_NAMESPACE,
      metricName: METRICS.handshakesRefused,
      dimensions: { Relay: subjects.relayName, Reason: "internal-error" satisfies RefusalReason },
      statistic: "Sum",
      threshold: alarms.failedHandshakes,
      ...repeatedly,
    },
    "refused-handshakes": {
      alarmDescription:
        "Many handshakes are refused for their credential or origin: see issuer, audience, cookie and origins.",
      metricQueries: refusedShare(subjects.relayName, alarms.refusedHandshakesMinimum),
      threshold: alarms.refusedHandshakesPercent,
      comparisonOperator: repeatedly.comparisonOperator,
      evaluationPeriods: repeatedly.evaluationPeriods,
      datapointsToAlarm: repeatedly.datapointsToAlarm,
      treatMissingData: repeatedly.treatMissingData,
    },
  };
}

const periodSeconds = 300;

/** Raised by one period. */
const once = {
  period: periodSeconds,
  comparisonOperator: "GreaterThanThreshold",
  evaluationPeriods: 1,
  treatMissingData: "notBreaching",
};

/** Raised by two periods of three: what happens once is retried by the queue, or by the client, and is over. */
const repeatedly = { ...once, evaluationPeriods: 3, datapointsToAlarm: 2 };

function deadLetters(
  QueueName: pulumi.Input<string>,
  threshold: number,
  alarmDescription: string,
): aws.cloudwatch.MetricAlarmArgs {
  return {
    alarmDescription,
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName },
    statistic: "Maximum",
    threshold,
    ...once,
    // A queue that nobody touches has no metrics after six hours: that is no news of its messages.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
    treatMissingData: "ignore",
  };
}

function expiredMessages(alarms: ResolvedAlarms, { relayName }: AlarmSubjects): aws.cloudwatch.MetricAlarmArgs {
  return {
    alarmDescription: "Messages were acknowledged by nobody in time: their users stayed away. See expire's log.",
    namespace: METRICS_NAMESPACE,
    metricName: METRICS.expired,
    dimensions: { Relay: relayName },
    statistic: "Sum",
    threshold: alarms.expiredMessages,
    ...once,
  };
}

function functionAlarms(
  alarms: ResolvedAlarms,
  { functionNames }: AlarmSubjects,
): Record<string, aws.cloudwatch.MetricAlarmArgs> {
  const ofFunction = { namespace: "AWS/Lambda", statistic: "Sum", ...repeatedly };
  const entries = Object.entries(functionNames).flatMap(([part, FunctionName]) => [
    [
      `${part}-errors`,
      {
        alarmDescription: `${part} crashes or runs out of time: it answers every failure that it foresees. See its log.`,
        metricName: "Errors",
        dimensions: { FunctionName },
        threshold: alarms.functionErrors,
        ...ofFunction,
      },
    ],
    [
      `${part}-throttles`,
      {
        alarmDescription: `${part} is not invoked: the account's concurrency is used up.`,
        metricName: "Throttles",
        dimensions: { FunctionName },
        threshold: alarms.functionThrottles,
        ...ofFunction,
      },
    ],
  ]);
  return Object.fromEntries(entries) as Record<string, aws.cloudwatch.MetricAlarmArgs>;
}

/**
 * The reasons for which all clients are refused where something is configured wrongly. The others (bad-request,
 * user-blocked, superseded) are the single client's affair.
 */
const configuredReasons = {
  noCredential: "no-credential",
  tokenRefused: "token-refused",
  originNotAllowed: "origin-not-allowed",
} satisfies Record<string, RefusalReason>;

/** Their share of these handshakes and the accepted ones, in percent; 0 where there are too few to tell. */
function refusedShare(Relay: string, minimum: number): aws.types.input.cloudwatch.MetricAlarmMetricQuery[] {
  const sum = (id: string, metricName: string, Reason?: string) => ({
    id,
    metric: {
      namespace: METRICS_NAMESPACE,
      metricName,
      dimensions: { Relay, ...(Reason !== undefined && { Reason }) },
      stat: "Sum",
      period: periodSeconds,
    },
    returnData: false,
  });
  const refused = Object.keys(configuredReasons)
    .map((id) => `FILL(${id}, 0)`)
    .join(" + ");
  return [
    sum("accepted", METRICS.handshakesAccepted),
    ...Object.entries(configuredReasons).map(([id, reason]) => sum(id, METRICS.handshakesRefused, reason)),
    // A metric without a value in a period would leave the whole expression without one.
    { id: "refused", expression: refused, returnData: false },
    { id: "handshakes", expression: "refused + FILL(accepted, 0)", returnData: false },
    {
      id: "share",
      label: "Refused handshakes (%)",
      expression: `IF(handshakes >= ${minimum}, 100 * refused / handshakes, 0)`,
      returnData: true,
    },
  ];
}
