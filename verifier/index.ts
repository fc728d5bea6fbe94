/**
 * For an `authenticate` callback of your own: verifies tokens as the relay does.
 *
 * @module pulumi-websocket-relay/verifier
 */

export type { CognitoConfig, OidcConfig, TokenVerifierConfig } from "../handlers/connect/auth/authenticate";
export type { FetchKeys } from "../handlers/connect/auth/fetchKeys";
export type { Jwks } from "../handlers/connect/auth/jwks";
export {
  type RefusedToken,
  SigningKeysError,
  tokenVerifier,
  type VerifiedToken,
} from "../handlers/connect/auth/tokenVerifier";
