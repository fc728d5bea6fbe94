import { CognitoJwtVerifier } from "aws-jwt-verify/cognito-verifier";
import { JwtParseError, JwtWithoutValidKidError, KidNotFoundInJwksError } from "aws-jwt-verify/error";
import { SimpleJwksCache } from "aws-jwt-verify/jwk";
import { createPublicKey } from "node:crypto";
import type { CognitoConfig } from "./authenticate";
import type { FetchKeys } from "./fetchKeys";
import { refuseExpired } from "./refuseExpired";
import { MAX_AGE_MS, RETRY_REFRESH_MS } from "./signingKeys";
import { RefusedTokenError, SigningKeysError } from "./tokenErrors";

/**
 * Verifies the tokens of a Cognito user pool and returns their claims. Cognito's `sub` and `jti` are UUIDs and its `scope`
 * is one string, so the library's types for them fit.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
 *
 * The answer rejects with RefusedTokenError if the token is not accepted, and with SigningKeysError if it cannot be judged.
 */
export function cognitoVerifier(
  { userPoolId, clientIds }: CognitoConfig,
  clockToleranceSeconds: number,
  fetchKeys: FetchKeys,
  now: () => number = Date.now,
): (token: string) => Promise<Record<string, unknown>> {
  const verifier = CognitoJwtVerifier.create(
    { userPoolId, clientId: clientIds, tokenUse: null, graceSeconds: clockToleranceSeconds },
    { jwksCache: new CognitoKeys(fetchKeys, clockToleranceSeconds, now) },
  );
  return async function claimsOf(token) {
    try {
      return { ...(await verifier.verify(token)) };
    } catch (error) {
      if (error instanceof SigningKeysError || error instanceof RefusedTokenError) throw error;
      // Not by class: a signature of an odd length and a date out of range make the library throw the errors of
      // `node:crypto` and `Date`, and once the key is available, only the token can be at fault.
      // A parse error quotes what it could not parse. The others name one claim or header field, of any length, since
      // nothing of the token is trusted yet.
      throw new RefusedTokenError(
        error instanceof JwtParseError ? "not a JWT" : (error as Error).message.slice(0, 200),
      );
    }
  };
}

/**
 * Distinguishes an unknown key id (the client's fault) from keys that cannot be fetched or used (the relay's), and fetches keys again
 * that are ten minutes old, which the library never does: a key that is removed would be trusted as long as the process lives.
 */
class CognitoKeys extends SimpleJwksCache {
  private refreshAt = Infinity;

  constructor(
    fetchKeys: FetchKeys,
    private readonly clockToleranceSeconds: number,
    private readonly now: () => number,
  ) {
    super({ fetcher: { fetch: (uri) => fetchKeys(uri) } });
  }

  override async getJwks(uri: string): ReturnType<SimpleJwksCache["getJwks"]> {
    const jwks = await super.getJwks(uri);
    this.refreshAt = this.now() + MAX_AGE_MS;
    return jwks;
  }

  override async getJwk(...[uri, jwt]: Parameters<SimpleJwksCache["getJwk"]>): ReturnType<SimpleJwksCache["getJwk"]> {
    refuseExpired(jwt.payload.exp, this.clockToleranceSeconds);
    if (this.now() >= this.refreshAt) {
      await this.getJwks(uri).catch(() => (this.refreshAt = this.now() + RETRY_REFRESH_MS));
    }
    try {
      const jwk = await super.getJwk(uri, jwt);
      // Other types than these the verifier refuses as the wrong algorithm.
      if (["RSA", "EC", "OKP"].includes(jwk.kty)) createPublicKey({ key: jwk, format: "jwk" });
      return jwk;
    } catch (error) {
      if (error instanceof KidNotFoundInJwksError || error instanceof JwtWithoutValidKidError) throw error;
      throw new SigningKeysError("the signing keys cannot be fetched or used", { cause: error });
    }
  }
}
