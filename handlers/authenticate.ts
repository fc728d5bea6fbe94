import type { Jwks } from "aws-jwt-verify/jwk";
import type { Handshake } from "./handshake";
import type { Refusal } from "./refusals";

/** Who may connect, as the component puts it into AUTH; null there authenticates nobody. */
export type AuthConfig = TokenAuthConfig | CallbackAuthConfig;

/** Whose tokens are accepted, in which cookie they may stand, and which claim is the user's code. */
export type TokenAuthConfig = (
  | { cognito: { userPoolId: string; clientIds: string[] } }
  | {
      oidc: {
        issuer: string;
        audience: string | string[];
        /** @default `{issuer}/.well-known/jwks.json` */
        jwksUri?: string;
        /** The issuer's keys. @default they are fetched from `jwksUri`, and kept. */
        jwks?: Jwks;
      };
    }
) & { userClaim: string } & CommonAuthConfig;

/** The user's own callback decides: it stands in the archive, as authenticate.js. */
export type CallbackAuthConfig = { authenticate: true } & CommonAuthConfig;

interface CommonAuthConfig {
  cookieName: string;
  /** @default sessions outlive their token */
  endSessionWithToken?: boolean;
}

/** The user's code and when what proved it ends, in epoch seconds; or why there is none. */
export type Authentication =
  | { user: string; expiresAt?: number; refused?: undefined }
  | { user?: undefined; expiresAt?: undefined; refused: Refusal };

/** Decides whose connection a handshake opens. Whether its page's origin matters is part of that. */
export interface Authenticator {
  /** @throws where it cannot be decided: our side's fault, not the client's. */
  authenticate(handshake: Handshake): Promise<Authentication>;
}

/** Answers the user's code, and if it is known, when what proved it ends; or null, which refuses the handshake with 401. */
export type Authenticate = (
  handshake: AuthenticateHandshake,
) => Promise<{ code: string; /** Epoch seconds. @default not known */ expiresAt?: number } | null>;

/** What a callback decides from. */
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
