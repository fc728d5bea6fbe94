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
  /** By reason. */
  retried: "Retried",
  /** By reason. */
  deadLettered: "DeadLettered",
  /** The dead letters whose user was only away: alarms need them apart, and may use ten metrics, fewer than there are reasons. */
  deadLetteredUserAway: "DeadLetteredUserAway",
  /** All other dead letters. */
  deadLetteredToFix: "DeadLetteredToFix",
  /** From the time the queue accepted the message to the time the gateway did. */
  ageAtDelivery: "AgeAtDelivery",
  /**
   * At attempts that failed although the user was not away, or whose dead letter could not be sent. Unlike the queue's own age metric, includes messages that were
   * received three times or more.
   */
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
  /** Requests that read a session over HTTP and were answered. Only with `httpRead`. */
  httpReads: "HttpReads",
  /** By reason. Requests over HTTP that were refused. Only with `httpRead`. */
  httpReadsRefused: "HttpReadsRefused",
  /** Messages that clients without the protocol got when they connected, since they had missed them. Only in replay mode. */
  flushed: "Flushed",
  /** Copies of a stored message whose body differs from the first one's. Only in replay mode. */
  messageIdConflicts: "MessageIdConflicts",
  /** Copies of stored messages, and messages with an idempotency key that another message has. Only in replay mode. */
  duplicates: "Duplicates",
  /** How late the oldest due session was when a sweep of the history began. Only in replay mode. */
  historySweepLag: "HistorySweepLag",
} as const;

export type MetricName = (typeof METRICS)[keyof typeof METRICS];

/** Collects metrics. */
export interface Metrics {
  /** Adds one value: a count, or milliseconds. `reason` if the metric is counted by reason: always, or never. */
  add(name: MetricName, value: number, reason?: string): void;
  /** Writes the values added since the last flush. Call it once, at the end of an invocation. */
  flush(): void;
}

/** Milliseconds: each value is needed, for percentiles and maxima. Any other metric is a count, whose sum is enough. */
const DURATIONS: readonly MetricName[] = [METRICS.ageAtDelivery, METRICS.ageAtFailedAttempt, METRICS.historySweepLag];

/** An embedded metric format document holds at most this many values of a metric. */
const MAX_VALUES = 100;

/** Levels at which Lambda keeps a line that has no level, which it treats as INFO. */
const LEVELS_OF_PLAIN_LINES: readonly string[] = ["", "TRACE", "DEBUG", "INFO"];

/** Values by metric, as a document holds them. */
type Values = Map<MetricName, number[]>;

/**
 * Metrics as a log line in the embedded metric format, which CloudWatch extracts from the function's log without a request.
 * A library for it would be a tenth of a bundle and of its load time.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
export class EmbeddedMetrics implements Metrics {
  private readonly plain: Values = new Map();
  private readonly byReason = new Map<string, Values>();

  constructor(
    private readonly relay: string,
    /** The function's application log level, as Lambda's variable `AWS_LAMBDA_LOG_LEVEL` has it; empty if there is none. */
    private readonly logLevel: string,
    /** Bypasses the console: Lambda's JSON log format would wrap the line in another object. */
    private readonly write: (line: string) => void = (line) => void process.stdout.write(`${line}\n`),
    private readonly now: () => number = Date.now,
  ) {}

  add(name: MetricName, value: number, reason?: string): void {
    const values = reason === undefined ? this.plain : emplace(this.byReason, reason, () => new Map() as Values);
    emplace(values, name, () => []).push(value);
  }

  /** Writes one document, and a further one for each further reason, since a document has one value of a dimension. */
  flush(): void {
    const plain = inDocuments(this.plain);
    const byReason = [...this.byReason].flatMap(([reason, values]) =>
      inDocuments(values).map((part) => ({ reason, part })),
    );
    for (let index = 0; index < Math.max(plain.length, byReason.length); index++) {
      this.write(this.document(plain[index], byReason[index]));
    }
    this.plain.clear();
    this.byReason.clear();
  }

  private document(plain: Values | undefined, byReason: { reason: string; part: Values } | undefined): string {
    const timestamp = this.now();
    return JSON.stringify({
      // Lambda drops a line that is below the function's level, and takes one without level and timestamp for INFO.
      // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
      ...(!LEVELS_OF_PLAIN_LINES.includes(this.logLevel) && {
        level: this.logLevel,
        timestamp: new Date(timestamp).toISOString(),
      }),
      _aws: {
        Timestamp: timestamp,
        CloudWatchMetrics: [
          ...(plain ? [directive(plain, [["Relay"]])] : []),
          ...(byReason ? [directive(byReason.part, [["Relay"], ["Relay", "Reason"]])] : []),
        ],
      },
      Relay: this.relay,
      Reason: byReason?.reason,
      ...Object.fromEntries(
        [...(plain ?? []), ...(byReason?.part ?? [])].map(([name, values]) => [
          name,
          values.length === 1 ? values[0] : values,
        ]),
      ),
    });
  }
}

/** Metrics of the relay that `RELAY_NAME` names. */
export function metricsFromEnvironment(environment: Environment): Metrics {
  return new EmbeddedMetrics(text(environment, "RELAY_NAME"), environment.AWS_LAMBDA_LOG_LEVEL ?? "");
}

/** As many documents' values as the metric with the most values needs, in the order in which they were added. */
function inDocuments(values: Values): Values[] {
  const documents: Values[] = [];
  for (const [name, all] of values) {
    const needed = DURATIONS.includes(name) ? all : [all.reduce((sum, value) => sum + value, 0)];
    for (let first = 0; first < needed.length; first += MAX_VALUES) {
      const document = (documents[first / MAX_VALUES] ??= new Map() as Values);
      document.set(name, needed.slice(first, first + MAX_VALUES));
    }
  }
  return documents;
}

function directive(values: Values, Dimensions: string[][]): object {
  const unitOf = (name: MetricName) => (DURATIONS.includes(name) ? "Milliseconds" : "Count");
  const Metrics = [...values.keys()].map((name) => ({ Name: name, Unit: unitOf(name) }));
  return { Namespace: METRICS_NAMESPACE, Dimensions, Metrics };
}

function emplace<Key, Value>(map: Map<Key, Value>, key: Key, create: () => Value): Value {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}
