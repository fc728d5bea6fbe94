import { isLater, type Problem, problemText, unknownText } from "./refuse";
import { isObject, isPlaceholder, isText, isTextOrLater, parseUrl } from "./values";

/** What is wrong with `auth.cognito`, as far as its values are known already. */
export function cognitoProblem(cognito: unknown): Problem | undefined {
  if (!isObject(cognito)) {
    return { path: "auth.cognito", text: problemText(cognito, "{ userPoolId, clientIds }", "set both") };
  }
  const { userPoolId, clientIds, ...unknown } = cognito;
  const [unknownKey] = Object.keys(unknown);
  if (unknownKey !== undefined) {
    return { path: `auth.cognito.${unknownKey}`, text: unknownText("userPoolId, clientIds") };
  }
  if (!isLater(userPoolId)) {
    if (!isText(userPoolId) || !userPoolIdPattern.test(userPoolId)) {
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
  if (!isLater(clientIds) && !(Array.isArray(clientIds) && clientIds.length > 0 && clientIds.every(isTextOrLater))) {
    const text = problemText(
      clientIds,
      "a list of at least one app client id",
      "list the apps whose tokens you accept",
    );
    return { path: "auth.cognito.clientIds", text };
  }
  return undefined;
}

/** What is wrong with `auth.oidc`, as far as its values are known already. */
export function oidcProblem(oidc: unknown): Problem | undefined {
  if (!isObject(oidc)) {
    return { path: "auth.oidc", text: problemText(oidc, "{ issuer, audience }", "set both") };
  }
  const { issuer, audience, jwksUri, jwks, ...unknown } = oidc;
  const [unknownKey] = Object.keys(unknown);
  if (unknownKey !== undefined) {
    return { path: `auth.oidc.${unknownKey}`, text: unknownText("issuer, audience, jwksUri, jwks") };
  }
  const issuerText = httpsProblem(issuer, "the issuer of your users' tokens, as their claim iss has it");
  if (issuerText !== undefined) {
    return { path: "auth.oidc.issuer", text: issuerText };
  }
  const audiences = Array.isArray(audience) ? audience : [audience];
  if (!isLater(audience) && !(audiences.length > 0 && audiences.every(isTextOrLater))) {
    const text = problemText(audience, "a non-empty text, or a list of such", "set what your tokens have in aud");
    return { path: "auth.oidc.audience", text };
  }
  if (jwksUri !== undefined && jwks !== undefined) {
    return { path: "auth.oidc", text: "got jwksUri and jwks; allowed: one of them. To mend it, remove one." };
  }
  const jwksUriText = jwksUri === undefined ? undefined : httpsProblem(jwksUri, "the URL of the issuer's keys", true);
  if (jwksUriText !== undefined) {
    return { path: "auth.oidc.jwksUri", text: jwksUriText };
  }
  if (jwks !== undefined && !isLater(jwks) && !(isObject(jwks) && Array.isArray(jwks.keys) && jwks.keys.length > 0)) {
    const text = problemText(jwks, '{ "keys": […] } with at least one key', "copy the issuer's JWKS, public keys only");
    return { path: "auth.oidc.jwks", text };
  }
  // It would stand readable in the function's environment, where no private key has any business.
  if (
    isObject(jwks) &&
    Array.isArray(jwks.keys) &&
    jwks.keys.some((key) => isObject(key) && ("d" in key || "k" in key))
  ) {
    const text =
      "got a private or symmetric key; allowed: public keys. To mend it, remove d, or use another algorithm.";
    return { path: "auth.oidc.jwks", text };
  }
  if (isObject(jwks) && Array.isArray(jwks.keys)) {
    const unusable = jwks.keys.find((key) => !isLater(key) && !(isObject(key) && isText(key.kty) && isText(key.kid)));
    if (unusable !== undefined) {
      const text = problemText(unusable, "keys with kty and kid, by which tokens name them", "copy the issuer's JWKS");
      return { path: "auth.oidc.jwks", text };
    }
  }
  return undefined;
}

function httpsProblem(value: unknown, what: string, mayHaveQuery = false): string | undefined {
  if (isLater(value)) {
    return undefined;
  }
  if (isText(value) && value.includes("*")) {
    return problemText(value, "one exact URL: * stands for nothing here", `set ${what}`);
  }
  const url = isText(value) ? parseUrl(value) : undefined;
  if (!url || url.protocol !== "https:" || (url.search !== "" && !mayHaveQuery) || url.hash !== "") {
    const allowed = mayHaveQuery ? "an https URL without fragment" : "an https URL without query and fragment";
    return problemText(value, allowed, `set ${what}`);
  }
  return isPlaceholder(url.hostname)
    ? problemText(
        value,
        "no placeholder (names kept for documentation: example.com, .test, .invalid, your-domain.com)",
        `set ${what}`,
      )
    : undefined;
}

/** The library's own, which it throws by when the function starts. */
const userPoolIdPattern = /^(eusc-[a-z]{2}|[a-z]{2})-(gov-)?[a-z]+-\d_[a-zA-Z0-9]+$/;
