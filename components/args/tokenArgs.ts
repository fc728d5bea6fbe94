import { hasUsableKey } from "../../handlers/connect/auth/jwks";
import { isUserPoolId } from "../../handlers/connect/auth/verifierSettings";
import { isObject } from "../../handlers/isObject";
import { unknownKeyProblem } from "./options";
import { isDeferred, type Problem, problemText } from "./refuse";
import { spec } from "./spec";
import { isPlaceholder, isText, isTextOrDeferred, parseUrl } from "./values";

/** What is wrong with `auth.cognito`, as far as its values are known. */
export function cognitoProblem(cognito: unknown): Problem | undefined {
  if (!isObject(cognito)) {
    return { path: "auth.cognito", text: problemText(cognito, "{ userPoolId, clientIds }", "set both") };
  }
  const unknownKey = unknownKeyProblem("auth.cognito", cognito, spec.auth.keys.cognito.keys);
  if (unknownKey !== undefined) return unknownKey;
  const { userPoolId, clientIds } = cognito;
  if (!isDeferred(userPoolId)) {
    if (!isUserPoolId(userPoolId)) {
      const text = problemText(userPoolId, "a user pool id such as eu-west-1_a1b2c3d4e", "copy it from the user pool");
      return { path: "auth.cognito.userPoolId", text };
    }
    if (/_example$/i.test(userPoolId) || userPoolId === "eu-west-1_a1b2c3d4e") {
      return {
        path: "auth.cognito.userPoolId",
        text: problemText(userPoolId, "your own user pool", "set your pool's id"),
      };
    }
  }
  if (
    !isDeferred(clientIds) &&
    !(Array.isArray(clientIds) && clientIds.length > 0 && clientIds.every(isTextOrDeferred))
  ) {
    const text = problemText(
      clientIds,
      "a list of at least one app client id",
      "list the apps whose tokens you accept",
    );
    return { path: "auth.cognito.clientIds", text };
  }
  return undefined;
}

/** What is wrong with `auth.oidc`, as far as its values are known. */
export function oidcProblem(oidc: unknown): Problem | undefined {
  if (!isObject(oidc)) {
    return { path: "auth.oidc", text: problemText(oidc, "{ issuer, audience }", "set both") };
  }
  const unknownKey = unknownKeyProblem("auth.oidc", oidc, spec.auth.keys.oidc.keys);
  if (unknownKey !== undefined) return unknownKey;
  const { issuer, audience, authorizedParties, jwksUri, jwks } = oidc;
  const issuerText = issuerProblem(issuer, jwksUri !== undefined || jwks !== undefined);
  if (issuerText !== undefined) {
    return { path: "auth.oidc.issuer", text: issuerText };
  }
  const recipientsProblem = audienceProblem(audience, authorizedParties);
  if (recipientsProblem !== undefined) {
    return recipientsProblem;
  }
  if (jwksUri !== undefined && jwks !== undefined) {
    return { path: "auth.oidc", text: "got jwksUri and jwks; allowed: one of them. Fix: remove one." };
  }
  const jwksUriText = jwksUri === undefined ? undefined : httpsProblem(jwksUri, "the URL of the issuer's keys", true);
  if (jwksUriText !== undefined) {
    return { path: "auth.oidc.jwksUri", text: jwksUriText };
  }
  if (
    jwks !== undefined &&
    !isDeferred(jwks) &&
    !(isObject(jwks) && Array.isArray(jwks.keys) && jwks.keys.length > 0)
  ) {
    const text = problemText(jwks, '{ "keys": […] } with at least one key', "copy the issuer's JWKS, public keys only");
    return { path: "auth.oidc.jwks", text };
  }
  // The function's environment is readable: a private key must not be in it.
  if (
    isObject(jwks) &&
    Array.isArray(jwks.keys) &&
    jwks.keys.some((key) => isObject(key) && ("d" in key || "k" in key))
  ) {
    const text = "got a private or symmetric key; allowed: public keys. Fix: remove d, or use another algorithm.";
    return { path: "auth.oidc.jwks", text };
  }
  if (isObject(jwks) && Array.isArray(jwks.keys)) {
    const malformed = jwks.keys.find((key) => !isDeferred(key) && !isJwk(key));
    if (malformed !== undefined) {
      const text = problemText(malformed, "keys with kty and, if tokens name them, kid", "copy the issuer's JWKS");
      return { path: "auth.oidc.jwks", text };
    }
    if (!jwks.keys.some(isDeferred) && !hasUsableKey(jwks)) {
      const text =
        "got no key that can verify a token; allowed: at least one public key for signatures (RSA of 2,048 bits or more, " +
        "P-256, P-384, P-521 or Ed25519). Fix: copy the issuer's JWKS.";
      return { path: "auth.oidc.jwks", text };
    }
  }
  return undefined;
}

