import { BEARER_SUBPROTOCOL_PREFIX } from "../protocol";
import { RelayClientError } from "./relayClientError";

export interface Token {
  token: string;
  /** Epoch milliseconds: the connection is replaced before. @default it is replaced before the two-hour limit alone */
  expiresAtMs?: number;
}

/** Called anew for each connection. */
export type TokenProvider = () => string | Token | PromiseLike<string | Token>;

// RFC 9110, 5.6.2: for anything else in a subprotocol, a browser's WebSocket throws. Every JWT fits.
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** Says what a provider gave without quoting it: it might be a token. */
export function checkToken(value: string | Token | undefined): Token {
  const { token, expiresAtMs } = typeof value === "string" ? { token: value } : (value ?? ({} as Partial<Token>));
  if (typeof token !== "string" || !TOKEN.test(token)) {
    const got = typeof token === "string" ? "a text with other characters" : typeof token;
    throw new RelayClientError(
      "token",
      `token: the provider gave ${got}; allowed: what a WebSocket subprotocol may hold, as every JWT, or { token, expiresAtMs }`,
    );
  }
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs)) {
    throw new RelayClientError("token", `token: expiresAtMs is ${String(expiresAtMs)}; allowed are epoch milliseconds`);
  }
  return { token, expiresAtMs };
}

export function bearerSubprotocol({ token }: Token): string {
  return BEARER_SUBPROTOCOL_PREFIX + token;
}
