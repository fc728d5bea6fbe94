import { inspect } from "node:util";
import { isObject } from "../../isObject";
import type { TokenVerifierConfig } from "./authenticate";
import { cognitoVerifier } from "./cognitoVerifier";
import { fetchKeys as fetchOverHttps, type FetchKeys } from "./fetchKeys";
import { hasUsableKey } from "./jwks";
import { oidcVerifier } from "./oidcVerifier";
import { RefusedTokenError } from "./tokenErrors";
import { isClockTolerance, isUserPoolId, MAX_CLOCK_TOLERANCE_SECONDS, VERIFIER_DEFAULTS } from "./verifierSettings";

export { SigningKeysError } from "./tokenErrors";

/** Whose token it is and when it ends, in epoch seconds; or why it was refused, for the log. */
export type Verification = { user: string; expiresAt: number; refused?: undefined } | RefusedToken;

/** Why a token is not accepted, for the log: names a claim or header and the reason. */
export interface RefusedToken {
  refused: string;
  user?: undefined;
  expiresAt?: undefined;
  claims?: undefined;
}

/** A token that is accepted. */
export interface VerifiedToken {
  /** The value of the user claim, a number as text. */
  user: string;
  /** The claim `exp`, in epoch seconds. */
  expiresAt: number;
  /** Every claim of the token. */
  claims: Record<string, unknown>;
  refused?: undefined;
}

/** @throws SigningKeysError if the token cannot be verified: the relay's fault, not the client's. */
export type TokenVerifier = (token: string) => Promise<Verification>;

/**
 * Verifies JWTs of a Cognito user pool or an OpenID Connect issuer: signature, issuer, audience and times. Make one and
 * keep it: it keeps the issuer's keys.
 *
 * The verifier rejects with a SigningKeysError if the issuer's keys cannot be fetched or used.
 *
 * @param fetchKeys Fetches the issuer's keys. @default over https, within 3 s, with one retry
 * @throws TypeError naming the input, what it got and what is allowed.
 */
export function tokenVerifier(
  config: TokenVerifierConfig,
  fetchKeys: FetchKeys = fetchOverHttps,
): (token: string) => Promise<VerifiedToken | RefusedToken> {
  refuseUnsafe(config);
  const { userClaim = VERIFIER_DEFAULTS.userClaim, endSessionWithToken = false } = config;
  const { clockToleranceSeconds = VERIFIER_DEFAULTS.clockToleranceSeconds } = config;
  const claimsOf =
    "cognito" in config
      ? cognitoVerifier(config.cognito, clockToleranceSeconds, fetchKeys)
      : oidcVerifier(config.oidc, clockToleranceSeconds, fetchKeys);

  return async function verify(token) {
    try {
      const claims = await claimsOf(token);
      const expiresAt = expiryOf(claims, endSessionWithToken);
      return { user: userOf(claims, userClaim), expiresAt, claims };
    } catch (error) {
      if (error instanceof RefusedTokenError) return { refused: error.message };
      throw error;
    }
  };
}

function expiryOf({ exp }: Record<string, unknown>, endSessionWithToken: boolean): number {
  // Neither library asks for `exp`. JSON's 1e999 is Infinity, so that such a token would never end, and a table takes no 1e200.
  if (exp === undefined) throw new RefusedTokenError("the claim exp is missing");
  if (!((exp as number) <= Number.MAX_SAFE_INTEGER)) throw new RefusedTokenError("the claim exp is beyond all dates");
  // The tolerance does not count: the session would begin after its end.
  if (endSessionWithToken && (exp as number) * 1000 <= Date.now()) {
    throw new RefusedTokenError("the claim exp has passed");
  }
  return exp as number;
}

function userOf(claims: Record<string, unknown>, userClaim: string): string {
  const claim = Object.hasOwn(claims, userClaim) ? claims[userClaim] : undefined;
  if (typeof claim === "string" && claim !== "") return claim;
  // Beyond the safe integers two users would be rounded to one.
  if (Number.isSafeInteger(claim)) return String(claim);
  throw new RefusedTokenError(`the claim ${userClaim} is neither a non-empty string nor an integer`);
}

/** Refuses settings that would accept more than intended. The arguments of a deployed relay were checked before. */
function refuseUnsafe(config: TokenVerifierConfig): void {
  const { clockToleranceSeconds = 0, cognito, oidc } = config as Partial<Record<string, unknown>>;
  if (!isClockTolerance(clockToleranceSeconds)) {
    const allowed = `a whole number from 0 to ${MAX_CLOCK_TOLERANCE_SECONDS}`;
    refuse("clockToleranceSeconds", clockToleranceSeconds, allowed);
  }
  if ("cognito" in config) {
    if (!isObject(cognito)) refuse("cognito", cognito, "{ userPoolId, clientIds }");
    refuseUnsafeCognito(cognito);
  } else {
    if (!isObject(oidc)) refuse("oidc", oidc, "{ issuer, audience }, or cognito instead");
    refuseUnsafeOidc(oidc);
  }
}

function refuseUnsafeCognito({ userPoolId, clientIds }: Record<string, unknown>): void {
  if (!isUserPoolId(userPoolId)) {
    refuse("cognito.userPoolId", userPoolId, "the id of a user pool, such as eu-west-1_a1b2c3d4e");
  }
  if (!isTextList(clientIds)) refuse("cognito.clientIds", clientIds, "a list of at least one app client id");
}

function refuseUnsafeOidc({ issuer, audience, authorizedParties, jwksUri, jwks }: Record<string, unknown>): void {
  if (!isText(issuer)) refuse("oidc.issuer", issuer, "a non-empty string, as the claim iss has it");
  if (jwks === undefined) {
    const uri = jwksUri ?? issuer;
    if (!isText(uri) || !uri.startsWith("https:")) {
      refuse("oidc.jwksUri", jwksUri, "an https URL; none only if oidc.issuer is one, or jwks is given");
    }
  } else if (!hasUsableKey(jwks)) {
    // Not quoted: it may hold a private key.
    const allowed = "{ keys } with at least one public key for signatures (RSA keys need 2,048 bits)";
    throw new TypeError(`oidc.jwks: got no key that can verify a token; allowed: ${allowed}`);
  }
  if (audience === null ? authorizedParties === undefined : !isText(audience) && !isTextList(audience)) {
    refuse("oidc.audience", audience, "a non-empty string, a list of such, or null together with authorizedParties");
  }
  if (authorizedParties !== undefined && authorizedParties !== null && !isTextList(authorizedParties)) {
    refuse("oidc.authorizedParties", authorizedParties, "a list of at least one value of the claim azp, or null");
  }
}

function refuse(path: string, got: unknown, allowed: string): never {
  throw new TypeError(`${path}: got ${inspect(got, { breakLength: Infinity })}; allowed: ${allowed}`);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isText);
}