/** The keys are fetched from the issuer only without `jwksUri` and `jwks`; otherwise it is only compared. */
function issuerProblem(issuer: unknown, hasKeys: boolean): string | undefined {
  const fix = "the issuer of your users' tokens, exactly as in their claim iss";
  if (!hasKeys) return httpsProblem(issuer, `${fix}; if that is not an https URL, set jwksUri or jwks, too`);
  if (isDeferred(issuer)) return undefined;
  if (hasWildcard(issuer)) return problemText(issuer, exactUrl, `set ${fix}`);
  if (!isText(issuer)) return problemText(issuer, "a non-empty string without spaces around it", `set ${fix}`);
  return isPlaceholder(parseUrl(issuer)?.hostname ?? "") ? problemText(issuer, noPlaceholder, `set ${fix}`) : undefined;
}

function audienceProblem(audience: unknown, authorizedParties: unknown): Problem | undefined {
  if (audience === null && authorizedParties === undefined) {
    const allowed = "with audience null, the values of azp to accept, or null if your tokens have no azp either";
    const text = problemText(authorizedParties, allowed, "list the apps that may use the tokens");
    return { path: "auth.oidc.authorizedParties", text };
  }
  const wildcard = [audience, authorizedParties].find((given) => [given].flat().some(hasWildcard));
  if (wildcard !== undefined) {
    const path = wildcard === audience ? "auth.oidc.audience" : "auth.oidc.authorizedParties";
    return { path, text: problemText(wildcard, "exact values: * is not a wildcard here", "list each value") };
  }
  const audiences = Array.isArray(audience) ? audience : [audience];
  if (audience !== null && !isDeferred(audience) && !(isTextList(audiences) && audience !== "null")) {
    const allowed = "a non-empty string, a list of such strings, or null with authorizedParties";
    const text = problemText(audience, allowed, `set the aud of your tokens${nullHint(audience)}`);
    return { path: "auth.oidc.audience", text };
  }
  const parties = authorizedParties ?? null;
  if (parties !== null && !isDeferred(parties) && !isTextList(parties)) {
    const allowed = "a list of at least one value of the claim azp, or null to skip the check";
    const text = problemText(parties, allowed, `list the apps that may use the tokens${nullHint(parties)}`);
    return { path: "auth.oidc.authorizedParties", text };
  }
  return undefined;
}

/** `pulumi config set` writes null as a string. */
function nullHint(value: unknown): string {
  return value === "null" ? "; write null into the stack's file by hand, without quotes" : "";
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(isTextOrDeferred);
}

function isJwk(key: unknown): boolean {
  return isObject(key) && isText(key.kty) && (key.kid === undefined || isText(key.kid));
}

/** Values are compared exactly, so a value with a wildcard would match nothing. */
function hasWildcard(value: unknown): boolean {
  return isText(value) && value.includes("*");
}

const exactUrl = "one exact value: * is not a wildcard here";

const noPlaceholder =
  "no placeholder (names reserved for documentation: example.com, .test, .invalid, your-domain.com)";

function httpsProblem(value: unknown, what: string, mayHaveQuery = false): string | undefined {
  if (isDeferred(value)) {
    return undefined;
  }
  if (hasWildcard(value)) return problemText(value, exactUrl, `set ${what}`);
  const url = isText(value) ? parseUrl(value) : undefined;
  if (!url || url.protocol !== "https:" || (url.search !== "" && !mayHaveQuery) || url.hash !== "") {
    const allowed = mayHaveQuery ? "an https URL without fragment" : "an https URL without query and fragment";
    return problemText(value, allowed, `set ${what}`);
  }
  return isPlaceholder(url.hostname) ? problemText(value, noPlaceholder, `set ${what}`) : undefined;
}
