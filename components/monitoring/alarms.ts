import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { RefusalReason } from "../../handlers/connect/refusals";
import { METRICS, METRICS_NAMESPACE } from "../../handlers/metrics";
import type { Delivery, ResolvedAlarms } from "../args/alarmArgs";

/** The resources whose metrics are watched. */
export interface AlarmSubjects {
  relayName: string;
  delivery: Delivery;
  queueName: pulumi.Input<string>;
  deadLetterQueueName: pulumi.Input<string>;
  subscriptionDeadLetterQueueName: pulumi.Input<string>;
  /** By their names in an alarm's name. */
  functionNames: Record<string, pulumi.Input<string>>;
}

/** The alarms' arguments, by the last part of their names. */
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
      "SNS could not deliver messages to the retry queue: see the queue's policy and key.",
    ),
    ...(subjects.delivery === "replay" && {
      "expired-messages": expiredMessages(alarms, subjects),
      "history-sweep-behind": historySweepBehind(alarms, subjects),
    }),
    "age-at-failed-attempt": {
      alarmDescription: `Delivery of a message has failed for over ${alarms.ageAtFailedAttemptSeconds} s: its user is away, or nothing is delivered.`,
      namespace: METRICS_NAMESPACE,
      metricName: METRICS.ageAtFailedAttempt,
      dimensions: { Relay: subjects.relayName },
      statistic: "Maximum",
      // The metric is in milliseconds.
      threshold: alarms.ageAtFailedAttemptSeconds * 1_000,
      ...once,
    },
    "invisible-messages": {
      alarmDescription: "Messages for users who are away fill the retry queue, whose limit is 120,000.",
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
        "Many handshakes are refused for their credential or origin: see issuer, audience, cookie and origins. " +
        "Node 24's global WebSocket sends a handshake that is answered 401 twice, and both count.",
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

/** Raised by a single period. */
const once = {
  period: periodSeconds,
  comparisonOperator: "GreaterThanThreshold",
  evaluationPeriods: 1,
  treatMissingData: "notBreaching",
};

/** Raised by two periods of three: the queue or the client recovers from a single failure by itself. */
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
    // A queue without requests has no metrics after six hours: that says nothing about its messages.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
    treatMissingData: "ignore",
  };
}

function expiredMessages(alarms: ResolvedAlarms, { relayName }: AlarmSubjects): aws.cloudwatch.MetricAlarmArgs {
  return {
    alarmDescription: "No client acknowledged messages in time: their users stayed away. See expire's log.",
    namespace: METRICS_NAMESPACE,
    metricName: METRICS.expired,
    dimensions: { Relay: relayName },
    statistic: "Sum",
    threshold: alarms.expiredMessages,
    ...once,
  };
}

function historySweepBehind(alarms: ResolvedAlarms, { relayName }: AlarmSubjects): aws.cloudwatch.MetricAlarmArgs {
  return {
    alarmDescription: `The history sweeper is over ${alarms.historySweepLagSeconds} s late, or is not called: expired messages are reported late. See expire's log.`,
    namespace: METRICS_NAMESPACE,
    metricName: METRICS.historySweepLag,
    dimensions: { Relay: relayName },
    statistic: "Maximum",
    // The metric is in milliseconds.
    threshold: alarms.historySweepLagSeconds * 1_000,
    ...once,
    // The sweeper has a value every minute. Without any, nothing is known: the alarm says so, and not that all is well. As
    // "breaching", it would be raised in each new stack before the first value.
    treatMissingData: "missing",
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
        alarmDescription: `${part} crashes or times out; it handles all other failures itself. See its log.`,
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
 * The reasons for which a wrong configuration refuses all clients. The others (bad-request, user-blocked, superseded) concern
 * single clients.
 */
const configuredReasons = {
  noCredential: "no-credential",
  tokenRefused: "token-refused",
  ambiguousCookie: "ambiguous-cookie",
  originNotAllowed: "origin-not-allowed",
} satisfies Record<string, RefusalReason>;

/** Their share of these and the accepted handshakes, in percent; 0 if there are too few to tell. */
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
    // If a metric had no value in a period, the whole expression would have none.
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
