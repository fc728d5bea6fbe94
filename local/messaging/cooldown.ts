/** Remembers keys for a fixed time, e.g. recently purged queues. */
export class Cooldown {
  /** By key, oldest first. */
  private readonly startedAtMs = new Map<string, number>();

  constructor(private readonly lastsMs: number) {}

  start(key: string): void {
    this.forgetOver();
    this.startedAtMs.delete(key);
    this.startedAtMs.set(key, Date.now());
  }

  isRunning(key: string): boolean {
    this.forgetOver();
    return this.startedAtMs.has(key);
  }

  private forgetOver(): void {
    for (const [key, startedAtMs] of this.startedAtMs) {
      if (startedAtMs > Date.now() - this.lastsMs) return;
      this.startedAtMs.delete(key);
    }
  }
}
