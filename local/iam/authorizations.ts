/** A call that was judged, as `GET {controlUrl}/authorizations` shows it. */
export interface Authorization {
  /** A role's session, an account's root, or a service. */
  principal: string;
  action: string;
  resource: string;
  context: Record<string, string>;
  decision: "allowed" | "denied";
  /** How many times, since the run began. */
  calls: number;
}

/** The most distinct calls that are kept: in a run of days, the oldest give way. */
const maxAuthorizations = 10_000;

/** The calls that were made, by whom, and whether they were allowed. */
export class Authorizations {
  private readonly byKey = new Map<string, Authorization>();

  /** @param key The same for calls that differ in nothing. */
  record(key: string, judged: Omit<Authorization, "calls">): void {
    const known = this.byKey.get(`${judged.decision} ${key}`);
    if (known) {
      known.calls += 1;
      return;
    }
    const [oldest] = this.byKey.keys();
    if (this.byKey.size >= maxAuthorizations && oldest !== undefined) this.byKey.delete(oldest);
    this.byKey.set(`${judged.decision} ${key}`, { ...judged, calls: 1 });
  }

  all(): Authorization[] {
    return [...this.byKey.values()];
  }
}
