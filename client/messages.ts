import type { Cursor, Resumed } from "../protocol";

/** A message, in order and once. Only in replay mode it has `id`, `epoch` and `seq`. */
export interface RelayMessage extends Partial<Cursor> {
  /** The backend's `messageId`; without one, the retry queue's message ID. */
  id?: string;
  /** The text that the backend published. */
  body: string;
}

/** A message whose `expiresAt` passed before it arrived: it has no body. */
export interface ExpiredMessage extends Cursor {
  id: string;
}

/** Messages are missing, and will not arrive. */
export interface Gap {
  /** Why: they are older than the relay's history (`expired`), or the history was lost (`epoch`) or restored from a backup (`ahead`). */
  lost: NonNullable<Resumed["lost"]>;
  /** The last message before the gap. Undefined if there was none. */
  after?: Cursor;
  /** The first number after the gap, in `epoch`. For `expired` with `after`, the numbers in between are missing. */
  first: number;
  /** The epoch of `first`. Undefined if the history is empty. */
  epoch?: string;
}

/** What a callback is called with, in order; `cursor` is the position once it is handled. */
export type Item = { cursor?: Cursor } & (
  | { callback: "onMessage"; value: RelayMessage }
  | { callback: "onExpired"; value: ExpiredMessage }
  | { callback: "onGap"; value: Gap }
);
