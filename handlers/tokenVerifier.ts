import { createPublicKey } from "node:crypto";
import { CognitoJwtVerifier } from "aws-jwt-verify/cognito-verifier";
import { JwtParseError, JwtWithoutValidKidError, KidNotFoundInJwksError } from "aws-jwt-verify/error";
import type { Fetcher } from "aws-jwt-verify/https";
import { assertIsJwks, type Jwks, SimpleJwksCache } from "aws-jwt-verify/jwk";
import { JwtVerifier } from "aws-jwt-verify/jwt-verifier";
import type { TokenAuthConfig } from "./authenticate";

/** Whose token it is and when it ends, in epoch seconds; or why it was refused, for the log. */
export type Verification =
  | { user: string; expiresAt: number; refused?: undefined }
  | { user?: undefined; expiresAt?: undefined; refused: string };

/** @throws SigningKeysError where the token cannot be judged: our side's fault, not the client's. */
export type TokenVerifier = (token: string) => Promise<Verification>;

/** The keys to judge a token with cannot be had or cannot be used. */
export class SigningKeysError extends Error {
  override readonly name = "SigningKeysError";
}

/** Verifies JWTs. `fetcher` fetches the signing keys (default: over https, with one immediate retry). */
export function tokenVerifier(config: TokenAuthConfig, fetcher?: Fetcher): TokenVerifier {
  const claimsOf = verifierOf(config, fetcher);
  return async function verify(token) {
    try {
      return verificationOf(await claimsOf(token), config.userClaim);
    } catch (error) {
      if (error instanceof SigningKeysError) throw error;
      // Not told by class: a signature of an odd length and a date out of range make the library throw what
      // `node:crypto` and `Date` throw, and once the key is at hand, only the token can be at fault.
      // For the log, which no token may reach: a parse error quotes what it could not parse. The others name one claim
      // or header field, of any length, since nothing of the token is trusted yet.
      return { refused: error instanceof JwtParseError ? "not a JWT" : (error as Error).message.slice(0, 200) };
    }
  };
}

function verifierOf(config: TokenAuthConfig, fetcher?: Fetcher): (token: string) => Promise<Claims> {
  if ("cognito" in config) {
    const { userPoolId, clientIds } = config.cognito;
    const verifier = CognitoJwtVerifier.create(
      { userPoolId, clientId: clientIds, tokenUse: null, customJwtCheck: requireExpiry },
      { jwksCache: new SigningKeys({ fetcher }) },
    );
    return (token) => verifier.verify(token) as Promise<Claims>;
  }
  const { issuer, audience, jwksUri, jwks } = config.oidc;
  const jwksCache = new SigningKeys(jwks ? inlineKeys(jwks) : { fetcher });
  const verifier = JwtVerifier.create(
    { issuer, audience, ...(jwksUri && { jwksUri }), customJwtCheck: requireExpiry },
    { jwksCache },
  );
  return (token) => verifier.verify(token) as Promise<Claims>;
}

/** What every token that was accepted has. */
interface Claims {
  exp: number;
}

/** The library accepts a token without `exp`, and such a token would never end. */
function requireExpiry({ payload }: { payload: { exp?: unknown } }): void {
  if (payload.exp === undefined) throw new Error("the token has no exp");
}

function verificationOf(claims: Claims, userClaim: string): Verification {
  const claim: unknown = Object.hasOwn(claims, userClaim) ? claims[userClaim as keyof typeof claims] : undefined;
  const expiresAt = claims.exp;
  if (typeof claim === "string" && claim !== "") return { user: claim, expiresAt };
  // Beyond the safe integers two users would be rounded to one.
  if (Number.isSafeInteger(claim)) return { user: String(claim), expiresAt };
  return { refused: `the claim ${userClaim} is neither a non-empty string nor an integer` };
}

/** Tells a key that the set does not have (the client's fault) from a set that cannot be had (ours). */
class SigningKeys extends SimpleJwksCache {
  override async getJwk(...args: Parameters<SimpleJwksCache["getJwk"]>): ReturnType<SimpleJwksCache["getJwk"]> {
    try {
      const jwk = await super.getJwk(...args);
      // Other types than these the verifier refuses as the wrong algorithm.
      if (["RSA", "EC", "OKP"].includes(jwk.kty)) createPublicKey({ key: jwk, format: "jwk" });
      return jwk;
    } catch (error) {
      if (error instanceof KidNotFoundInJwksError || error instanceof JwtWithoutValidKidError) throw error;
      throw new SigningKeysError("the signing keys cannot be fetched or used", { cause: error });
    }
  }
}

/** A set that is "fetched" from where it stands. An unknown key id costs nothing, so there is no penalty for it either. */
function inlineKeys(jwks: Jwks): NonNullable<ConstructorParameters<typeof SimpleJwksCache>[0]> {
  assertIsJwks(jwks);
  const nothing = () => undefined;
  return {
    fetcher: { fetch: () => Promise.resolve(new ArrayBuffer(0)) },
    jwksParser: () => jwks,
    penaltyBox: {
      wait: () => Promise.resolve(),
      registerFailedAttempt: nothing,
      registerSuccessfulAttempt: nothing,
    },
  };
}
