import { ASSUMED } from "../../cli/cost/assumed";
import { VirtualClock } from "../../tests/support/virtualClock";
import { ASSUMED_MS, Environments, LIMITS, TokenBucket } from "./limits";

export interface GatewayOptions {
  /**
   * Whether each handshake takes one of the account's requests before the quota of new connections refuses it. AWS's pages do not
   * say. If so, refused handshakes take requests from messages, heartbeats and deliveries.
   */
  countsRefused: boolean;
  /** Of `connect`, or of the account. */
  concurrentExecutions: number;
  /** Until then, in ms, every handshake is refused. */
  outageMs: number;
}

/** What API Gateway and Lambda let through. Times are ms since the fleet lost its connections, and never go back. */
export class FleetGateway {
  /** Handshakes in each minute since the outage. */
  readonly handshakesByMinute: number[] = [];
  readonly connect: Environments;
  private readonly connections = new TokenBucket(LIMITS.newConnectionsPerSecond, LIMITS.newConnectionsPerSecond);
  private readonly requests = new TokenBucket(LIMITS.requestsPerSecond, LIMITS.requestsBurst);
  /** Its timers are the ends of invocations of `connect`. */
  private readonly clock = new VirtualClock(0);

  constructor(private readonly options: GatewayOptions) {
    this.connect = new Environments(options.concurrentExecutions);
  }

  /** @returns how long `connect` takes, in ms; undefined if the handshake is refused. */
  handshake(nowMs: number): number | undefined {
    const { countsRefused, outageMs } = this.options;
    if (nowMs < outageMs) return undefined;
    const minute = Math.floor((nowMs - outageMs) / 60_000);
    this.handshakesByMinute[minute] = (this.handshakesByMinute[minute] ?? 0) + 1;
    if (countsRefused && !this.request(nowMs)) return undefined;
    if (!this.connections.take(nowMs)) return undefined;
    if (!countsRefused && !this.request(nowMs)) return undefined;
    const { clock, connect } = this;
    while ((clock.nextMs ?? Infinity) <= nowMs) clock.runNext();
    const began = connect.begin(nowMs);
    if (began === "throttled") return undefined;
    const durationMs = ASSUMED.connectSeconds * 1000 + (began === "cold" ? ASSUMED_MS.coldStart : 0);
    clock.setTimeout(() => connect.end(), nowMs + durationMs - clock.now());
    return durationMs;
  }

  /** A frame, or a POST to `@connections`. @returns whether it is let through */
  request(nowMs: number): boolean {
    return this.requests.take(nowMs);
  }
}
