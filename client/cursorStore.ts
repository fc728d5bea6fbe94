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
 * Keeps the cursor in `localStorage` or its like.
 *
 * @param key Has to differ by user, context and contextId: a cursor of another session is reported as a gap.
 */
export function webStorageCursorStore(storage: WebStorage, key: string): CursorStore {
  return {
    get: () => JSON.parse(storage.getItem(key) ?? "null") as Cursor | null,
    set: (cursor) => storage.setItem(key, JSON.stringify(cursor)),
  };
}

export function isCursor(value: unknown): value is Cursor {
  const { epoch, seq } = (value ?? {}) as Partial<Cursor>;
  return typeof epoch === "string" && Number.isSafeInteger(seq) && (seq as number) > 0;
}
