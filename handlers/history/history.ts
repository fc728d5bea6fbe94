import type { SQSMessageAttributes } from "aws-lambda";
import type { Cursor } from "../../protocol";
import type { SessionKey } from "../sessions/sessionKey";

/** A message in a session's history, with its number. */
export interface Entry extends Cursor {
  messageId: string;
  /** Undefined if the message has expired: its number is kept. */
  body: string | undefined;
  /** When it was stored, in epoch milliseconds. Never before its predecessor: the expired entries are a prefix. */
  storedAtMs: number;
  /** When it expires, in epoch milliseconds; undefined if the publisher set no limit. */
  expiresAtMs: number | undefined;
  /** The publisher's other attributes, for a dead letter. */
  attributes: SQSMessageAttributes;
}

/** An entry without its body and attributes. */
export type EntryHead = Omit<Entry, "body" | "attributes">;

/** The number intended for a message: the message has it once an entry with its id is stored under it. */
export interface Claim {
  seq: number;
  claimedAtMs: number;
}

/** A session and one of its numbers, as the expiry index returns them. */
export interface EntryKey {
  key: SessionKey;
  seq: number;
}

/**
 * The messages published to each session, numbered. Every method is one call to the service, paged where stated, so that
 * crashes between two calls can be reasoned about. All reads except `findDue` are consistent.
 */
export interface History {
  /** The newest entry of the session, whatever its age; undefined if it never had one. */
  readTail(key: SessionKey, signal?: AbortSignal): Promise<EntryHead | undefined>;
  /** Claims `claim.seq` for the message, unless it has a claim from `voidBeforeMs` or later. */
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
   * Entries after `afterSeq` in order, as many as one response of the service holds (1 MB), at most `limit`. Not a snapshot:
   * a number may be missing although its successor is present.
   */
  readAfter(key: SessionKey, afterSeq: number, limit: number, signal?: AbortSignal): Promise<Entry[]>;
  /** The first entry that was stored after `storedAfterMs`; pages over earlier ones. */
  readOldest(key: SessionKey, storedAfterMs: number, signal?: AbortSignal): Promise<EntryHead | undefined>;
  /** The cursor that the session's clients have acknowledged. */
  readAcknowledged(key: SessionKey, signal?: AbortSignal): Promise<Cursor | undefined>;
  /** Moves the acknowledged cursor forward; `stale` if it is already as far, in the same epoch. */
  acknowledge(key: SessionKey, cursor: Cursor, signal?: AbortSignal): Promise<"acknowledged" | "stale">;
  /** Keys of the entries that are due at `nowMs`, page by page. The index lags. */
  findDue(shard: string, nowMs: number, signal?: AbortSignal): AsyncGenerator<EntryKey[]>;
  /** Removes the body of an entry, and makes it due at `dueAtMs`; never again if that is undefined. */
  strip(key: SessionKey, seq: number, dueAtMs: number | undefined, signal?: AbortSignal): Promise<void>;
  /** Makes an entry due at another time. */
  postpone(key: SessionKey, seq: number, dueAtMs: number, signal?: AbortSignal): Promise<void>;
  delete(key: SessionKey, seq: number, signal?: AbortSignal): Promise<void>;
}
