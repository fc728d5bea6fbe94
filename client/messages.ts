import type { Cursor, Resumed } from "../protocol";

/** A message, in order and once; `id`, `epoch` and `seq` only from a relay that delivers by replay. */
export interface RelayMessage extends Partial<Cursor> {
  /** The backend's `messageId`; without one, the queue's. */
  id?: string;
  /** What was published. */
  body: string;
}

/** A message whose own `expiresAt` passed before it got here: there is nothing to show. */
export interface ExpiredMessage extends Cursor {
  id: string;
}

/** Messages are missing, and will not come any more. */
export interface Gap {
  /** They are older than the relay's history, or the history was lost (`epoch`), or set back (`ahead`). */
  lost: NonNullable<Resumed["lost"]>;
  /** What was there before them. Undefined where nothing was. */
  after?: Cursor;
  /** What comes after them: a number of `epoch`. For `expired` with `after`, the numbers in between are missing. */
  first: number;
  /** Undefined where the history is empty. */
  epoch?: string;
}

/** What is handed over to a callback, in order; `cursor` is what has been seen once that is done. */
export type Item = { cursor?: Cursor } & (
  { kind: "message"; value: RelayMessage } | { kind: "expired"; value: ExpiredMessage } | { kind: "gap"; value: Gap }
);
