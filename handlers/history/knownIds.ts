import type { Segment } from "./history";
import { hashOfId } from "./recentIds";
import { lastSeqOf } from "./segment";

/**
 * The ids of a session's newest messages, as hashes, from what was read of its segments. It stays true while the log grows: a
 * number keeps its message.
 */
export class KnownIds {
  private readonly seqs = new Map<number, number[]>();
  private firstSeq = Infinity;
  private lastSeq = -Infinity;
  private coveredFromMs = Infinity;

  /** Where to read on, to know more: the number before those that are known. */
  get before(): number {
    return this.firstSeq - 1;
  }

  /** Whether all messages that were stored since then are known. */
  reaches(sinceMs: number): boolean {
    return this.coveredFromMs <= sinceMs;
  }

  /** The numbers of messages that may have this id, ascending. */
  candidates(id: string): readonly number[] {
    return this.seqs.get(hashOfId(id)) ?? [];
  }

  /** Adds a segment's ids and those before it: of the tail, or of the segment with the number `before`. */
  add({ first, count, recent, messages }: Segment): void {
    const hashes = [...recent.groups.flatMap((group) => group.hashes), ...messages.map(({ id }) => hashOfId(id))];
    const startSeq = first + messages.length - hashes.length;
    if (startSeq > this.lastSeq + 1) this.clear();
    hashes.forEach((hash, i) => {
      const seq = startSeq + i;
      if (seq >= this.firstSeq && seq <= this.lastSeq) return;
      const seqs = [...(this.seqs.get(hash) ?? []), seq].sort((a, b) => a - b);
      this.seqs.set(hash, seqs);
    });
    this.firstSeq = Math.min(this.firstSeq, startSeq);
    this.lastSeq = Math.max(this.lastSeq, lastSeqOf({ first, count }));
    this.coveredFromMs = Math.min(this.coveredFromMs, recent.coveredFromMs);
  }

  /** Adds that no other message was stored since then. */
  coverFrom(ms: number): void {
    this.coveredFromMs = Math.min(this.coveredFromMs, ms);
  }

  private clear(): void {
    this.seqs.clear();
    this.firstSeq = Infinity;
    this.lastSeq = -Infinity;
    this.coveredFromMs = Infinity;
  }
}
