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

/** Text of a stream, in order and once. */
export interface StreamPiece {
  /** The stream's ID, unique in its session. */
  id: string;
  /** The length of the stream's text before this piece, in UTF-16 code units, as JavaScript counts a string's length. */
  offset: number;
  /** All text that has arrived since the last piece. It may be empty if `status` is not `open`. */
  text: string;
  /**
   * `open`: more text follows. `closed`: the text is complete. `aborted`: the backend has given up. `timed-out`: nothing has
   * arrived for `streamTimeoutMs`, or a part is missing.
   */
  status: "open" | "closed" | "aborted" | "timed-out";
  /** Only if it is aborted: why, in the backend's words. */
  reason?: string;
}

/** What a callback is called with, in order; `cursor` is the position once it is handled, and `first` the first number that it covers. */
export type Item = { cursor?: Cursor; first?: number } & (
  | { callback: "onMessage"; value: RelayMessage }
  | { callback: "onExpired"; value: ExpiredMessage }
  | { callback: "onGap"; value: Gap }
  | { callback: "onStream"; value: StreamPiece }
);
