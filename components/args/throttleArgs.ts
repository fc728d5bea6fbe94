/** How many requests of all clients together the gateway accepts for each route. The account's quotas apply as well. */
export interface ThrottleArgs {
  /**
   * Sustained rate of requests to each route without a limit of its own, 1 to 100,000 per second. @default 500, an account's
   * limit of new connections
   */
  throttlingRateLimit?: number;
  /** Requests to each route without a limit of its own that may arrive at the same time, 1 to 50,000. @default 500 */
  throttlingBurstLimit?: number;
  /**
   * Sustained rate of handshakes, 1 to 100,000 per second: at least clients divided by the seconds in which they are to be
   * back after all of them lost their connections. @default `throttlingRateLimit`
   */
  connectThrottlingRateLimit?: number;
  /** Handshakes that may arrive at the same time, 1 to 50,000. @default `throttlingBurstLimit` */
  connectThrottlingBurstLimit?: number;
  /**
   * Sustained rate of `resume` frames, 1 to 100,000 per second: one for each handshake of a protocol client, and one for each
   * further page of missed messages. Only in replay mode. @default the larger of `throttlingRateLimit` and
   * `connectThrottlingRateLimit`
   */
  resumeThrottlingRateLimit?: number;
  /**
   * `resume` frames that may arrive at the same time, 1 to 50,000. Only in replay mode. @default the larger of
   * `throttlingBurstLimit` and `connectThrottlingBurstLimit`
   */
  resumeThrottlingBurstLimit?: number;
  /**
   * Sustained rate of `ack` frames, 1 to 100,000 per second. With `receipts` or `deadLetterExpired`, a client that gets
   * messages sends one within five seconds. Only in replay mode. @default `throttlingRateLimit`
   */
  acknowledgeThrottlingRateLimit?: number;
  /** `ack` frames that may arrive at the same time, 1 to 50,000. Only in replay mode. @default `throttlingBurstLimit` */
  acknowledgeThrottlingBurstLimit?: number;
  /**
   * Sustained rate of requests to the HTTP API, 1 to 100,000 per second. Requires `httpRead`. Only in replay mode.
   * @default `throttlingRateLimit`
   */
  httpReadThrottlingRateLimit?: number;
  /**
   * Requests to the HTTP API that may arrive at the same time, 1 to 50,000. Requires `httpRead`. Only in replay mode.
   * @default `throttlingBurstLimit`
   */
  httpReadThrottlingBurstLimit?: number;
  /**
   * Sustained rate of heartbeats of all clients together, 1 to 100,000 per second: at least clients divided by the seconds
   * between two heartbeats. @default 2000, enough for 60,000 clients with a heartbeat every 30 s
   */
  pingThrottlingRateLimit?: number;
  /** Heartbeats that may arrive at the same time, 1 to 50,000. @default 4000 */
  pingThrottlingBurstLimit?: number;
}

/** The throttle arguments that follow others where they are not set. */
export type DerivedThrottle = Exclude<keyof ThrottleArgs, WithDefault>;

type WithDefault =
  "throttlingRateLimit" | "throttlingBurstLimit" | "pingThrottlingRateLimit" | "pingThrottlingBurstLimit";

/** Limits as a stage has them. It needs both: an omitted one is sent as 0, and every request is answered 429 (pulumi-aws#2363). */
export interface Throttle {
  throttlingRateLimit: number;
  throttlingBurstLimit: number;
}

/** The limits of each route, of frames without a route (`other`), and of the HTTP API. */
export type Throttles = Record<
  "connect" | "disconnect" | "resume" | "acknowledge" | "ping" | "other" | "httpRead",
  Throttle
>;

/** The limits of each route, where those that are not set follow others. */
export function resolveThrottles(args: ThrottleArgs & Required<Pick<ThrottleArgs, WithDefault>>): Throttles {
  const { throttlingRateLimit, throttlingBurstLimit, pingThrottlingRateLimit, pingThrottlingBurstLimit } = args;
  const other = { throttlingRateLimit, throttlingBurstLimit };
  const connect = throttle(args.connectThrottlingRateLimit, args.connectThrottlingBurstLimit, other);
  // A connection that opens also ends: a $disconnect that is refused would leave its session's row. And it resumes.
  const perConnection = larger(other, connect);
  return {
    connect,
    disconnect: perConnection,
    resume: throttle(args.resumeThrottlingRateLimit, args.resumeThrottlingBurstLimit, perConnection),
    acknowledge: throttle(args.acknowledgeThrottlingRateLimit, args.acknowledgeThrottlingBurstLimit, other),
    ping: { throttlingRateLimit: pingThrottlingRateLimit, throttlingBurstLimit: pingThrottlingBurstLimit },
    other,
    httpRead: throttle(args.httpReadThrottlingRateLimit, args.httpReadThrottlingBurstLimit, other),
  };
}

function throttle(
  rate: number | undefined,
  burst: number | undefined,
  { throttlingRateLimit, throttlingBurstLimit }: Throttle,
): Throttle {
  return { throttlingRateLimit: rate ?? throttlingRateLimit, throttlingBurstLimit: burst ?? throttlingBurstLimit };
}

function larger(one: Throttle, other: Throttle): Throttle {
  return {
    throttlingRateLimit: Math.max(one.throttlingRateLimit, other.throttlingRateLimit),
    throttlingBurstLimit: Math.max(one.throttlingBurstLimit, other.throttlingBurstLimit),
  };
}
