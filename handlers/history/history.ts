import type { SQSMessageAttributes } from "aws-lambda";
import type { Cursor } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";
import type { RecentIds } from "./recentIds";

// Terms:
// - acknowledged: a client has sent a cursor at or after the message.
// - expired: past the retention, or past the message's own `expiresAt`.
// - reported: announced as expired in the log, the metrics, receipts and, if wanted, the dead-letter queue.
// - done: acknowledged or reported. An open message is neither.
// - waited: the cursor through which the receipts `waiting` of the open messages are published.
// - settled: the cursor through which every message is done.
// - ended: a segment past the retention and the report grace, so that its open messages are to be reported.
// - marked: a segment in the index by due time, and so one that brings the sweeper.
// - due: a marked segment whose `dueAtMs` has passed: the sweeper visits its session.
// - sealed: a segment that only keeps its numbers: its bodies, ids and TTL are removed.
// - endangered: a last segment whose TTL is so near that it may be deleted before its successor is stored.

/** A message as its segment stores it. */
export interface StoredMessage {
  /** The publisher's `messageId`, else the queue's id. */
  id: string;
  body: string;
  /** When it expires, in epoch milliseconds; absent if the publisher set no limit. */
  expiresAtMs?: number;
  /** The publisher's other attributes, for a dead letter; absent if there are none. */
  attributes?: SQSMessageAttributes;
}

/**
 * The messages of one session that one write stored: the unit of the history. Segments are numbered by their first message,
 * without holes: the next one begins at `first + count`, and a number exists once its body does.
 */
export interface Segment {
  /** The number of its first message, from 1. */
  first: number;
  count: number;
  /** Names the sequence. It changes where numbers might have been used before; the numbers go on. */
  epoch: string;
  /** The `historyGeneration` with which it was stored. */
  generation: number;
  /** Epoch milliseconds. Never before its predecessor's, nor before its messages were sent. */
  storedAtMs: number;
  /** When its messages expire, in epoch milliseconds. Never before its predecessor's. */
  untilMs: number;
  /** In order; empty once the segment is sealed. */
  messages: readonly StoredMessage[];
  /** Positions in `messages` of those that were reported as expired by their own `expiresAt`. */
  reported: readonly number[];
  /** The ids of the messages before this segment. */
  recent: RecentIds;
  /** When the session is next visited by the sweeper, in epoch milliseconds, as far as this segment knows. */
  dueAtMs: number | undefined;
  /**
   * A visit that another segment brings after `dueAtMs`, as far as this one knows. With it, a visit for receipts `waiting` need not
   * plan the one that reports and seals.
   */
  laterDueAtMs?: number;
  /** Whether this segment is in the index by due time, and so brings the sweeper. */
  isMarked: boolean;
  /** When DynamoDB may delete it, in epoch milliseconds. Never before its predecessor's. Undefined once it is sealed. */
  ttlMs: number | undefined;
  /** The epoch of the segment that follows, if it is another one. */
  nextEpoch?: string;
}

/** One message of a segment, with its number. */
export interface Entry extends Cursor {
  /** The `first` of its segment. */
  segmentFirst: number;
  messageId: string;
  /** Undefined if the message was reported as expired, or its segment is sealed: its number is kept. */
  body: string | undefined;
  /** As its segment's. */
  storedAtMs: number;
  /** As its segment's. */
  untilMs: number;
  /** When it expires by its publisher's wish, in epoch milliseconds; undefined if the publisher set no limit. */
  expiresAtMs: number | undefined;
  attributes: SQSMessageAttributes;
}

/** How far a session's messages are done with. */
export interface SessionCursor {
  /** What its clients have acknowledged. */
  acknowledged?: Cursor;
  /** Everything through here was acknowledged or reported. */
  settled?: Cursor;
  /** What the gateway has accepted for the session's raw clients, which cannot acknowledge: they get what comes after it. */
  accepted?: Cursor;
  /** What `accepted` has passed, and no raw client has got. */
  skipped?: Skipped;
  /** The receipts `waiting` are published through here. */
  waited?: Cursor;
  /** A lower bound of the first number that is available, so that a resume does not read through expired segments. */
  oldestSeq: number;
}

/**
 * Messages that were older than the session's raw connections while a client was connected that acknowledges. If it leaves without,
 * raw clients get them. Some of these numbers may be accepted or done.
 */
export interface Skipped {
  epoch: string;
  from: number;
  through: number;
}

/** The right to post to a session's raw clients: they cannot drop duplicates, so that only one invocation posts at a time. */
export interface RawLease {
  /** Names the invocation: unique. */
  owner: string;
  /** Epoch milliseconds. */
  untilMs: number;
}

/** A segment that brings the sweeper to its session. */
export interface DueSegment {
  key: SessionKey;
  first: number;
  dueAtMs: number;
}

/** The first message with an idempotency key. */
export interface KeyClaim {
  /** The queue's id of that message; of a redriven one, the first id. */
  owner: string;
  claimedAtMs: number;
}

