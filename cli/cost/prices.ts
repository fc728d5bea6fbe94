/** In USD: on demand, without any free tier, discount or tax. Other regions cost up to twice as much. */
export interface Prices {
  region: string;
  /** When they were looked up. */
  asOf: string;
  apiGateway: { perMillionMessages: number; perMillionConnectionMinutes: number };
  sns: { perMillionPublishes: number };
  sqs: { perMillionRequests: number; perMillionFairRequests: number };
  lambda: { perMillionRequests: number; perGbSecond: number };
  dynamodb: { perMillionWriteUnits: number; perMillionReadUnits: number };
  cloudwatch: { perGbOfLogs: number; perMetric: number; perAlarm: number; perDashboard: number };
}

export const PRICES: Prices = {
  region: "us-east-1",
  asOf: "2026-11-25",
  // https://aws.amazon.com/api-gateway/pricing/, first tier
  apiGateway: { perMillionMessages: 1, perMillionConnectionMinutes: 0.25 },
  // https://aws.amazon.com/sns/pricing/; handing over to SQS costs nothing here
  sns: { perMillionPublishes: 0.5 },
  // https://aws.amazon.com/sqs/pricing/, first tier; the fair queues' surcharge after https://cloudburn.io/blog/amazon-sqs-pricing
  sqs: { perMillionRequests: 0.4, perMillionFairRequests: 0.1 },
  // https://aws.amazon.com/lambda/pricing/, arm64, first tier
  lambda: { perMillionRequests: 0.2, perGbSecond: 0.0000133334 },
  // https://aws.amazon.com/dynamodb/pricing/on-demand/
  dynamodb: { perMillionWriteUnits: 0.625, perMillionReadUnits: 0.125 },
  // https://aws.amazon.com/cloudwatch/pricing/, first tiers
  cloudwatch: { perGbOfLogs: 0.5, perMetric: 0.3, perAlarm: 0.1, perDashboard: 3 },
};
