import { type Environment, text } from "./environment";

/** CloudWatch's namespace of every metric here. */
export const METRICS_NAMESPACE = "WebsocketRelay";

/**
 * The functions' metrics by their CloudWatch names. Each has the dimension `Relay`; those that are counted by reason also
 * have `Relay` and `Reason` together.
 */
export const METRICS = {
  delivered: "Delivered",
  /** By reason. Stored in the history and not posted: no client was connected, or the message had expired. */
  stored: "Stored",
  /** Copies of messages that are stored already, and messages with an idempotency key that another message has. */
  duplicates: "Duplicates",
  /** Copies whose body differs from the first one's. */
  messageIdConflicts: "MessageIdConflicts",
  /** By reason. */
  retried: "Retried",
  /** By reason. */
  deadLettered: "DeadLettered",
  /** From the time the queue accepted the message to the time the gateway did. */
  ageAtDelivery: "AgeAtDelivery",
  /** Unlike the queue's own age metric, includes messages that were received three times or more. */
  ageAtFailedAttempt: "AgeAtFailedAttempt",
  handshakesAccepted: "HandshakesAccepted",
  /** By reason. */
  handshakesRefused: "HandshakesRefused",
  /** Sessions ended with their token. */
  sessionsEnded: "SessionsEnded",
  /** Messages that clients have acknowledged. */
  acknowledged: "Acknowledged",
  /** Messages that no client acknowledged in time. By reason: the history's retention, or the message's own `expiresAt`. */
  expired: "Expired",
  /** Answers to a client that resumed. By reason: `recovered`, or why its cursor is no longer valid. */
  resumed: "Resumed",
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** Collects metrics. */
export interface Metrics {
  /** Adds one value: 1 for a count, milliseconds for an age. `reason` if the metric is counted by reason. */
  add(name: MetricName, value: number, reason?: string): void;
  /** Writes the values added since the last flush. Call it once, at the end of an invocation. */
  flush(): void;
}

/** An embedded metric format document holds at most this many values of a metric. */
const MAX_VALUES = 100;

/**
 * Metrics as log lines in the embedded metric format, which CloudWatch extracts from the function's log without a request.
 * A library for it would be a tenth of a bundle and of its load time.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmbeddedMetrics implements Metrics {
  private readonly values = new Map<string, { name: MetricName; reason?: string; values: number[] }>();

  constructor(
    private readonly relay: string,
    /** Bypasses the console: Lambda's JSON log format would wrap the line in another object. */
    private readonly write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
    private readonly now: () => number = Date.now,
  ) {}

  add(name: MetricName, value: number, reason?: string): void {
    const key = `${name} ${reason ?? ""}`;
    const added = this.values.get(key) ?? { name, reason, values: [] };
    added.values.push(value);
    this.values.set(key, added);
  }

  flush(): void {
    for (const { name, reason, values } of this.values.values()) {
      for (let first = 0; first < values.length; first += MAX_VALUES) {
        this.write(this.document(name, reason, values.slice(first, first + MAX_VALUES)));
      }
    }
    this.values.clear();
  }

  private document(name: MetricName, reason: string | undefined, values: number[]): string {
    const isAge = name.startsWith("Age");
    return JSON.stringify({
      _aws: {
        Timestamp: this.now(),
        CloudWatchMetrics: [
          {
            Namespace: METRICS_NAMESPACE,
            Dimensions: reason === undefined ? [["Relay"]] : [["Relay"], ["Relay", "Reason"]],
            Metrics: [{ Name: name, Unit: isAge ? "Milliseconds" : "Count" }],
          },
        ],
      },
      Relay: this.relay,
      ...(reason !== undefined && { Reason: reason }),
      // A count is one sum; each single age is needed for percentiles.
      [name]: isAge ? values : values.reduce((sum, value) => sum + value, 0),
    });
  }
}

/** Metrics of the relay that `RELAY_NAME` names. */
export function metricsFromEnvironment(environment: Environment): Metrics {
  return new EmbeddedMetrics(text(environment, "RELAY_NAME"));
}
