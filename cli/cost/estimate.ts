import { ASSUMED, INCREMENTS_KB, MINUTES_A_MONTH } from "./assumed";
import { FORMULAS } from "./formulas";
import { each, type LineItem, perMillion } from "./lineItem";
import { fifoItems, flushItems, historyItems, httpItems, receiptItems } from "./replayItems";
import type { Prices } from "./prices";
import { replayUsageOf } from "./replayUsage";
import { retryUsageOf } from "./retryUsage";
import type { Usage } from "./usage";
import type { Workload } from "./workload";

/** The parts of CloudWatch that cost the same with any traffic. */
export interface Monitoring {
  metrics: number;
  alarms: number;
  dashboards: number;
}

/** The settings that determine the parts of a bill. */
export type Mode = Pick<Workload, "delivery" | "ordering" | "receipts" | "rawClients">;

/** The usage of a month. */
export function usageOf(workload: Workload): Usage {
  return workload.delivery === "replay" ? replayUsageOf(workload) : retryUsageOf(workload);
}

/** The parts of a month's bill. */
export function lineItems(usage: Usage, mode: Mode, monitoring: Monitoring, prices: Prices): LineItem[] {
  const { apiGateway, sns, sqs, lambda, dynamodb, cloudwatch } = prices;
  const formulas = FORMULAS[mode.delivery];
  const strict = mode.ordering === "strict";
  const perMillionRequests = strict ? sqs.perMillionFifoRequests : sqs.perMillionRequests;
  const perMillionPublishes = strict ? sns.fifo.perMillionPublishes : sns.perMillionPublishes;
  const { deliveries, pings, connectionMinutes, publishes, queueRequests, idlePolls, replay } = usage;
  const perMinute = `${MINUTES_A_MONTH} minutes a month`;
  return [
    perMillion("API Gateway", "messages to clients", formulas.deliveries, deliveries, apiGateway.perMillionMessages),
    perMillion(
      "API Gateway",
      "pings and pongs",
      "connection minutes x 60 / heartbeat seconds x 2",
      pings,
      apiGateway.perMillionMessages,
    ),
    perMillion(
      "API Gateway",
      "connection minutes",
      `connections x ${perMinute}`,
      connectionMinutes,
      apiGateway.perMillionConnectionMinutes,
    ),
    perMillion(
      "SNS",
      "publishes",
      `messages / messages per publish x ceil(KB of them / ${INCREMENTS_KB.publish})`,
      publishes,
      perMillionPublishes,
    ),
    perMillion("SQS", "requests", formulas.queueRequests, queueRequests, perMillionRequests),
    ...(strict
      ? fifoItems(usage, prices)
      : [
          perMillion(
            "SQS",
            "fair queue",
            "the same requests, if messages have a group (the backend helper sets one)",
            queueRequests,
            sqs.perMillionFairRequests,
          ),
        ]),
    perMillion(
      "SQS",
      "idle polls",
      `${ASSUMED.idlePollsPerMinute} a minute x ${perMinute}`,
      idlePolls,
      perMillionRequests,
    ),
    ...(replay && mode.rawClients ? flushItems(replay, prices) : []),
    perMillion("Lambda", "invocations", formulas.invocations, usage.invocations, lambda.perMillionRequests),
    each("Lambda", "GB-seconds", formulas.gbSeconds, usage.gbSeconds, lambda.perGbSecond),
    perMillion("DynamoDB", "write units", formulas.writeUnits, usage.writeUnits, dynamodb.perMillionWriteUnits),
    perMillion("DynamoDB", "read units", formulas.readUnits, usage.readUnits, dynamodb.perMillionReadUnits),
    ...(replay ? historyItems(replay, prices) : []),
    ...(replay && replay.httpRequests > 0 ? httpItems(replay, prices) : []),
    ...(replay && mode.receipts ? receiptItems(replay, prices) : []),
    each("CloudWatch", "GB of logs", formulas.logGb, usage.logGb, cloudwatch.perGbOfLogs),
    each("CloudWatch", "metrics", "as given", monitoring.metrics, cloudwatch.perMetric),
    each("CloudWatch", "alarms", "as given", monitoring.alarms, cloudwatch.perAlarm),
    each("CloudWatch", "dashboards", "as given", monitoring.dashboards, cloudwatch.perDashboard),
  ];
}
