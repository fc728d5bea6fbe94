/** In USD: on demand, without any free tier, discount or tax. Other regions cost up to twice as much. */
export interface Prices {
  region: string;
  /** When they were looked up. */
  asOf: string;
  apiGateway: { perMillionMessages: number; perMillionConnectionMinutes: number; perMillionHttpRequests: number };
  sns: {
    perMillionPublishes: number;
    fifo: {
      perMillionPublishes: number;
      perGbPublished: number;
      perMillionDeliveries: number;
      perGbDelivered: number;
    };
  };
  sqs: { perMillionRequests: number; perMillionFairRequests: number; perMillionFifoRequests: number };
  lambda: { perMillionRequests: number; perGbSecond: number };
  dynamodb: { perMillionWriteUnits: number; perMillionReadUnits: number; perGbMonth: number };
  cloudwatch: { perGbOfLogs: number; perMetric: number; perAlarm: number; perDashboard: number };
  /** Other services, for the comparison. */
  appSyncEvents: { perMillionOperations: number; perMillionConnectionMinutes: number };
  iotCore: { perMillionMessages: number; perMillionConnectionMinutes: number };
}

export const PRICES: Prices = {
  region: "us-east-1",
  asOf: "2026-11-25",
  // https://aws.amazon.com/api-gateway/pricing/, first tier
  apiGateway: { perMillionMessages: 1, perMillionConnectionMinutes: 0.25, perMillionHttpRequests: 1 },
  // https://aws.amazon.com/sns/pricing/; deliveries to SQS are free, except for FIFO topics
  sns: {
    perMillionPublishes: 0.5,
    fifo: { perMillionPublishes: 0.3, perGbPublished: 0.017, perMillionDeliveries: 0.01, perGbDelivered: 0.001 },
  },
  // https://aws.amazon.com/sqs/pricing/, first tier; the surcharge of fair queues from https://cloudburn.io/blog/amazon-sqs-pricing
  sqs: { perMillionRequests: 0.4, perMillionFairRequests: 0.1, perMillionFifoRequests: 0.5 },
  // https://aws.amazon.com/lambda/pricing/, arm64, first tier
  lambda: { perMillionRequests: 0.2, perGbSecond: 0.0000133334 },
  // https://aws.amazon.com/dynamodb/pricing/on-demand/, the standard table class
  dynamodb: { perMillionWriteUnits: 0.625, perMillionReadUnits: 0.125, perGbMonth: 0.25 },
  // https://aws.amazon.com/cloudwatch/pricing/, first tiers
  cloudwatch: { perGbOfLogs: 0.5, perMetric: 0.3, perAlarm: 0.1, perDashboard: 3 },
  // https://aws.amazon.com/appsync/pricing/, Events. The price of operations is also in a copy of AWS's price list:
  // https://huggingface.co/datasets/labofsahil/aws-pricing-dataset/blob/main/AWSAppSync.csv, EU-EventAPI-Operation
  appSyncEvents: { perMillionOperations: 1, perMillionConnectionMinutes: 0.08 },
  // https://aws.amazon.com/iot-core/pricing/, first tier
  iotCore: { perMillionMessages: 1, perMillionConnectionMinutes: 0.08 },
};
