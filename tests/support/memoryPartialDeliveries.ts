import type { PartialDeliveries } from "../../handlers/deliver/partialDeliveries";

/** Partial deliveries in a map; a method that is in `failing` rejects. */
export class MemoryPartialDeliveries implements PartialDeliveries {
  /** By the queue's ids of the messages. */
  readonly takenBy = new Map<string, Set<string>>();
  readonly calls: string[] = [];
  readonly expirationDates: number[] = [];
  readonly failing = new Set<"read" | "add">();

  read(sqsMessageIds: readonly string[]): Promise<Map<string, ReadonlySet<string>>> {
    return this.call("read", sqsMessageIds.join(), () => {
      const found = sqsMessageIds.map((id) => [id, this.takenBy.get(id)] as const);
      return new Map(found.flatMap(([id, taken]) => (taken ? [[id, taken] as const] : [])));
    });
  }

  add(sqsMessageId: string, connectionIds: readonly string[], expirationDate: number): Promise<void> {
    return this.call("add", `${sqsMessageId} ${connectionIds.join()}`, () => {
      this.takenBy.set(sqsMessageId, new Set([...(this.takenBy.get(sqsMessageId) ?? []), ...connectionIds]));
      this.expirationDates.push(expirationDate);
    });
  }

  private async call<T>(name: "read" | "add", of: string, work: () => T): Promise<T> {
    this.calls.push(`${name} ${of}`);
    if (this.failing.has(name)) throw new Error(`${name} fails`);
    return await Promise.resolve(work());
  }
}
