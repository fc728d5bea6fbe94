import { Timer } from "./clock";
import type { Settings } from "./settings";

/** The first idle time before a ping in replay mode; it doubles with each answer. */
const FIRST_MS = 10_000;
/** The longest one: well below the gateway's idle timeout of ten minutes, since browsers delay the timers of hidden pages. */
const QUIET_MS = 330_000;
/** In retry mode, what is sent into a dead connection is lost, so the idle time does not grow. */
const RETRY_MS = 30_000;
/** The random part of an idle time: the pings of clients that connected at the same time do not stay together. */
const SPREAD = 0.3;

/**
 * Detects a dead connection that no event reports: the network is gone, and sent frames are lost. After an idle time it sends a
 * ping, which the gateway itself answers.
 */
export class Heartbeat {
  private readonly timer: Timer;
  /** An idle time that does not grow, exactly. */
  private fixedMs: number | undefined;
  /** The idle time before the next ping. */
  private waitMs = 0;
  /** Whether nothing has arrived since the last ping. */
  private isAsking = false;
  /** Number of pings that have not been answered: other frames show that the connection is alive, too. */
  pings = 0;

  constructor(
    private readonly settings: Settings,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.timer = new Timer(settings.clock);
  }

  /** The connection has opened. */
  start(isReplay: boolean): void {
    this.fixedMs = this.settings.heartbeatIntervalMs ?? (isReplay ? undefined : RETRY_MS);
    this.hurry();
  }

  /** Pings are frequent again for a while. */
  hurry(): void {
    const firstMs = this.fixedMs ?? FIRST_MS;
    // A request that is repeated must not put off the ping.
    if (this.waitMs === firstMs) return;
    this.waitMs = firstMs;
    if (!this.isAsking) this.alive();
  }

  /** Pings are rare from the next answer on. */
  calm(): void {
    this.waitMs = this.fixedMs ?? QUIET_MS;
  }

  /** Something suggests that the connection is dead: sends a ping now, and the next ones soon. */
  doubt(): void {
    this.hurry();
    if (!this.isAsking) this.ask();
  }

  /** A frame arrived. */
  alive(): void {
    this.isAsking = false;
    const spread = this.waitMs === this.fixedMs ? 0 : SPREAD * this.settings.random();
    this.timer.set(this.waitMs * (1 - spread), () => this.ask());
  }

  /** The frame was the answer to a ping. If it was throttled, the connection is alive, and the next ping is later. */
  answered(isThrottled?: boolean): void {
    const longestMs = Math.max(this.fixedMs ?? QUIET_MS, isThrottled ? QUIET_MS : 0);
    this.waitMs = Math.min(this.waitMs * (isThrottled ? 4 : 2), longestMs);
    if (this.pings > 0) this.pings--;
    this.alive();
  }

  stop(): void {
    this.timer.clear();
  }

  private ask(): void {
    this.isAsking = true;
    this.pings++;
    this.timer.set(this.settings.heartbeatTimeoutMs, this.dead);
    this.ping();
  }
}
