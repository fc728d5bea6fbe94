import { arn } from "../account";
import { autoname } from "./autoname";
import { refusal } from "./refuse";
import type { LocalResource, LocalResources, Properties } from "./resource";

/** Alarms: checked, and never evaluated. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html */
export function alarmResources(): LocalResources {
  const outputs = (id: string): Properties => ({ id, name: id, arn: arn("cloudwatch", `alarm:${id}`) });
  const alarm: LocalResource = {
    replaceOnChanges: ["name"],
    async create({ name, inputs }) {
      checkAlarm(name, inputs);
      const id = String(inputs["name"] ?? autoname(name));
      return { id, outputs: outputs(id) };
    },
    async update(id, { name, inputs }) {
      checkAlarm(name, inputs);
      return outputs(id);
    },
    delete: async () => undefined,
  };
  return { "aws:cloudwatch/metricAlarm:MetricAlarm": alarm };
}

const thresholdOperators = [
  "GreaterThanOrEqualToThreshold",
  "GreaterThanThreshold",
  "LessThanThreshold",
  "LessThanOrEqualToThreshold",
];
const bandOperators = [
  "LessThanLowerOrGreaterThanUpperThreshold",
  "LessThanLowerThreshold",
  "GreaterThanUpperThreshold",
];
const statistics = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
const missingData = ["breaching", "notBreaching", "ignore", "missing"];

interface MetricQuery extends Properties {
  id?: string;
  expression?: string;
  returnData?: boolean;
  metric?: Properties;
}

function checkAlarm(name: string, inputs: Properties): void {
  const refuse = refusal(`alarm ${name}`, "ValidationError");
  const oneOf = (key: string, allowed: string[]) =>
    allowed.includes(String(inputs[key])) || refuse(key, inputs[key], `one of ${allowed.join(", ")}`);

  oneOf("comparisonOperator", [...thresholdOperators, ...bandOperators]);
  const { evaluationPeriods, datapointsToAlarm = evaluationPeriods, metricQueries, metricName } = inputs;
  if (!isCount(evaluationPeriods)) refuse("evaluationPeriods", evaluationPeriods, "an integer of at least 1");
  if (!isCount(datapointsToAlarm) || Number(datapointsToAlarm) > Number(evaluationPeriods)) {
    refuse(
      "datapointsToAlarm",
      datapointsToAlarm,
      `an integer from 1 to evaluationPeriods (${String(evaluationPeriods)})`,
    );
  }
  if (inputs["treatMissingData"] !== undefined) oneOf("treatMissingData", missingData);
  const isBand = bandOperators.includes(String(inputs["comparisonOperator"]));
  if (isBand ? !inputs["thresholdMetricId"] : typeof inputs["threshold"] !== "number") {
    const key = isBand ? "thresholdMetricId" : "threshold";
    refuse(key, inputs[key], `given with ${String(inputs["comparisonOperator"])}`);
  }
  checkActions(name, inputs);

  const queries = (metricQueries ?? []) as MetricQuery[];
  if (queries.length > 0 === (metricName !== undefined)) {
    refuse("metricName", metricName, "given, or else metricQueries");
  }
  if (queries.length > 0) checkQueries(name, queries);
  else checkMetric(name, inputs, Number(evaluationPeriods));
}

function checkMetric(name: string, metric: Properties, evaluationPeriods: number): void {
  const refuse = refusal(`alarm ${name}`, "ValidationError");
  const { namespace, period, statistic, extendedStatistic } = metric;
  if (!namespace) refuse("namespace", namespace, "given with metricName");
  if (![10, 20, 30].includes(Number(period)) && !(isCount(period) && Number(period) % 60 === 0)) {
    refuse("period", period, "10, 20, 30 or a multiple of 60 seconds");
  }
  // A day, or a week for periods of an hour and more.
  const most = Number(period) >= 3600 ? 604_800 : 86_400;
  if (Number(period) * evaluationPeriods > most) {
    refuse("evaluationPeriods", evaluationPeriods, `at most ${most} seconds with a period of ${String(period)}`);
  }
  if ((statistic !== undefined) === (extendedStatistic !== undefined)) {
    refuse("statistic", statistic, "given, or else extendedStatistic");
  }
  if (statistic !== undefined && !statistics.includes(String(statistic))) {
    refuse("statistic", statistic, `one of ${statistics.join(", ")}`);
  }
  if (extendedStatistic !== undefined && !/^(p|tm|tc|ts|wm|PR|TC|TM|TS|WM|IQM).*$/.test(String(extendedStatistic))) {
    refuse("extendedStatistic", extendedStatistic, "a percentile or a trimmed statistic, as p99");
  }
}

function checkQueries(name: string, queries: MetricQuery[]): void {
  const refuse = refusal(`alarm ${name}`, "ValidationError");
  for (const { id, expression, metric } of queries) {
    if (!/^[a-z]\w*$/.test(id ?? "")) refuse("metricQueries.id", id, "a lower-case letter, then letters, digits and _");
    if ((expression === undefined) === (metric === undefined)) {
      refuse("metricQueries", { id }, "each an expression or a metric, and not both");
    }
    if (metric && !(metric["metricName"] && isCount(metric["period"]) && metric["stat"])) {
      refuse("metricQueries.metric", metric, "one with metricName, period and stat");
    }
  }
  if (new Set(queries.map(({ id }) => id)).size < queries.length) {
    refuse(
      "metricQueries.id",
      queries.map(({ id }) => id),
      "different in each",
    );
  }
  const returning = queries.filter(({ returnData }) => returnData);
  if (returning.length !== 1) refuse("metricQueries.returnData", returning.length, "true in exactly one");
}

function checkActions(name: string, inputs: Properties): void {
  for (const key of ["alarmActions", "okActions", "insufficientDataActions"]) {
    const actions = (inputs[key] ?? []) as unknown[];
    const bad = actions.length > 5 ? actions : actions.find((action) => !String(action).startsWith("arn:"));
    if (bad !== undefined) refusal(`alarm ${name}`, "ValidationError")(key, bad, "at most five ARNs");
  }
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 1;
}
