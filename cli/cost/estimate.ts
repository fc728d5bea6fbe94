import type { Prices } from "./prices";
import { ASSUMED, INCREMENTS_KB, MINUTES_A_MONTH, type Usage } from "./usage";

/** What a part of the bill is: `count` / `per` x `usd` each. */
export interface LineItem {
  service: string;
  what: string;
  /** How `count` is come by. */
  formula: string;
  count: number;
  price: number;
  /** What the price is for: one, or a million. */
  per: 1 | 1_000_000;
  usd: number;
}

/** What CloudWatch keeps, whatever the traffic. */
export interface Monitoring {
  metrics: number;
  alarms: number;
  dashboards: number;
}

/** The parts of a month's bill. */
export function lineItems(usage: Usage, monitoring: Monitoring, prices: Prices): LineItem[] {
  const { apiGateway, sns, sqs, lambda, dynamodb, cloudwatch } = prices;
  const { delivery, publish, queueRequest } = INCREMENTS_KB;
  const { memoryGb, connectSeconds, disconnectSeconds, deliverSeconds } = ASSUMED;
  const million = 1_000_000;
  const item = (
    service: string,
    what: string,
    formula: string,
    count: number,
    price: number,
    per: LineItem["per"] = 1,
  ): LineItem => ({ service, what, formula, count, price, per, usd: (count / per) * price });

  return [
    item(
      "API Gateway",
      "messages to clients",
      `delivered messages x ceil(KB / ${delivery})`,
      usage.deliveries,
      apiGateway.perMillionMessages,
      million,
    ),
    item(
      "API Gateway",
      "pings and pongs",
      "connection minutes x pings a minute x 2",
      usage.pings,
      apiGateway.perMillionMessages,
      million,
    ),
    item(
      "API Gateway",
      "connection minutes",
      `connections x ${MINUTES_A_MONTH} minutes a month`,
      usage.connectionMinutes,
      apiGateway.perMillionConnectionMinutes,
      million,
    ),
    item("SNS", "publishes", `messages x ceil(KB / ${publish})`, usage.publishes, sns.perMillionPublishes, million),
    item(
      "SQS",
      "requests",
      `(messages + dead letters) x ceil(KB / ${queueRequest}) + batches x (1 + ceil(KB of a batch / ${queueRequest}))`,
      usage.queueRequests,
      sqs.perMillionRequests,
      million,
    ),
    item(
      "SQS",
      "fair queue",
      "the same requests, where messages have a group (the helper's have)",
      usage.queueRequests,
      sqs.perMillionFairRequests,
      million,
    ),
    item(
      "SQS",
      "idle polls",
      `${ASSUMED.idlePollsPerMinute} a minute x ${MINUTES_A_MONTH} minutes a month`,
      usage.idlePolls,
      sqs.perMillionRequests,
      million,
    ),
    item(
      "Lambda",
      "invocations",
      "attempts / batch size + connections opened x 2",
      usage.invocations,
      lambda.perMillionRequests,
      million,
    ),
    item(
      "Lambda",
      "GB-seconds",
      `${memoryGb} GB x (batches x ${deliverSeconds} s + opened x ${connectSeconds} s + opened x ${disconnectSeconds} s)`,
      usage.gbSeconds,
      lambda.perGbSecond,
    ),
    item(
      "DynamoDB",
      "write units",
      `connections opened x ${ASSUMED.writeUnitsPerConnection}`,
      usage.writeUnits,
      dynamodb.perMillionWriteUnits,
      million,
    ),
    item(
      "DynamoDB",
      "read units",
      `attempts + connections opened x ${ASSUMED.readUnitsPerConnection}`,
      usage.readUnits,
      dynamodb.perMillionReadUnits,
      million,
    ),
    item(
      "CloudWatch",
      "GB of logs",
      `invocations x ${ASSUMED.logKbPerInvocation} KB + attempts x ${ASSUMED.logKbPerAttempt} KB`,
      usage.logGb,
      cloudwatch.perGbOfLogs,
    ),
    item("CloudWatch", "metrics", "as given", monitoring.metrics, cloudwatch.perMetric),
    item("CloudWatch", "alarms", "as given", monitoring.alarms, cloudwatch.perAlarm),
    item("CloudWatch", "dashboards", "as given", monitoring.dashboards, cloudwatch.perDashboard),
  ];
}

export function totalUsd(items: readonly LineItem[]): number {
  return items.reduce((sum, { usd }) => sum + usd, 0);
}
