import { decodeProtectedHeader } from "jose/decode/protected_header";
import {
  JOSEError,
  JOSENotSupported,
  JWSInvalid,
  JWSSignatureVerificationFailed,
  JWTClaimValidationFailed,
  JWTExpired,
  JWTInvalid,
} from "jose/errors";
import { decodeJwt } from "jose/jwt/decode";
import { jwtVerify, type JWTVerifyOptions } from "jose/jwt/verify";
import type { OidcConfig } from "./authenticate";
import type { FetchKeys } from "./fetchKeys";
import { ALGORITHMS } from "./jwks";
import { refuseExpired } from "./refuseExpired";
import { fetchedKeys, inlineKeys, type KeyHeader, type PublicKey } from "./signingKeys";
import { RefusedTokenError } from "./tokenErrors";

/**
 * Verifies the tokens of an OpenID Connect issuer and returns their claims.
 *
 * The answer rejects with RefusedTokenError if the token is not accepted, and with SigningKeysError if it cannot be judged.
 */
export function oidcVerifier(
  oidc: OidcConfig,
  clockToleranceSeconds: number,
  fetchKeys: FetchKeys,
): (token: string) => Promise<Record<string, unknown>> {
  const { issuer, audience, authorizedParties = null, jwks } = oidc;
  const keys = jwks ? inlineKeys(jwks) : fetchedKeys(oidc.jwksUri ?? jwksUriOf(issuer), fetchKeys);
  const options: JWTVerifyOptions = {
    algorithms: [...ALGORITHMS],
    issuer,
    clockTolerance: clockToleranceSeconds,
    ...(audience !== null && { audience }),
  };
  return async function claimsOf(token) {
    const header = headerOf(token);
    // Before the keys: a token of another issuer, or an old one, names keys that must not be fetched.
    const { iss = issuer, exp } = unverifiedClaimsOf(token);
    if (iss !== issuer) throw new RefusedTokenError(notOf(issuer));
    refuseExpired(exp, clockToleranceSeconds);
    const claims = await verified(token, await keys.find(header), options);
    if (authorizedParties !== null && !authorizedParties.includes(claims.azp as string)) {
      throw new RefusedTokenError(`the claim azp is none of ${JSON.stringify(authorizedParties)}`);
    }
    return claims;
  };
}

/** Where the issuer's keys are by default. There is no OIDC discovery. */
function jwksUriOf(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`;
}

function headerOf(token: string): KeyHeader {
  const { alg, kid } = decodedHeader(token);
  if (typeof alg !== "string" || !ALGORITHMS.includes(alg)) {
    throw new RefusedTokenError(`the header's alg is not allowed; allowed: ${ALGORITHMS.join(", ")}`);
  }
  if (kid !== undefined && typeof kid !== "string") throw new RefusedTokenError("the header's kid is not a string");
  return { alg, kid };
}

function decodedHeader(token: string): { alg?: unknown; kid?: unknown } {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new RefusedTokenError("not a JWT");
  }
}

/** None if the payload is malformed: `jwtVerify` says how. */
function unverifiedClaimsOf(token: string): { iss?: unknown; exp?: unknown } {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

/** By the first of the keys that verifies the signature: an issuer may have several under one id. */
async function verified(
  token: string,
  keys: readonly PublicKey[],
  options: JWTVerifyOptions,
): Promise<Record<string, unknown>> {
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      if (error instanceof JWSSignatureVerificationFailed) continue;
      throw error instanceof JOSEError ? new RefusedTokenError(reasonOf(error, options)) : error;
    }
  }
  throw new RefusedTokenError("the signature is not that of the issuer's key");
}

function notOf(issuer: JWTVerifyOptions["issuer"]): string {
  return `the claim iss is not ${JSON.stringify(issuer)}`;
}

/** Names the claim or header and what is wrong with it, without its value. */
function reasonOf(error: JOSEError, { issuer, audience }: JWTVerifyOptions): string {
  if (error instanceof JWTExpired) return "the claim exp has passed";
  if (error instanceof JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === "missing") return `the claim ${claim} is missing`;
    if (reason === "invalid") return `the claim ${claim} is not a number`;
    if (claim === "iss") return notOf(issuer);
    if (claim === "aud") return `the claim aud has none of ${JSON.stringify([audience].flat())}`;
    if (claim === "nbf") return "the claim nbf has not come yet";
  }
  if (error instanceof JOSENotSupported) return "the header's crit names an extension that is not supported";
  return error instanceof JWSInvalid || error instanceof JWTInvalid ? `not a JWT: ${error.message}` : error.message;
}
