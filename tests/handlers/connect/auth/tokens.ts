import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { type CryptoKey, SignJWT } from "jose";
import type { Jwks } from "../../../../handlers/connect/auth/jwks";

export const issuer = "https://issuer.test";
export const audience = "app";

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const rsa = (modulusLength = 2048): KeyPair => generateKeyPairSync("rsa", { modulusLength });
export const ec = (namedCurve: string): KeyPair => generateKeyPairSync("ec", { namedCurve });

/** The public key of a pair as a set has it, with what else is said of it. */
export function jwk({ publicKey }: KeyPair, members: object = {}): object {
  return { ...publicKey.export({ format: "jwk" }), ...members };
}

export const keys: KeyPair = rsa();

export const jwks: Jwks = { keys: [jwk(keys, { kid: "k1", alg: "RS256", use: "sig" })] };

/** Seconds since the epoch, as many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

/** A token that is in order but for `claims`; undefined leaves a claim out. */
export async function token(
  claims: Record<string, unknown> = {},
  header: { alg?: string; kid?: string } = {},
  key: KeyObject | CryptoKey | Uint8Array = keys.privateKey,
): Promise<string> {
  const payload = { iss: issuer, aud: audience, sub: "42", iat: inSeconds(0), exp: inSeconds(60), ...claims };
  return await new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", ...header }).sign(key);
}
