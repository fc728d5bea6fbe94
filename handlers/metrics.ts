import { type Environment, text } from "./environment";

/** CloudWatch's namespace of every metric here. */
export const METRICS_NAMESPACE = "WebsocketRelay";

/**
 * What the functions count and measure, by the names that CloudWatch shows. Each has the dimension `Relay`; those that
 * are counted by cause also `Relay` and `Reason` together.
 */
export const METRICS = {
  delivered: "Delivered",
  /** By reason. Not posted, and safe: they stand in the history, and nobody was there, or it was too late for them. */
  stored: "Stored",
  /** By reason. */
  retried: "Retried",
  /** By reason. */
  deadLettered: "DeadLettered",
  /** From the queue's taking the message to the gateway's. */
  ageAtDelivery: "AgeAtDelivery",
  /** The queue's own age metric is blind to messages that were received three times: this one is not. */
  ageAtFailedAttempt: "AgeAtFailedAttempt",
  handshakesAccepted: "HandshakesAccepted",
  /** By reason. */
  handshakesRefused: "HandshakesRefused",
  /** Sessions ended because their token had. */
  sessionsEnded: "SessionsEnded",
  /** Numbers that the acknowledgements of clients have covered. */
  acknowledged: "Acknowledged",
  /** Messages that nobody had acknowledged in time. By reason: the history's retention, or the message's own `expiresAt`. */
  expired: "Expired",
  /** Answers to a client that has come back. By what became of its cursor: recovered, or why it does not hold any more. */
  resumed: "Resumed",
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** Where the handlers count. */
export interface Metrics {
  /** Adds one value: 1 for a count, milliseconds for an age. `reason` where the metric is counted by cause. */
  add(name: MetricName, value: number, reason?: string): void;
  /** Writes what was added since the last time: once at the end of an invocation. */
  flush(): void;
}

/** An embedded metric format document holds at most this many values of a metric. */
const MAX_VALUES = 100;

/**
 * Metrics as log lines in the embedded metric format, which CloudWatch extracts from the function's log at no request.
 * A library for it would be a tenth of a bundle and of its load time.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmbeddedMetrics implements Metrics {
  private readonly values = new Map<string, { name: MetricName; reason?: string; values: number[] }>();

  constructor(
    private readonly relay: string,
    /** Past the console, which Lambda's JSON log format would wrap in an object of its own. */
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
      // A count is one number, whatever it was added up of; of ages each one matters.
      [name]: isAge ? values : values.reduce((sum, value) => sum + value, 0),
    });
  }
}

/** Metrics of the relay that `RELAY_NAME` names. */
export function metricsFromEnvironment(environment: Environment): Metrics {
  return new EmbeddedMetrics(text(environment, "RELAY_NAME"));
}
