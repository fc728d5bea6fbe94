/** Why a handshake is refused: stable words, in logs and in the metric. */
export type RefusalReason =
  | "bad-request"
  | "no-credential"
  | "token-refused"
  | "ambiguous-cookie"
  | "origin-not-allowed"
  | "user-blocked"
  | "superseded"
  | "too-many-connections"
  | "internal-error";

/** The answer to a handshake that opens no connection. */
export interface Refusal {
  statusCode: 400 | 401 | 403 | 409 | 500;
  reason: RefusalReason;
  /** Sent to the client. */
  message: string;
  /** For the log. The client does not get it: an attacker could learn from it. */
  detail?: string;
}

export const refusals = {
  badRequest: (message: string): Refusal => ({ statusCode: 400, reason: "bad-request", message }),
  noCredential: (message: string): Refusal => ({ statusCode: 401, reason: "no-credential", message }),
  notAccepted: (detail: string): Refusal => ({
    statusCode: 401,
    reason: "token-refused",
    message: "the credential is not accepted",
    detail,
  }),
  ambiguousCookie: (cookieName: string, valid: number): Refusal => ({
    statusCode: 401,
    reason: "ambiguous-cookie",
    message: "the cookie has more than one valid token",
    detail: `${valid} different values of the cookie ${cookieName} are valid tokens: set it for one domain and path`,
  }),
  tooManyCookies: (cookieName: string, different: number): Refusal => ({
    statusCode: 401,
    reason: "ambiguous-cookie",
    message: "the cookie has too many different values",
    detail: `the cookie ${cookieName} has ${different} different values, and none is verified: set it for one domain and path`,
  }),
  originNotAllowed: (): Refusal => ({
    statusCode: 403,
    reason: "origin-not-allowed",
    message: "the origin is not allowed",
  }),
  userBlocked: (): Refusal => ({ statusCode: 403, reason: "user-blocked", message: "the user is blocked" }),
  superseded: (): Refusal => ({
    statusCode: 409,
    reason: "superseded",
    message: "a newer connection has this session",
  }),
  tooManyConnections: (): Refusal => ({
    statusCode: 409,
    reason: "too-many-connections",
    message: "the session has ten connections, and none of them can be superseded: close one",
  }),
  internalError: (): Refusal => ({
    statusCode: 500,
    reason: "internal-error",
    message: "the connection could not be checked or saved",
  }),
};
