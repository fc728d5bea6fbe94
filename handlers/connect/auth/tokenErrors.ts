/** The keys to judge a token with cannot be fetched or used: the relay's fault, not the client's. */
export class SigningKeysError extends Error {
  override readonly name = "SigningKeysError";
}

/** A token that is not accepted; the message is for the log and quotes nothing of the token. */
export class RefusedTokenError extends Error {
  override readonly name = "RefusedTokenError";
}
