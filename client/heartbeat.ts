import { type Clock, Timer } from "./clock";

/**
 * Finds out that a connection is dead although nothing says so: the network is gone, and what is sent into it is lost. After
 * some time without anything received it asks for a sign of life, which the gateway itself gives.
 */
export class Heartbeat {
  private readonly timer: Timer;
  /** Whether a ping is not answered yet. */
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

  /** Something came, or the connection has opened: it is alive. */
  alive(): void {
    this.asking = false;
    this.timer.set(this.intervalMs, () => this.ask());
  }

  /** Asks now. */
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
