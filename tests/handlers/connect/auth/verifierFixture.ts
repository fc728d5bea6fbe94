import { CompactSign } from "jose";
import type { TokenVerifierConfig } from "../../../../handlers/connect/auth/authenticate";
import type { FetchKeys } from "../../../../handlers/connect/auth/fetchKeys";
import { tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { audience, issuer, jwks, keys } from "./tokens";

export const unused: FetchKeys = () => Promise.reject(new Error("an inline set is never fetched"));
export const inline = { oidc: { issuer, audience, jwks } };

/** A verifier of the inline set, with other settings. */
export function verifierWith(settings: Partial<TokenVerifierConfig> = {}, oidc: object = {}) {
  return tokenVerifier({ ...inline, ...settings, oidc: { ...inline.oidc, ...oidc } }, unused);
}

export function fetching(answer: () => string): FetchKeys & { uris: string[] } {
  const uris: string[] = [];
  const fetchKeys = async (uri: string) => {
    uris.push(uri);
    return Promise.resolve(new TextEncoder().encode(answer()).buffer as ArrayBuffer);
  };
  return Object.assign(fetchKeys, { uris });
}

export const cognito = { userPoolId: "eu-west-1_a1b2c3d4e", clientIds: ["c"] };
export const cognitoIssuer = `https://cognito-idp.eu-west-1.amazonaws.com/${cognito.userPoolId}`;

/** A signed token whose payload is this text, whether or not a library would write it. */
export async function tokenOf(payload: string): Promise<string> {
  const signing = new CompactSign(new TextEncoder().encode(payload));
  return await signing.setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(keys.privateKey);
}