/**
 * The messages published to each session. Every method is one call to the service, paged where stated, so that crashes between
 * two calls can be reasoned about. All reads except `findDue` are consistent. All changes of a segment have the condition that
 * it exists: otherwise a deleted one would come back, empty.
 */
export interface History {
  /** Segments whose `first` is at most `throughFirst`, the newest first: as many as one response holds (1 MB), at most `limit`. */
  readBack(key: SessionKey, throughFirst: number, limit: number, signal?: AbortSignal): Promise<Segment[]>;
  /**
   * Segments whose `first` is at least `fromFirst`, the oldest first: as many as one response holds, at most `limit`, and none
   * after the one whose bodies reach `maxCharacters`: a response may be many times as large once it is inflated.
   */
  readOn(
    key: SessionKey,
    fromFirst: number,
    limit: number,
    signal?: AbortSignal,
    maxCharacters?: number,
  ): Promise<Segment[]>;
  /**
   * Stores the segment if its first number is free. Of `recent`, keeps the newest ids that fit into the free rest of the item's
   * last KB.
   */
  put(key: SessionKey, segment: Segment, signal?: AbortSignal): Promise<"stored" | "taken">;
  /**
   * Gives a segment another TTL, the next segment another epoch, and itself a mark, each if given, if it exists and its TTL is as
   * in `seen`.
   */
  renew(
    key: SessionKey,
    seen: Segment,
    renewal: { ttlMs: number; nextEpoch?: string; dueAtMs?: number },
    signal?: AbortSignal,
  ): Promise<"renewed" | "changed">;
  /**
   * Removes bodies, ids and TTL of the session's last segment, whose messages have expired, if its TTL and its mark are as in
   * `seen`. It keeps its numbers and its mark.
   */
  seal(key: SessionKey, seen: Segment, signal?: AbortSignal): Promise<"sealed" | "changed">;
  /** Adds to `reported`, after which these messages count as having no body. */
  addReported(key: SessionKey, first: number, positions: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Sets `dueAtMs`, and puts the segment into the index, if its mark is as in `seen`: otherwise another visit has planned. */
  mark(key: SessionKey, seen: Segment, dueAtMs: number, signal?: AbortSignal): Promise<void>;
  /**
   * Takes the segment out of the index if its TTL and its mark are as in `seen`: a segment that was marked again or sealed
   * meanwhile is visited again. It keeps `dueAtMs`.
   */
  unmark(key: SessionKey, seen: Segment, signal?: AbortSignal): Promise<void>;
  delete(key: SessionKey, first: number, signal?: AbortSignal): Promise<void>;
  /** Segments of a shard that are due at `nowMs`, the most overdue first, page by page. The index lags. */
  findDue(shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<DueSegment[]>;

  readCursor(key: SessionKey, signal?: AbortSignal): Promise<SessionCursor>;
  /** Moves `acknowledged` forward; `stale` if it is already as far, in the same epoch. */
  acknowledge(key: SessionKey, cursor: Cursor, signal?: AbortSignal): Promise<"acknowledged" | "stale">;
  /**
   * Moves `settled` forward, unless it is already as far in the same epoch, and sets `oldestSeq` with it. Without `settled`, moves
   * `oldestSeq` forward. So a race may set `oldestSeq` back: it is still a lower bound.
   */
  settle(key: SessionKey, to: { settled?: Cursor; oldestSeq?: number }, signal?: AbortSignal): Promise<void>;

  /** Takes the lease unless another invocation has it at `nowMs`; the session's cursor is as of then. */
  leaseRaw(key: SessionKey, lease: RawLease, nowMs: number, signal?: AbortSignal): Promise<SessionCursor | "busy">;
  /**
   * Gives the lease back, and sets `accepted`, if given, and with it `skipped`, or removes that. With `acknowledges`, also sets
   * `acknowledged` to the same. `changed` if the lease is another invocation's by now, or if `acknowledged` is already as far in the
   * same epoch; nothing is changed then.
   */
  releaseRaw(
    key: SessionKey,
    owner: string,
    to: { accepted?: Cursor; skipped?: Skipped; acknowledges?: boolean },
    signal?: AbortSignal,
  ): Promise<"released" | "changed">;
  /** Moves `waited` forward, unless it is already as far in the same epoch. */
  moveWaited(key: SessionKey, waited: Cursor, signal?: AbortSignal): Promise<void>;

  /** Claims an idempotency key for `claim.owner`, unless it has a claim from `voidBeforeMs` or later. */
  claimKey(
    key: SessionKey,
    idempotencyKey: string,
    claim: KeyClaim,
    voidBeforeMs: number,
    signal?: AbortSignal,
  ): Promise<"claimed" | "taken">;
  readKeyClaim(key: SessionKey, idempotencyKey: string, signal?: AbortSignal): Promise<KeyClaim | undefined>;
}
