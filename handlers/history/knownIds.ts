import { sessionId, type SessionKey } from "../sessions/sessionKey";
import type { Segment } from "./history";
import { WRITE_UNIT_BYTES } from "./itemSize";
import { hashOfId, newestIn } from "./recentIds";
import { WORKER_LIFE_MS } from "./retention";
import { lastSeqOf } from "./segment";

/** Per session; beyond that, what is older than the last segment is read again where it is needed. */
const MAX_IDS = 5_000;

/** Half of the time is left for the append that begins with it. */
const MAX_TAIL_AGE_MS = WORKER_LIFE_MS / 2;

/** Of the messages of a tail that is kept in memory, in characters: there may be a thousand. */
const MAX_TAIL_LENGTH = 16_384;

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
  private stored: StoredTail | undefined;

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

  /**
   * The segment that the last append has stored, once, if that was so recently that an append may begin with it instead of
   * reading the session's last segment. If another one follows it by now, the put at the next number finds out.
   */
  takeTail(nowMs: number): StoredTail | undefined {
    const { stored } = this;
    this.stored = undefined;
    return stored && nowMs - stored.atMs <= MAX_TAIL_AGE_MS ? stored : undefined;
  }

  /** @param atMs When the put began. */
  storedTail(segment: Segment, atMs: number): void {
    const length = segment.messages.reduce((sum, { body, attributes }) => {
      return sum + body.length + (attributes ? JSON.stringify(attributes).length : 0);
    }, 0);
    if (length > MAX_TAIL_LENGTH) return;
    // No item has room for more: it would only grow from segment to segment.
    this.stored = { segment: { ...segment, recent: newestIn(WRITE_UNIT_BYTES, segment.recent) }, atMs };
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

/** A segment that this environment has stored. */
export interface StoredTail {
  segment: Segment;
  /** Epoch milliseconds. */
  atMs: number;
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
