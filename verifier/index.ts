export type { CognitoConfig, OidcConfig, TokenVerifierConfig } from "../handlers/authenticate";
export { type RefusedToken, SigningKeysError, tokenVerifier, type VerifiedToken } from "../handlers/tokenVerifier";
