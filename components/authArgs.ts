import * as pulumi from "@pulumi/pulumi";
import type { AuthConfig } from "../handlers/authenticate";
import { isLater } from "./refuse";

/** Who may connect, and what in a token names the user. Exactly one of `cognito` and `oidc`. */
export interface AuthArgs {
  /** Tokens of an Amazon Cognito user pool, access or id. */
  cognito?: {
    /** `eu-west-1_a1b2c3d4e` */
    userPoolId: pulumi.Input<string>;
    /** The app clients whose tokens are accepted: `client_id` of access tokens, `aud` of id tokens. */
    clientIds: pulumi.Input<pulumi.Input<string>[]>;
  };
  /** Tokens of an OpenID Connect issuer. */
  oidc?: {
    /** Compared with the claim `iss` exactly; https. */
    issuer: pulumi.Input<string>;
    /** What `aud` has to contain; one of them, where several are given. */
    audience: pulumi.Input<string | string[]>;
    /** Where the issuer's keys are; https. @default `{issuer}/.well-known/jwks.json` */
    jwksUri?: pulumi.Input<string>;
    /** The keys themselves; nothing is ever fetched then. @default fetched from `jwksUri` and cached */
    jwks?: pulumi.Input<{ keys: Record<string, unknown>[] }>;
  };
  /** The claim that is the user's code, to which backends address messages. @default "sub" */
  userClaim?: pulumi.Input<string>;
  /** The cookie that may carry the token where there is no Authorization header. @default "access_token" */
  cookieName?: pulumi.Input<string>;
}

const authDefaults = { userClaim: "sub", cookieName: "access_token" };

/** A Lambda function's environment holds 4,096 bytes in all; the rest is for the ARNs and URLs beside it. */
const maxEnvironmentJsonBytes = 3_072;

/**
 * Checks what the functions will get, once every output is known.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveAuth(auth: unknown, allowedOrigins: string[]): AuthConfig {
  const problem = authProblem(auth);
  if (problem) {
    throw new pulumi.InputPropertyError({ propertyPath: problem.path, reason: `${problem.path}: ${problem.text}` });
  }
  allowedOrigins.forEach((origin, index) => {
    const text = originProblem(origin);
    if (text !== undefined) {
      const propertyPath = `allowedOrigins[${index}]`;
      throw new pulumi.InputPropertyError({ propertyPath, reason: `${propertyPath}: ${text}` });
    }
  });
  const tooLarge = environmentProblem(auth, allowedOrigins);
  if (tooLarge !== undefined) {
    throw new pulumi.InputPropertyError({ propertyPath: "auth", reason: tooLarge });
  }
  return { ...authDefaults, ...withoutAbsent(auth as object) } as AuthConfig;
}

/** What would not fit into a function's environment, as far as its values are known already. */
export function environmentProblem(auth: unknown, allowedOrigins: unknown): string | undefined {
  const replaceLater = (_key: string, value: unknown) => (isLater(value) ? undefined : value);
  const json = JSON.stringify([auth, allowedOrigins], replaceLater);
  const bytes = Buffer.byteLength(json);
  return bytes > maxEnvironmentJsonBytes
    ? `auth and allowedOrigins: got ${bytes} bytes of JSON; allowed: ${maxEnvironmentJsonBytes}, since a function's ` +
        "environment holds 4 KB. To mend it, use jwksUri instead of jwks, or fewer origins."
    : undefined;
}

/** What is wrong with `auth`, as far as its values are known already. */
export function authProblem(auth: unknown): { path: string; text: string } | undefined {
  if (!isObject(auth)) {
    return { path: "auth", text: problemText(auth, "{ cognito } or { oidc }", "say who issues your users' tokens") };
  }
  // A key that YAML leaves empty is null.
  const { cognito, oidc, userClaim = "sub", cookieName = "access_token", ...unknown } = withoutAbsent(auth);
  const [unknownKey] = Object.keys(unknown);
  if (unknownKey !== undefined) {
    return { path: `auth.${unknownKey}`, text: unknownText("cognito, oidc, userClaim, cookieName") };
  }
  if ((cognito === undefined) === (oidc === undefined)) {
    const got = cognito === undefined ? "neither" : "both";
    return { path: "auth", text: `got ${got}; allowed: exactly one of cognito and oidc. To mend it, keep one.` };
  }
  if (!isLater(userClaim) && !isText(userClaim)) {
    return { path: "auth.userClaim", text: problemText(userClaim, "the name of a claim", 'leave it out for "sub"') };
  }
  // The characters of a token as RFC 6265 has them for a cookie's name.
  if (!isLater(cookieName) && !(isText(cookieName) && /^[\w!#$%&'*+.^`|~-]+$/.test(cookieName))) {
    return {
      path: "auth.cookieName",
      text: problemText(cookieName, "the name of a cookie", "take letters, digits, - and _"),
    };
  }
  return cognito === undefined ? oidcProblem(oidc) : cognitoProblem(cognito);
}

/** What is wrong with an allowed origin. */
export function originProblem(origin: unknown): string | undefined {
  if (isLater(origin)) {
    return undefined;
  }
  const url = isText(origin) ? parseUrl(origin) : undefined;
  // Compared with the browser's own header, character by character: only what a browser sends can ever match.
  if (!url || !["http:", "https:"].includes(url.protocol) || url.origin !== origin) {
    const fix =
      url && url.origin !== "null" ? `write ${JSON.stringify(url.origin)}` : "write https://app.your-domain.com";
    return problemText(
      origin,
      "scheme, host and port as a browser sends them, without path, wildcard or closing /",
      fix,
    );
  }
  return isPlaceholder(url.hostname)
    ? problemText(origin, "an origin of yours", "set the origin of your web app")
    : undefined;
}

function cognitoProblem(cognito: unknown): { path: string; text: string } | undefined {
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

function oidcProblem(oidc: unknown): { path: string; text: string } | undefined {
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
  const url = isText(value) ? parseUrl(value) : undefined;
  if (!url || url.protocol !== "https:" || (url.search !== "" && !mayHaveQuery) || url.hash !== "") {
    const allowed = mayHaveQuery ? "an https URL without fragment" : "an https URL without query and fragment";
    return problemText(value, allowed, `set ${what}`);
  }
  return isPlaceholder(url.hostname) ? problemText(value, "not a placeholder", `set ${what}`) : undefined;
}

/** The library's own, which it throws by when the function starts. */
const userPoolIdPattern = /^(eusc-[a-z]{2}|[a-z]{2})-(gov-)?[a-z]+-\d_[a-zA-Z0-9]+$/;

/** Names that RFC 2606 and RFC 6761 keep for documentation, and this project's own samples. */
function isPlaceholder(hostname: string): boolean {
  return /(^|\.)(example\.(com|net|org)|example|invalid|test|your-domain\.com)\.?$/.test(hostname);
}

function problemText(got: unknown, allowed: string, fix: string): string {
  return `got ${JSON.stringify(got)}; allowed: ${allowed}. To mend it, ${fix}.`;
}

function unknownText(allowed: string): string {
  return `got a key of that name; allowed: ${allowed}. To mend it, check the spelling.`;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isText(value: unknown): value is string {
  // Nothing is trimmed at run time: with a space around it, it would match nothing.
  return typeof value === "string" && value !== "" && value === value.trim();
}

function withoutAbsent(value: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null));
}

function isTextOrLater(value: unknown): boolean {
  return isText(value) || isLater(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
