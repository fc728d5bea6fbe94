/** A route's limits as a stage gives them: requests a second, and how many at once. */
export interface RouteSettings {
  throttlingRateLimit?: number | null;
  throttlingBurstLimit?: number | null;
}

/** A token bucket: holds `burst` requests, and is refilled by `ratePerSecond`. */
export class TokenBucket {
  private tokens: number;
  private filledAtMs: number;

  constructor(
    private readonly ratePerSecond: number,
    private readonly burst: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    // A rate of 0 refuses from the first request on, whatever the burst.
    this.tokens = ratePerSecond > 0 ? burst : 0;
    this.filledAtMs = nowMs();
  }

  /** Takes one request out of the bucket; false if there is none left. */
  take(): boolean {
    const nowMs = this.nowMs();
    const refill = ((nowMs - this.filledAtMs) / 1000) * this.ratePerSecond;
    this.tokens = Math.min(this.burst, this.tokens + refill);
    this.filledAtMs = nowMs;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}

/** The limits of one stage: one bucket a route. A stage without settings is not limited. */
export class StageThrottle {
  private readonly buckets = new Map<string, TokenBucket>();

  constructor(
    private readonly defaults?: RouteSettings | null,
    private readonly perRoute: readonly (RouteSettings & { routeKey: string })[] = [],
    private readonly nowMs?: () => number,
  ) {}

  /** Whether one more request for `routeKey` is within the limits; counts it if so. */
  allows(routeKey: string): boolean {
    const settings = this.perRoute.find((route) => route.routeKey === routeKey) ?? this.defaults;
    if (!settings) return true;
    let bucket = this.buckets.get(routeKey);
    if (!bucket) {
      // The provider sends an omitted limit as 0, and AWS then answers every request with 429 (pulumi-aws#2363).
      bucket = new TokenBucket(settings.throttlingRateLimit ?? 0, settings.throttlingBurstLimit ?? 0, this.nowMs);
      this.buckets.set(routeKey, bucket);
    }
    return bucket.take();
  }
}
