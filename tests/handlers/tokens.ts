import { generateKeyPairSync, type KeyObject } from "node:crypto";
import type { Jwks } from "aws-jwt-verify/jwk";
import { SignJWT } from "jose";

export const issuer = "https://issuer.test";
export const audience = "app";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const jwks = {
  keys: [{ ...keys.publicKey.export({ format: "jwk" }), kid: "k1", alg: "RS256", use: "sig" }],
} as Jwks;

/** A token that is in order but for `claims`; undefined leaves a claim out. */
export async function token(
  claims: Record<string, unknown> = {},
  header: { alg?: string; kid?: string } = {},
  key: KeyObject | Uint8Array = keys.privateKey,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: issuer, aud: audience, sub: "42", iat: now, exp: now + 60, ...claims };
  return await new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
}
