import { ASSUMED, MINUTES_A_MONTH } from "./assumed";
import { REPLAY_FORMULAS } from "./formulas";
import { each, type LineItem, perMillion } from "./lineItem";
import type { Prices } from "./prices";
import type { ReplayUsage, Usage } from "./usage";

/** The costs of the history and of frames from clients. */
export function historyItems(replay: ReplayUsage, { apiGateway, dynamodb }: Prices): LineItem[] {
  const formulas = REPLAY_FORMULAS;
  return [
    perMillion(
      "API Gateway",
      "messages from clients",
      formulas.clientFrames,
      replay.clientFrames,
      apiGateway.perMillionMessages,
    ),
    perMillion(
      "DynamoDB",
      "history write units",
      formulas.historyWriteUnits,
      replay.historyWriteUnits,
      dynamodb.perMillionWriteUnits,
    ),
    perMillion(
      "DynamoDB",
      "history read units",
      formulas.historyReadUnits,
      replay.historyReadUnits,
      dynamodb.perMillionReadUnits,
    ),
    each("DynamoDB", "GB-months of history", formulas.historyGbMonths, replay.historyGbMonths, dynamodb.perGbMonth),
  ];
}

/** The costs of the queue of flush requests, which is a standard queue in either order. */
export function flushItems(replay: ReplayUsage, { sqs }: Prices): LineItem[] {
  return [
    perMillion("SQS", "flush requests", REPLAY_FORMULAS.flushRequests, replay.flushRequests, sqs.perMillionRequests),
    perMillion(
      "SQS",
      "idle polls for flush requests",
      `${ASSUMED.idlePollsPerMinute} a minute x ${MINUTES_A_MONTH} minutes a month`,
      replay.flushIdlePolls,
      sqs.perMillionRequests,
    ),
  ];
}

/** The costs of the HTTP API, without those of its function. */
export function httpItems(replay: ReplayUsage, { apiGateway }: Prices): LineItem[] {
  const { httpRequests } = REPLAY_FORMULAS;
  const { perMillionHttpRequests } = apiGateway;
  return [perMillion("API Gateway", "HTTP requests", httpRequests, replay.httpRequests, perMillionHttpRequests)];
}

/** The costs of the receipts topic, without those of its subscribers. */
export function receiptItems(replay: ReplayUsage, { sns }: Prices): LineItem[] {
  return [perMillion("SNS", "receipts", REPLAY_FORMULAS.receipts, replay.receipts, sns.perMillionPublishes)];
}

/** The costs of a FIFO topic besides its publishes: GB, and deliveries to the queue. */
export function fifoItems({ publishes, replay }: Usage, { sns: { fifo } }: Prices): LineItem[] {
  const gb = replay?.publishedGb ?? 0;
  return [
    each("SNS", "GB published (FIFO)", "messages x KB", gb, fifo.perGbPublished),
    perMillion("SNS", "deliveries to the queue (FIFO)", "as publishes", publishes, fifo.perMillionDeliveries),
    each("SNS", "GB delivered (FIFO)", "messages x KB", gb, fifo.perGbDelivered),
  ];
}
