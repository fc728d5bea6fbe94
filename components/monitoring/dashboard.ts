import { METRICS, METRICS_NAMESPACE } from "../../handlers/metrics";

/** The resources whose metrics are shown. */
export interface DashboardSubjects {
  relayName: string;
  delivery: "retry" | "replay";
  region: string;
  apiId: string;
  stageName: string;
  topicName: string;
  queueName: string;
  deadLetterQueueName: string;
  subscriptionDeadLetterQueueName: string;
  /** By their names on the dashboard. */
  functionNames: Record<string, string>;
}

/** A dashboard's body, which CloudWatch expects as JSON. */
export interface DashboardBody {
  widgets: { type: "metric"; x: number; y: number; width: number; height: number; properties: WidgetProperties }[];
}

interface WidgetProperties {
  title: string;
  region: string;
  view: "timeSeries";
  period: number;
  stat: string;
  metrics: unknown[][];
  yAxis: { left: { min: 0; label?: string; showUnits?: false } };
  annotations?: { horizontal: { label: string; value: number }[] };
}

const periodSeconds = 300;
const widgetSize = { width: 12, height: 6 };

/**
 * A relay at a glance: messages, ages, handshakes, connections, queues, functions; two widgets a row.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
export function dashboardBody(subjects: DashboardSubjects): DashboardBody {
  const { relayName, apiId, stageName } = subjects;
  const relay = (metric: string, options: object = {}) => ofRelay(relayName, metric, options);
  const api = (metric: string) => ["AWS/ApiGateway", metric, "ApiId", apiId, "Stage", stageName];
  const topic = (metric: string, label: string) => ["AWS/SNS", metric, "TopicName", subjects.topicName, { label }];
  const queue = (metric: string, name: string, label: string) => ["AWS/SQS", metric, "QueueName", name, { label }];
  const functions = (metric: string, stats: string[]) =>
    Object.entries(subjects.functionNames).flatMap(([part, name]) =>
      stats.map((stat) => ["AWS/Lambda", metric, "FunctionName", name, { stat, label: labelOf(part, metric, stat) }]),
    );
  const visible = "ApproximateNumberOfMessagesVisible";
  const notVisible = "ApproximateNumberOfMessagesNotVisible";
  const ages = ["p50", "p99"].flatMap((stat) => [
    relay(METRICS.ageAtDelivery, { stat, label: `at delivery ${stat}` }),
    relay(METRICS.ageAtFailedAttempt, { stat, label: `at a failed attempt ${stat}` }),
  ]);

  return inRows([
    widget(subjects, "Messages", [relay(METRICS.delivered), relay(METRICS.retried), relay(METRICS.deadLettered)]),
    widget(subjects, "Ages of messages", ages, { label: "ms" }),
    widget(subjects, "Retried, by reason", [byReason(relayName, METRICS.retried)]),
    widget(subjects, "Dead-lettered, by reason", [byReason(relayName, METRICS.deadLettered)]),
    widget(subjects, "Dead-lettered, to fix or because the user was away", [
      relay(METRICS.deadLetteredToFix, { label: "to fix" }),
      relay(METRICS.deadLetteredUserAway, { label: "user away" }),
    ]),
    widget(subjects, "Topic: not delivered", [
      topic("NumberOfNotificationsFailed", "to the retry queue"),
      topic("NumberOfNotificationsFailedToRedriveToDlq", "to the dead-letter queue either: lost"),
    ]),
    ...(subjects.delivery === "replay" ? ofHistory(subjects) : []),
    widget(subjects, "Handshakes accepted, and sessions ended with their token", [
      relay(METRICS.handshakesAccepted),
      relay(METRICS.sessionsEnded),
    ]),
    widget(subjects, "Handshakes refused, by reason", [byReason(relayName, METRICS.handshakesRefused)]),
    widget(subjects, "API", ["ConnectCount", "MessageCount"].map(api)),
    widget(subjects, "API errors", ["ClientError", "IntegrationError", "ExecutionError"].map(api)),
    widget(
      subjects,
      "Retry queue",
      [
        queue(visible, subjects.queueName, "to be tried now"),
        queue(notVisible, subjects.queueName, "waiting or under way"),
      ],
      { stat: "Maximum", annotation: { label: "a queue's limit of invisible messages", value: 120_000 } },
    ),
    widget(
      subjects,
      "Dead-letter queues",
      [
        queue(visible, subjects.deadLetterQueueName, "not delivered"),
        queue(visible, subjects.subscriptionDeadLetterQueueName, "not handed over by SNS"),
      ],
      { stat: "Maximum" },
    ),
    widget(subjects, "Functions: duration", functions("Duration", ["p50", "p99"]), { label: "ms" }),
    widget(subjects, "Functions: errors and throttles", [
      ...functions("Errors", ["Sum"]),
      ...functions("Throttles", ["Sum"]),
    ]),
  ]);
}

function ofHistory(subjects: DashboardSubjects): WidgetProperties[] {
  const { relayName } = subjects;
  const metrics = [METRICS.stored, METRICS.acknowledged, METRICS.expired].map((metric) => ofRelay(relayName, metric));
  return [
    widget(subjects, "Messages stored for clients that were away, acknowledged, and expired", metrics),
    widget(subjects, "Resumed, by what was lost", [byReason(relayName, METRICS.resumed)]),
    widget(
      subjects,
      "History sweeper: how late",
      [ofRelay(relayName, METRICS.historySweepLag, { stat: "Maximum", label: "the most overdue session" })],
      { label: "ms" },
    ),
  ];
}

function ofRelay(relayName: string, metric: string, options: object = {}): unknown[] {
  return [METRICS_NAMESPACE, metric, "Relay", relayName, options];
}

function widget(
  { region }: DashboardSubjects,
  title: string,
  metrics: unknown[][],
  {
    stat = "Sum",
    label,
    annotation,
  }: { stat?: string; label?: string; annotation?: { label: string; value: number } } = {},
): WidgetProperties {
  return {
    title,
    region,
    view: "timeSeries",
    period: periodSeconds,
    stat,
    metrics,
    yAxis: { left: { min: 0, ...(label !== undefined && { label, showUnits: false }) } },
    ...(annotation && { annotations: { horizontal: [annotation] } }),
  };
}

/** One line for each reason that occurred: a fixed list would not show new ones. */
function byReason(relayName: string, metric: string): unknown[] {
  const search = `{${METRICS_NAMESPACE},Relay,Reason} MetricName="${metric}" Relay="${relayName}"`;
  return [{ expression: `SEARCH('${search}', 'Sum', ${periodSeconds})`, label: "${PROP('Dim.Reason')}" }];
}

function labelOf(part: string, metric: string, stat: string): string {
  return stat === "Sum" ? `${part} ${metric.toLowerCase()}` : `${part} ${stat}`;
}

function inRows(properties: WidgetProperties[]): DashboardBody {
  const { width, height } = widgetSize;
  return {
    widgets: properties.map((each, index) => ({
      type: "metric",
      x: (index % 2) * width,
      y: Math.floor(index / 2) * height,
      width,
      height,
      properties: each,
    })),
  };
}
