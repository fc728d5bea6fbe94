import type { Item } from "../tableClient";
import { SESSION_ATTRIBUTES } from "./sessionItems";
import type { SessionKey } from "./sessionKey";

const USER_PREFIX = "user#";

/**
 * As long as `user#`: a marker's keys then stay within DynamoDB's limits, as its session's do. A partition of their own, so
 * that finding a user's connections reads no markers.
 */
const MARKER_PREFIX = "seen#";

/** The key of a session's marker: the session's own, in the user's partition of markers. */
export function markerItemKey({ callerId, context }: SessionKey): SessionKey {
  return { callerId: MARKER_PREFIX + callerId.slice(USER_PREFIX.length), context };
}

/** The session of a marker. */
export function markedSession({ callerId, context }: SessionKey): SessionKey {
  return { callerId: USER_PREFIX + callerId.slice(MARKER_PREFIX.length), context };
}

/** The attributes of a marker: the table's TTL deletes it when it has ended. */
export function markerAttributes(until: number): Item {
  return { [SESSION_ATTRIBUTES.expirationDate]: { N: String(until) } };
}

/** Epoch seconds until which the session counts as connected. */
export function markedUntilOf(item: Item | undefined): number | undefined {
  const until = item?.[SESSION_ATTRIBUTES.expirationDate]?.N;
  return until === undefined ? undefined : Number(until);
}
