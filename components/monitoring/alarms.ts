import type * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { RefusalReason } from "../../handlers/connect/refusals";
import { type MetricName, METRICS, METRICS_NAMESPACE } from "../../handlers/metrics";
import type { Delivery, ResolvedAlarms } from "../args/alarmArgs";

/** The resources whose metrics are watched. */
export interface AlarmSubjects {
  relayName: string;
  delivery: Delivery;
  topicName: pulumi.Input<string>;
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
    ...notificationAlarms(alarms, subjects),
    "subscription-dead-letters": {
      alarmDescription:
        "SNS could not deliver messages to the retry queue: see the queue's policy and the key's. They are in the " +
        "subscription's dead-letter queue: redrive them.",
      namespace: "AWS/SQS",
      // A rate, unlike the depth, which would hide later messages for 14 days. SNS is a sender, so this counts its messages.
      // https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
      metricName: "NumberOfMessagesSent",
      dimensions: { QueueName: subjects.subscriptionDeadLetterQueueName },
      statistic: "Sum",
      threshold: alarms.deadLetters,
      ...once,
    },
    "dead-letters": {
      alarmDescription: "Messages could not be delivered for a reason to fix, which each dead letter names.",
      ...ofRelay(subjects, METRICS.deadLetteredToFix),
      threshold: alarms.deadLetters,
    },
    "dead-letters-user-away": {
      alarmDescription:
        "Many messages could not be delivered because their users were away. Can clients connect? See HandshakesAccepted.",
      ...ofRelay(subjects, METRICS.deadLetteredUserAway),
      threshold: alarms.userAwayDeadLetters,
    },
    ...(alarms.deadLetterQueueDepth !== undefined && {
      "dead-letter-queue-depth": deadLetterQueueDepth(subjects, alarms.deadLetterQueueDepth),
    }),
    ...(subjects.delivery === "replay" && {
      "expired-messages": {
        alarmDescription: "No client acknowledged many messages in time: their users stayed away. See expire's log.",
        ...ofRelay(subjects, METRICS.expired),
        threshold: alarms.expiredMessages,
      },
      "history-sweep-behind": historySweepBehind(alarms, subjects),
    }),
    "deliver-behind": {
      alarmDescription: `Messages wait for deliver for over ${alarms.deliverLagSeconds} s: it is not invoked, crashes, or is behind.`,
      namespace: "AWS/SQS",
      // It leaves out messages that were received three times: these are only tried again.
      // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
      metricName: "ApproximateAgeOfOldestMessage",
      dimensions: { QueueName: subjects.queueName },
      statistic: "Maximum",
      threshold: alarms.deliverLagSeconds,
      ...once,
    },
    "age-at-failed-attempt": {
      alarmDescription: `Delivery of a message has failed for over ${alarms.ageAtFailedAttemptSeconds} s, and not because its user is away, or it could not be dead-lettered: see Retried by reason and deliver's log.`,
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

/**
 * Raised by a single period. Most metrics only have values when something has happened, and some never have: that is no
 * fault, and a new alarm is OK at once.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
const once = {
  period: periodSeconds,
  comparisonOperator: "GreaterThanThreshold",
  evaluationPeriods: 1,
  treatMissingData: "notBreaching",
};

/** Raised by two periods of three: the queue or the client recovers from a single failure by itself. */
const repeatedly = { ...once, evaluationPeriods: 3, datapointsToAlarm: 2 };

/** The sum of a metric of the relay. */
function ofRelay({ relayName }: AlarmSubjects, metricName: MetricName) {
  return { namespace: METRICS_NAMESPACE, metricName, dimensions: { Relay: relayName }, statistic: "Sum", ...once };
}

/** None for a topic of the user's, unless there is a threshold: the metrics count all of its subscriptions. */
function notificationAlarms(
  { failedNotifications }: ResolvedAlarms,
  { topicName: TopicName }: AlarmSubjects,
): Record<string, aws.cloudwatch.MetricAlarmArgs> {
  if (failedNotifications === undefined) return {};
  // https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html#sns-metrics
  const ofTopic = {
    namespace: "AWS/SNS",
    dimensions: { TopicName },
    statistic: "Sum",
    threshold: failedNotifications,
    ...once,
  };
  return {
    "failed-notifications": {
      alarmDescription:
        "SNS accepted messages from publishers and could not deliver them. See whether subscription-dead-letters or " +
        "lost-notifications is raised, too.",
      metricName: "NumberOfNotificationsFailed",
      ...ofTopic,
    },
    "lost-notifications": {
      alarmDescription:
        "SNS accepted messages that neither the retry queue nor the subscription's dead-letter queue takes. They are lost: " +
        "see the key's policy, control characters in messages, and messages with over ten attributes.",
      metricName: "NumberOfNotificationsFailedToRedriveToDlq",
      ...ofTopic,
    },
  };
}

function deadLetterQueueDepth(
  { deadLetterQueueName: QueueName }: AlarmSubjects,
  threshold: number,
): aws.cloudwatch.MetricAlarmArgs {
  return {
    alarmDescription:
      "Dead letters wait to be redriven or purged. Those without a reason were moved by the queue itself.",
    namespace: "AWS/SQS",
    metricName: "ApproximateNumberOfMessagesVisible",
    dimensions: { QueueName },
    statistic: "Maximum",
    threshold,
    ...once,
    // A queue without requests has no metrics after six hours: that says nothing about its messages. It has some from its
    // creation on, and again within 15 minutes after a message has arrived.
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
    treatMissingData: "ignore",
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
    // The sweeper has a value every minute: without any, it is not called. A new stack's alarm is raised until the first.
    treatMissingData: "breaching",
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
        alarmDescription: `${part} is not invoked: the account's concurrency, or what is reserved for the function, is used up.`,
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
    // Most periods have no refusal for some of the reasons. FILL takes a value that is late for 0, which two of three periods
    // make up for. https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
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
