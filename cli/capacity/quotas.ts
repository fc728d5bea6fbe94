/** A quota of an account in a region, as Service Quotas has it. */
export interface Quota {
  name: string;
  serviceCode: "apigateway" | "dynamodb" | "lambda" | "sns";
  quotaCode: string;
  /** An account's value unless AWS has raised it. */
  byDefault: number;
  unit: string;
  source: string;
}

export type QuotaName =
  "requests" | "newConnections" | "concurrentExecutions" | "publishedMessages" | "tableWrites" | "tableReads";

const apiGatewayPages = "https://docs.aws.amazon.com/apigateway/latest/developerguide";
const dynamoDbPage = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html";

/** The quotas that a relay uses up with its load, all of which AWS raises on request. */
export function quotasOf(region: string, ordering: "standard" | "strict"): Record<QuotaName, Quota> {
  return {
    requests: {
      name: "API Gateway: requests of all APIs, and posts to connections",
      serviceCode: "apigateway",
      quotaCode: "L-8A5B8E43",
      byDefault: gatewayRequestsOf(region).rate,
      unit: "per second",
      source: `${apiGatewayPages}/limits.html`,
    },
    newConnections: {
      name: "API Gateway: new WebSocket connections",
      serviceCode: "apigateway",
      quotaCode: "L-9ED1E49A",
      byDefault: NEW_CONNECTIONS_PER_SECOND,
      unit: "per second",
      source: `${apiGatewayPages}/apigateway-execution-service-websocket-limits-table.html`,
    },
    concurrentExecutions: {
      name: "Lambda: concurrent executions",
      serviceCode: "lambda",
      quotaCode: "L-B99A9384",
      // New accounts have far less.
      byDefault: 1_000,
      unit: "at one time",
      source: "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html",
    },
    publishedMessages: {
      name: "SNS: messages published",
      serviceCode: "sns",
      quotaCode: "L-F8E2BA85",
      byDefault: publishedMessagesOf(region, ordering),
      unit: "per second",
      source: "https://docs.aws.amazon.com/general/latest/gr/sns.html",
    },
    tableWrites: {
      name: "DynamoDB: write units of a table",
      serviceCode: "dynamodb",
      quotaCode: "L-AB614373",
      byDefault: 40_000,
      unit: "per second",
      source: dynamoDbPage,
    },
    tableReads: {
      name: "DynamoDB: read units of a table",
      serviceCode: "dynamodb",
      quotaCode: "L-CF0CBE56",
      byDefault: 40_000,
      unit: "per second",
      source: dynamoDbPage,
    },
  };
}

export const NEW_CONNECTIONS_PER_SECOND = 500;

/**
 * Limits of a service that Service Quotas does not raise.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput.html
 * https://docs.aws.amazon.com/general/latest/gr/sns.html
 */
export const LIMITS = {
  messagesInFlight: 120_000,
  maximumConcurrency: 1_000,
  newTable: { writeUnits: 4_000, readUnits: 12_000 },
  messagesPerFifoGroup: 300,
  /** Of an account. https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html#concurrency-vs-requests-per-second */
  invocationsPerConcurrentExecution: 10,
} as const;

/** Regions whose accounts get a quarter of the requests. */
const smallGatewayRegions = [
  "af-south-1",
  "ap-south-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ca-west-1",
  "eu-central-2",
  "eu-south-1",
  "eu-south-2",
  "il-central-1",
  "me-central-1",
  "mx-central-1",
];

/** Requests per second, and the burst that AWS derives from it. */
export function gatewayRequestsOf(region: string): { rate: number; burst: number } {
  return smallGatewayRegions.includes(region) ? { rate: 2_500, burst: 1_250 } : { rate: 10_000, burst: 5_000 };
}

const publishedMessages: Record<string, number> = {
  "us-east-1": 30_000,
  "us-west-2": 9_000,
  "eu-west-1": 9_000,
  ...Object.fromEntries(
    [
      "us-east-2",
      "us-west-1",
      "ap-south-1",
      "ap-northeast-1",
      "ap-northeast-2",
      "ap-southeast-1",
      "ap-southeast-2",
      "eu-central-1",
    ].map((region) => [region, 1_500]),
  ),
};

function publishedMessagesOf(region: string, ordering: "standard" | "strict"): number {
  const least = ordering === "strict" ? 3_000 : 300;
  return Math.max(publishedMessages[region] ?? 0, least);
}
