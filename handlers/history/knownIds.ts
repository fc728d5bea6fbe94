import { sessionId, type SessionKey } from "../sessions/sessionKey";
import type { Segment } from "./history";
import { hashOfId } from "./recentIds";
import { lastSeqOf } from "./segment";

/** Per session; beyond that, what is older than the last segment is read again where it is needed. */
const MAX_IDS = 5_000;

/**
 * The ids of a session's newest messages, as hashes, from what was read of its segments. It stays true while the log grows,
 * since a number keeps its message: so it is carried from one append to the next, however much later.
 */
export class KnownIds {
  private readonly seqs = new Map<number, number[]>();
  private epoch: string | undefined;
  private firstSeq = Infinity;
  private lastSeq = -Infinity;
  private coveredFromMs = Infinity;

  get size(): number {
    return this.seqs.size;
  }

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

  /** Adds the ids of the session's last segment and those that it carries. */
  addTail(tail: Segment): void {
    const lastSeq = lastSeqOf(tail);
    const startSeq = tail.first - tail.recent.groups.reduce((sum, { hashes }) => sum + hashes.length, 0);
    // A log that has been deleted wholly begins again, in another epoch.
    const isSameLog = tail.epoch === this.epoch && lastSeq >= this.lastSeq;
    if (!isSameLog || startSeq > this.lastSeq + 1 || this.size > MAX_IDS) this.clear();
    this.epoch = tail.epoch;
    this.add(tail);
  }

  /** Adds the ids of the segment with the number `before`, or of the last one before it that was not deleted. */
  addEarlier(segment: Segment): void {
    this.add(segment);
  }

  /** Adds that no other message was stored since then. */
  coverFrom(ms: number): void {
    this.coveredFromMs = Math.min(this.coveredFromMs, ms);
  }

  private add({ first, count, recent, messages }: Segment): void {
    const hashes = [...recent.groups.flatMap((group) => group.hashes), ...messages.map(({ id }) => hashOfId(id))];
    const startSeq = first + messages.length - hashes.length;
    hashes.forEach((hash, i) => {
      const seq = startSeq + i;
      if (seq >= this.firstSeq && seq <= this.lastSeq) return;
      this.seqs.set(
        hash,
        [...(this.seqs.get(hash) ?? []), seq].sort((a, b) => a - b),
      );
    });
    this.firstSeq = Math.min(this.firstSeq, startSeq);
    this.lastSeq = Math.max(this.lastSeq, lastSeqOf({ first, count }));
    this.coverFrom(recent.coveredFromMs);
  }

  private clear(): void {
    this.seqs.clear();
    this.firstSeq = Infinity;
    this.lastSeq = -Infinity;
    this.coveredFromMs = Infinity;
  }
}

/** The known ids of the sessions that an environment last stored messages of, so that a stream of them is not read back again and again. */
export class KnownSessions {
  private readonly sessions = new Map<string, KnownIds>();

  constructor(private readonly max = { sessions: 1_000, ids: 50_000 }) {}

  of(key: SessionKey): KnownIds {
    const id = sessionId(key);
    const known = this.sessions.get(id) ?? new KnownIds();
    // The last one used is the last one in the map.
    this.sessions.delete(id);
    this.evict();
    this.sessions.set(id, known);
    return known;
  }

  private evict(): void {
    let ids = 0;
    for (const { size } of this.sessions.values()) ids += size;
    for (const [id, { size }] of this.sessions) {
      if (this.sessions.size < this.max.sessions && ids <= this.max.ids) return;
      this.sessions.delete(id);
      ids -= size;
    }
  }
}
