import { type Clock, Timer } from "./clock";

/**
 * Detects a dead connection that no event reports: the network is gone, and sent frames are lost. After an idle time it sends a
 * ping, which the gateway itself answers.
 */
export class Heartbeat {
  private readonly timer: Timer;
  /** Whether a ping has not been answered yet. */
  asking = false;

  constructor(
    clock: Clock,
    private readonly intervalMs: number,
    private readonly timeoutMs: number,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {
    this.timer = new Timer(clock);
  }

  /** A frame arrived, or the connection has opened: it is alive. */
  alive(): void {
    this.asking = false;
    this.timer.set(this.intervalMs, () => this.ask());
  }

  /** Sends a ping now. */
  ask(): void {
    if (this.asking) return;
    this.asking = true;
    this.timer.set(this.timeoutMs, this.dead);
    this.ping();
  }

  stop(): void {
    this.timer.clear();
  }
}
