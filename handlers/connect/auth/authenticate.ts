import type { ClientRequest } from "../clientRequest";
import type { Refusal } from "../refusals";
import type { Jwks } from "./jwks";

/** Who may connect, as the component writes it to AUTH; null there means no authentication. */
export type AuthConfig = TokenAuthConfig | CallbackAuthConfig;

/** The issuer whose tokens are accepted, the cookie that may carry them, and the claim with the user's code. */
export type TokenAuthConfig = TokenVerifierConfig & CommonAuthConfig;

/** The issuer whose tokens are accepted, and how they are verified. */
export type TokenVerifierConfig = ({ cognito: CognitoConfig } | { oidc: OidcConfig }) & {
  /** The claim with the user's code: a non-empty string or a whole number. @default "sub" */
  userClaim?: string;
  /** Seconds by which the issuer's clock may differ, in `nbf` and `exp`; 0 to 300. @default 5 */
  clockToleranceSeconds?: number;
  /** Whether sessions end with their token; then `exp` gets no tolerance. @default false */
  endSessionWithToken?: boolean;
};

/** Tokens of an Amazon Cognito user pool, access or id. */
export interface CognitoConfig {
  userPoolId: string;
  /** The app clients whose tokens are accepted. */
  clientIds: string[];
}

/** Tokens of an OpenID Connect issuer. */
export interface OidcConfig {
  /** Compared with the claim `iss` exactly. */
  issuer: string;
  /** The value that `aud` must contain, or a list of which one is enough. Null skips `aud` and requires `authorizedParties`. */
  audience: string | string[] | null;
  /** The values that are allowed for the claim `azp`. Null skips the check. @default null; required if `audience` is null */
  authorizedParties?: string[] | null;
  /** Where the issuer's keys are. @default `{issuer}/.well-known/jwks.json` */
  jwksUri?: string;
  /** The issuer's keys. @default they are fetched from `jwksUri`, and kept */
  jwks?: Jwks;
}

/** The user's own callback decides: the archive contains it as authenticate.js. */
export type CallbackAuthConfig = { authenticate: true } & CommonAuthConfig;

interface CommonAuthConfig {
  cookieName: string;
  /** @default sessions outlive their token */
  endSessionWithToken?: boolean;
}

/** The user's code and when its proof expires, in epoch seconds; or why there is none. */
export type Authentication =
  | { user: string; expiresAt?: number; refused?: undefined }
  | { user?: undefined; expiresAt?: undefined; refused: Refusal };

/** Decides which user a handshake or an HTTP request is from, including whether the page's origin matters. */
export interface Authenticator {
  /** @throws if it cannot decide: the relay's fault, not the client's. */
  authenticate(request: ClientRequest): Promise<Authentication>;
}

/** Returns the user's code and, if known, when its proof expires; or null, which refuses the handshake with 401. */
export type Authenticate = (
  handshake: AuthenticateHandshake,
) => Promise<{ code: string; /** Epoch seconds. @default not known */ expiresAt?: number } | null>;

/** The input of a callback. */
export interface AuthenticateHandshake {
  /** By lower-cased name; several values are joined. `cookie` has every cookie, also those that share a name. */
  headers: Record<string, string>;
  query: Record<string, string>;
  /** By name, decoded. Of several with one name, the first. */
  cookies: Record<string, string>;
  /**
   * From `Authorization: Bearer`, else from the subprotocol, else from the cookie: its first value that is not empty,
   * without the quotes around it. It is not verified.
   */
  token?: string;
  sourceIp: string;
}
