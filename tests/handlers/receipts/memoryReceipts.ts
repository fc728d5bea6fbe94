import type { Receipts } from "../../../handlers/receipts/receipts";
import type { Receipt } from "../../../protocol";
import { receipt } from "../../support/schemas";

/** Receipts in a list; `fails` makes publishing reject. */
export class MemoryReceipts implements Receipts {
  readonly published: Receipt[] = [];
  readonly calls: number[] = [];
  fails = false;

  constructor(readonly wanted = true) {}

  async publish(receipts: readonly Receipt[]): Promise<void> {
    this.calls.push(receipts.length);
    if (this.fails) throw new Error("publish fails");
    if (this.wanted) this.published.push(...receipts.map(receipt));
    return await Promise.resolve();
  }
}
