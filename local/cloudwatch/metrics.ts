/** The sum of what a metric's documents have said so far, of one set of dimensions. */
export interface MetricSum {
  name: string;
  dimensions: Record<string, string>;
  sum: number;
  /** How many values that is. */
  samples: number;
}

interface Directive {
  Namespace?: unknown;
  Dimensions?: unknown;
  Metrics?: unknown;
}

type Document = Record<string, unknown> & { _aws: { Timestamp?: unknown; CloudWatchMetrics?: unknown } };

/** What CloudWatch extracts from the functions' logs: metrics in embedded metric format. */
export class LocalMetrics {
  private readonly sums = new Map<string, MetricSum>();

  /**
   * How a function's line is to be logged: a metric document, which has been added, as text that is easily read; one that
   * CloudWatch would silently ignore with the reason; undefined for any other line.
   */
  take(line: string): string | undefined {
    const document = documentOf(line);
    if (!document) return undefined;
    const problem = problemOf(document);
    if (problem !== undefined) return `no metric, since ${problem}: ${line}`;
    const directives = document._aws.CloudWatchMetrics as { Dimensions: string[][]; Metrics: { Name: string }[] }[];
    return directives
      .flatMap(({ Dimensions, Metrics }) => Metrics.map(({ Name }) => this.add(document, Name, Dimensions)))
      .join("; ");
  }

  /** Every sum, in the order in which they began. */
  all(): MetricSum[] {
    return [...this.sums.values()];
  }

  private add(document: Document, name: string, dimensionSets: string[][]): string {
    const values = valuesOf(document[name]);
    // The set with the most dimensions says all that the smaller ones do.
    const [largest = []] = [...dimensionSets].sort((one, other) => other.length - one.length);
    const dimensions = Object.fromEntries(largest.map((dimension) => [dimension, String(document[dimension])]));
    const key = JSON.stringify([name, dimensions]);
    const { sum, samples } = this.sums.get(key) ?? { sum: 0, samples: 0 };
    const added = values.reduce((total, value) => total + value, sum);
    this.sums.set(key, { name, dimensions, sum: added, samples: samples + values.length });
    return ["metric", `${name}=${values.join(",")}`, ...largest.map((each) => `${each}=${dimensions[each]}`)].join(" ");
  }
}

function documentOf(line: string): Document | undefined {
  if (!line.startsWith("{") || !line.includes('"_aws"')) return undefined;
  try {
    const document = JSON.parse(line) as Partial<Document>;
    return typeof document._aws === "object" && document._aws !== null ? (document as Document) : undefined;
  } catch {
    return undefined;
  }
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html */
function problemOf(document: Document): string | undefined {
  const { Timestamp, CloudWatchMetrics } = document._aws;
  if (!Number.isInteger(Timestamp)) return "_aws.Timestamp is no number of milliseconds";
  if (!Array.isArray(CloudWatchMetrics) || CloudWatchMetrics.length === 0) return "_aws.CloudWatchMetrics is no list";
  for (const { Namespace, Dimensions, Metrics } of CloudWatchMetrics as Directive[]) {
    if (typeof Namespace !== "string" || !/^[^:].{0,254}$/.test(Namespace)) return "its Namespace is no text";
    if (!Array.isArray(Dimensions)) return "its Dimensions are no list";
    for (const set of Dimensions as unknown[]) {
      if (!Array.isArray(set) || set.length > 30) return "a set of its Dimensions is no list of at most 30";
      const missing = (set as string[]).find((dimension) => typeof document[dimension] !== "string");
      if (missing !== undefined) return `its dimension ${missing} has no text in the document`;
    }
    if (!Array.isArray(Metrics) || Metrics.length > 100) return "its Metrics are no list of at most 100";
    for (const { Name } of Metrics as { Name?: unknown }[]) {
      const values = valuesOf(document[String(Name)]);
      const areNumbers = values.length > 0 && values.every((value) => Number.isFinite(value));
      if (!areNumbers || values.length > 100)
        return `its metric ${String(Name)} has no 1 to 100 numbers in the document`;
    }
  }
  return undefined;
}

function valuesOf(value: unknown): number[] {
  return (Array.isArray(value) ? value : [value]) as number[];
}
