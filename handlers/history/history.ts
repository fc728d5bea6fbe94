import type { SQSMessageAttributes } from "aws-lambda";
import type { Cursor } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";

/** A message in a session's history: from then on it has its number. */
export interface Entry extends Cursor {
  messageId: string;
  /** Undefined where the message has expired: its number stays. */
  body: string | undefined;
  /** When it was stored, in epoch milliseconds. Never less than its predecessor's: what is expired is a prefix. */
  storedAtMs: number;
  /** From when on it is not delivered any more, in epoch milliseconds; undefined where the publisher set no limit. */
  expiresAtMs: number | undefined;
  /** The publisher's attributes beside ours, for a dead letter. */
  attributes: SQSMessageAttributes;
}

/** An entry without what makes it large. */
export type EntryHead = Omit<Entry, "body" | "attributes">;

/** Which number a message was given: it has it once an entry with its id stands there. */
export interface Claim {
  seq: number;
  claimedAtMs: number;
}

/** Where a number stands, and whose: what the index by expiry finds. */
export interface EntryKey {
  key: SessionKey;
  seq: number;
}

/**
 * What was published to each session, numbered, in a table of its own. Every method is one call to the service (a paged one
 * goes on where it says so), so that a crash between any two can be thought through. All reads are consistent, but for
 * `findExpired`.
 */
export interface History {
  /** The newest number of the session, whatever its age; undefined where it never had one. */
  readTail(key: SessionKey, signal?: AbortSignal): Promise<EntryHead | undefined>;
  /** Claims `claim.seq` for the message, unless it has a claim that is not older than `voidBeforeMs`. */
  claim(
    key: SessionKey,
    messageId: string,
    claim: Claim,
    voidBeforeMs: number,
    signal?: AbortSignal,
  ): Promise<"claimed" | "taken">;
  readClaim(key: SessionKey, messageId: string, signal?: AbortSignal): Promise<Claim | undefined>;
  /** Moves the message's claim, if it is still at `from`. */
  moveClaim(
    key: SessionKey,
    messageId: string,
    from: number,
    to: Claim,
    signal?: AbortSignal,
  ): Promise<"moved" | "lost">;
  /** Stores the entry, if its number is free. */
  put(key: SessionKey, entry: Entry, signal?: AbortSignal): Promise<"stored" | "taken">;
  readEntry(key: SessionKey, seq: number, signal?: AbortSignal): Promise<Entry | undefined>;
  /**
   * Entries after `afterSeq` in order, as many as one answer of the service holds (1 MB), at most `limit`. Not one moment's:
   * a number may be missing whose successor is there.
   */
  readAfter(key: SessionKey, afterSeq: number, limit: number, signal?: AbortSignal): Promise<Entry[]>;
  /** The first number that was stored after `storedAfterMs`; goes on over what was stored before. */
  readOldest(key: SessionKey, storedAfterMs: number, signal?: AbortSignal): Promise<EntryHead | undefined>;
  /** What the session's clients have acknowledged. */
  readAcknowledged(key: SessionKey, signal?: AbortSignal): Promise<Cursor | undefined>;
  /** Moves what is acknowledged forward; `stale` where it is as far already, in the same epoch. */
  acknowledge(key: SessionKey, cursor: Cursor, signal?: AbortSignal): Promise<"acknowledged" | "stale">;
  /** Keys of entries that the index says are due at `nowMs`, a page at a time. The index lags. */
  findDue(shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<EntryKey[]>;
  /** Takes the body from an entry, and makes it due at `dueAtMs`; never again where that is undefined. */
  strip(key: SessionKey, seq: number, dueAtMs: number | undefined, signal?: AbortSignal): Promise<void>;
  /** Makes an entry due at another time. */
  postpone(key: SessionKey, seq: number, dueAtMs: number, signal?: AbortSignal): Promise<void>;
  delete(key: SessionKey, seq: number, signal?: AbortSignal): Promise<void>;
}
