import type { Item } from "../tableClient";
import { SESSION_ATTRIBUTES } from "./sessionItems";
import type { SessionKey } from "./sessionKey";

/** Epoch seconds until which a user's handshakes are refused. */
const BLOCKED_UNTIL = "blocked_until";

// A session's sort key begins with its context, which is not empty and has no #: it is never this one.
const BLOCK_CONTEXT = "#block";

export function blockItemKey(callerId: string): SessionKey {
  return { callerId, context: BLOCK_CONTEXT };
}

/** The attributes of a block: the table's TTL deletes it when it has passed. */
export function blockAttributes(until: number): Item {
  return { [BLOCKED_UNTIL]: { N: String(until) }, [SESSION_ATTRIBUTES.expirationDate]: { N: String(until) } };
}

/** Epoch seconds until which the user's handshakes are refused. */
export function blockOf(item: Item | undefined): number | undefined {
  const until = item?.[BLOCKED_UNTIL]?.N;
  return until === undefined ? undefined : Number(until);
}
