import type { Cursor } from "../protocol";

/** Keeps what has been handled over restarts of the page or app. One store belongs to one session: user, context and contextId. */
export interface CursorStore {
  /** Asked once, before the first connection. */
  get(): Cursor | null | undefined | PromiseLike<Cursor | null | undefined>;
  /** Called after each message; while one call is under way, only the newest cursor waits. */
  set(cursor: Cursor): void | PromiseLike<void>;
}

/** What `localStorage` and its like have. */
export interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/** Forgets with the client: a new one begins where the session was acknowledged last. */
export function memoryCursorStore(cursor?: Cursor): CursorStore {
  return {
    get: () => cursor,
    set: (newer) => {
      cursor = newer;
    },
  };
}

/**
 * Keeps the cursor in `localStorage` or its like. Where that is blocked or full, the client reports one error with the code
 * `store`, and the cursor is kept in memory.
 *
 * @param storage `() => localStorage`: where storage is blocked, naming `localStorage` throws, which only a function can catch.
 * @param key Has to differ by user, context and contextId: a cursor of another session is reported as a gap.
 */
export function webStorageCursorStore(storage: WebStorage | (() => WebStorage), key: string): CursorStore {
  const open = () => (typeof storage === "function" ? storage() : storage);
  let kept: Cursor | undefined;
  return {
    // This page's own first: the storage may be blocked, or may have been full.
    get: () => kept ?? (JSON.parse(open().getItem(key) ?? "null") as Cursor | null),
    set: (cursor) => {
      kept = cursor;
      open().setItem(key, JSON.stringify(cursor));
    },
  };
}

export function isCursor(value: unknown): value is Cursor {
  const { epoch, seq } = (value ?? {}) as Partial<Cursor>;
  return typeof epoch === "string" && Number.isSafeInteger(seq) && (seq as number) > 0;
}
