/** The result of disconnecting a user. A file of its own, since its types are published without those of the functions. */
export interface DisconnectedUser {
  connectionsClosed: number;
  sessionsCleared: number;
  /** Epoch seconds; only if the user was blocked. */
  blockedUntil?: number;
}
