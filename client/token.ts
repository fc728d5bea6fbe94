import { BEARER_SUBPROTOCOL_PREFIX } from "../protocol";
import { RelayClientError } from "./relayClientError";

export interface Token {
  token: string;
  /** When the token expires, in epoch milliseconds: the connection is replaced before. @default only the two-hour limit counts */
  expiresAtMs?: number;
}

/** Returns the token. Called for each connection. */
export type TokenProvider = () => string | Token | PromiseLike<string | Token>;

// RFC 9110, 5.6.2: a browser's WebSocket throws if a subprotocol contains other characters. A JWT has only these.
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Its errors do not quote the provider's result, which may contain a token. */
export function checkToken(value: string | Token | undefined): Token {
  const { token, expiresAtMs } = typeof value === "string" ? { token: value } : (value ?? ({} as Partial<Token>));
  if (typeof token !== "string" || !TOKEN.test(token)) {
    const got = typeof token === "string" ? "a string with other characters" : typeof token;
    throw new RelayClientError(
      "token",
      `token: the provider returned ${got}; allowed: a string of RFC 9110 token characters, such as a JWT, or { token, expiresAtMs }. Fix: return one of them`,
    );
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    throw new RelayClientError(
      "token",
      `token: expiresAtMs is ${String(expiresAtMs)}; allowed: epoch milliseconds. Fix: return a number, or leave it out`,
    );
  }
  return { token, expiresAtMs };
}

export function bearerSubprotocol({ token }: Token): string {
  return BEARER_SUBPROTOCOL_PREFIX + token;
}
