/**
 * For an `authenticate` callback of your own: verifies tokens as the relay does.
 *
 * @module pulumi-websocket-relay/verifier
 */

export type { CognitoConfig, OidcConfig, TokenVerifierConfig } from "../handlers/authenticate";
export type { FetchKeys } from "../handlers/fetchKeys";
export type { Jwks } from "../handlers/jwks";
export { type RefusedToken, SigningKeysError, tokenVerifier, type VerifiedToken } from "../handlers/tokenVerifier";
