/** What was done to disconnect a user. In a file of its own, since its types are published without those of the functions. */
export interface DisconnectedUser {
  connectionsClosed: number;
  sessionsCleared: number;
  /** Epoch seconds; only where the user was blocked. */
  blockedUntil?: number;
}
