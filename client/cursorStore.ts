import type { Cursor } from "../protocol";

/** A cursor as the client stores it. While a stream is open, the cursor is before the stream's first message, so that a restart begins with the whole stream. */
export interface StoredCursor extends Cursor {
  /** The messages after the cursor up to this number are handled, too, unless they are chunks of the streams in `open`. Absent if none are. */
  handled?: number;
  /** The IDs of the open streams. */
  open?: string[];
}

/** Keeps the cursor of the last handled message across restarts of the page or app. Each session (user, context, contextId) needs its own store. */
export interface CursorStore {
  /** Called once, before the first connection. */
  get(): StoredCursor | null | undefined | PromiseLike<StoredCursor | null | undefined>;
  /** Called after each message or piece of a stream; during a call, only the newest cursor waits. */
  set(cursor: StoredCursor): void | PromiseLike<void>;
}

/** The methods of `localStorage` and similar storage. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Keeps the cursor in memory: a new client starts after the last acknowledged message of the session. */
export function memoryCursorStore(cursor?: StoredCursor): CursorStore {
  return {
    get: () => cursor,
    set: (newer) => {
      cursor = newer;
    },
  };
}

/**
 * Keeps the cursor in `localStorage` or similar storage. If the storage is blocked or full, the client reports one error with
 * the code `store`, and the cursor is kept in memory.
 *
 * @param storage `() => localStorage`: if storage is blocked, access to `localStorage` throws, and only in a function can the
 * client catch that.
 * @param key Must be different for each user, context and contextId: a cursor of another session is reported as a gap.
 */
export function webStorageCursorStore(storage: WebStorage | (() => WebStorage), key: string): CursorStore {
  const open = () => (typeof storage === "function" ? storage() : storage);
  let kept: StoredCursor | undefined;
  return {
    // The cursor in memory first: the storage may be blocked, or may have been full.
    get: () => kept ?? (JSON.parse(open().getItem(key) ?? "null") as StoredCursor | null),
    set: (cursor) => {
      kept = cursor;
      open().setItem(key, JSON.stringify(cursor));
    },
  };
}

export function isCursor(value: unknown): value is Cursor {
  const { epoch, seq } = (value ?? {}) as Partial<Cursor>;
  return typeof epoch === "string" && Number.isSafeInteger(seq) && (seq as number) >= 0;
}
