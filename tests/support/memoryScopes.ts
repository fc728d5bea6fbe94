import type { PartialDeliveries } from "../../handlers/deliver/partialDeliveries";
import type { Scope, SessionKey } from "../../handlers/sessions/sessionKey";

/** The sessions of every scope: those of `keys` that are in it. */
export class MemoryScopes {
  readonly keys: SessionKey[] = [];
  readonly calls: string[] = [];
  fails = false;

  list({ callerId, context }: Scope, nowSeconds: number, limit: number): Promise<SessionKey[]> {
    this.calls.push(`${callerId} ${context ?? "*"} at ${nowSeconds}`);
    if (this.fails) return Promise.reject(new Error("list fails"));
    const found = this.keys.filter((key) => key.callerId === callerId && key.context.startsWith(`${context ?? ""}`));
    return Promise.resolve(found.slice(0, limit));
  }
}

/** Partial deliveries in a map. */
export class MemoryPartialDeliveries implements PartialDeliveries {
  readonly taken = new Map<string, Set<string>>();
  readonly expirationDates: number[] = [];
  readonly calls: string[] = [];
  readonly failing = new Set<string>();

  read(sqsMessageIds: readonly string[]): Promise<Map<string, ReadonlySet<string>>> {
    this.calls.push("read");
    if (this.failing.has("read")) return Promise.reject(new Error("read fails"));
    return Promise.resolve(new Map([...this.taken].filter(([id]) => sqsMessageIds.includes(id))));
  }

  add(sqsMessageId: string, connectionIds: readonly string[], expirationDate: number): Promise<void> {
    this.calls.push("add");
    if (this.failing.has("add")) return Promise.reject(new Error("add fails"));
    this.taken.set(sqsMessageId, new Set([...(this.taken.get(sqsMessageId) ?? []), ...connectionIds]));
    this.expirationDates.push(expirationDate);
    return Promise.resolve();
  }
}
