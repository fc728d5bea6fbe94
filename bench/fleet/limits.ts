import { gatewayRequestsOf, NEW_CONNECTIONS_PER_SECOND, LIMITS as QUOTAS, quotasOf } from "../../cli/capacity/quotas";

const region = "eu-west-1";
const gatewayRequests = gatewayRequestsOf(region);

/** The default quotas of an account in one region, and limits that no quota raises. */
export const LIMITS = {
  newConnectionsPerSecond: NEW_CONNECTIONS_PER_SECOND,
  requestsPerSecond: gatewayRequests.rate,
  requestsBurst: gatewayRequests.burst,
  concurrentExecutions: quotasOf(region, "standard").concurrentExecutions.byDefault,
  inFlight: QUOTAS.messagesInFlight,
  // Of each function: https://docs.aws.amazon.com/lambda/latest/dg/scaling-behavior.html
  newEnvironments: 1_000,
  newEnvironmentsSeconds: 10,
  // Of each partition: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
  writeUnitsPerSecond: 1_000,
  readUnitsPerSecond: 3_000,
  // A group is noisy above both: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
  noisyShare: 0.1,
  noisyInFlight: 30,
} as const;

/** Times that no document names. */
export const ASSUMED_MS = {
  /** A call to a table, within one Availability Zone. */
  table: 5,
  /** A POST to `@connections`. */
  post: 20,
  /** The poller's receive, and its deletion of what was delivered. */
  poll: 10,
  /** A client's round trip to the gateway. */
  network: 50,
  /** The start of an environment of `connect`. */
  coldStart: 500,
} as const;

/**
 * A bucket of tokens: a request that finds none is refused, and takes none.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-protect.html
 */
export class TokenBucket {
  private tokens: number;
  private atMs = 0;

  /** @param burst The most tokens that it holds; it begins full. */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
  ) {
    this.tokens = burst;
  }

  /** @param nowMs Not earlier than in the call before. */
  take(nowMs: number, count = 1): boolean {
    this.tokens = Math.min(this.burst, this.tokens + ((nowMs - this.atMs) / 1000) * this.perSecond);
    this.atMs = nowMs;
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }
}

/** The environments of a function: how many run, and how fast new ones start. */
export class Environments {
  /** The most that ran at one time. */
  peak = 0;
  private running = 0;
  private started = 0;
  private readonly starts = new TokenBucket(
    LIMITS.newEnvironments / LIMITS.newEnvironmentsSeconds,
    LIMITS.newEnvironments,
  );

  constructor(private readonly concurrentExecutions: number) {}

  /** Begins an invocation; `throttled` if no environment is left for it. */
  begin(nowMs: number): "warm" | "cold" | "throttled" {
    if (this.running >= this.concurrentExecutions) return "throttled";
    const isWarm = this.running < this.started;
    if (!isWarm && !this.starts.take(nowMs)) return "throttled";
    this.running++;
    this.started = Math.max(this.started, this.running);
    this.peak = Math.max(this.peak, this.running);
    return isWarm ? "warm" : "cold";
  }

  end(): void {
    this.running--;
  }
}
