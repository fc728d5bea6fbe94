import { createPublicKey, type JsonWebKey } from "node:crypto";
import { isObject } from "../../isObject";

// Without jose: programs that deploy a relay load this module, and jose takes some 50 ms to load.

/** The algorithms with which tokens may be signed. All are asymmetric; "EdDSA" and "Ed25519" are the same (RFC 9864). */
export const ALGORITHMS: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** A JSON Web Key Set as it is published. */
export interface Jwks {
  keys: readonly object[];
}

/** Whether a set has a key that can verify a token. */
export function hasUsableKey(jwks: unknown): boolean {
  return keyObjectsOf(jwks).some((key) => isForTokens(key) && isUsable(key));
}

/** The keys of a set as far as they are objects; none if it is no set. */
export function keyObjectsOf(jwks: unknown): Record<string, unknown>[] {
  return isObject(jwks) && Array.isArray(jwks.keys) ? jwks.keys.filter(isObject) : [];
}

/** Whether a key says that it is for signatures with one of the algorithms. */
export function isForTokens({ kty, use, alg }: Record<string, unknown>): boolean {
  const isKnown = ["RSA", "EC", "OKP"].includes(kty as string);
  return isKnown && (use === undefined || use === "sig") && (alg === undefined || ALGORITHMS.includes(alg as string));
}

/** Whether a key is a whole public key of sufficient length. */
export function isUsable(jwk: Record<string, unknown>): boolean {
  // A private key that is published is compromised.
  if ("d" in jwk) return false;
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
    // RFC 7518, section 3.3
    return (asymmetricKeyDetails?.modulusLength ?? 2048) >= 2048;
  } catch {
    return false;
  }
}
