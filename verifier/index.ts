export type { CognitoConfig, OidcConfig, TokenVerifierConfig } from "../handlers/connect/auth/authenticate";
export {
  type RefusedToken,
  SigningKeysError,
  tokenVerifier,
  type VerifiedToken,
} from "../handlers/connect/auth/tokenVerifier";
