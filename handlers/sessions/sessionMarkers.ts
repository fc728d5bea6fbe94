import type { SessionKey } from "./sessionKey";

/** Which sessions a user has connected to: a message for all of them is stored in the history of each. */
export interface SessionMarkers {
  /** Until when the session counts as connected, in epoch seconds; undefined if it does not. Consistent. */
  markedUntil(key: SessionKey, signal?: AbortSignal): Promise<number | undefined>;
  /** The session counts as connected until then. */
  mark(key: SessionKey, until: number, signal?: AbortSignal): Promise<void>;
  /**
   * The user's sessions that count as connected at `nowSeconds`, all of them or those of one context; at most `limit`.
   * Consistent.
   */
  list(
    user: { callerId: string; context?: string },
    nowSeconds: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<SessionKey[]>;
}
