import * as pulumi from "@pulumi/pulumi";
import type { AuthConfig } from "../handlers/authenticate";

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
  const resolved = { ...authDefaults, ...(auth as Omit<AuthConfig, keyof typeof authDefaults>) } as AuthConfig;
  const bytes = Buffer.byteLength(JSON.stringify(resolved)) + Buffer.byteLength(JSON.stringify(allowedOrigins));
  if (bytes > maxEnvironmentJsonBytes) {
    throw new pulumi.InputPropertyError({
      propertyPath: "auth",
      reason:
        `auth and allowedOrigins: got ${bytes} bytes of JSON; allowed: ${maxEnvironmentJsonBytes}, since a function's ` +
        "environment holds 4 KB. To mend it, use jwksUri instead of jwks, or fewer origins.",
    });
  }
  return resolved;
}

/** What is wrong with `auth`, as far as its values are known already. */
export function authProblem(auth: unknown): { path: string; text: string } | undefined {
  if (!isObject(auth)) {
    return { path: "auth", text: problemText(auth, "{ cognito } or { oidc }", "say who issues your users' tokens") };
  }
  const { cognito, oidc, userClaim = "sub", cookieName = "access_token", ...unknown } = auth;
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
    if (!isText(userPoolId) || !/^[\w-]+_[0-9a-zA-Z]+$/.test(userPoolId)) {
      const text = problemText(userPoolId, "a user pool id such as eu-west-1_a1b2c3d4e", "copy it from the user pool");
      return { path: "auth.cognito.userPoolId", text };
    }
    if (/_example$/i.test(userPoolId)) {
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
  const jwksUriText = jwksUri === undefined ? undefined : httpsProblem(jwksUri, "the URL of the issuer's keys");
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
  return undefined;
}

function httpsProblem(value: unknown, what: string): string | undefined {
  if (isLater(value)) {
    return undefined;
  }
  const url = isText(value) ? parseUrl(value) : undefined;
  if (!url || url.protocol !== "https:" || url.search !== "" || url.hash !== "") {
    return problemText(value, "an https URL", `set ${what}`);
  }
  return isPlaceholder(url.hostname) ? problemText(value, "not a placeholder", `set ${what}`) : undefined;
}

/** Names that RFC 2606 and RFC 6761 keep for documentation: what a sample config holds. */
function isPlaceholder(hostname: string): boolean {
  return /(^|\.)(example\.(com|net|org)|example|invalid|test)$/.test(hostname);
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
  return typeof value === "string" && value.trim() !== "";
}

function isTextOrLater(value: unknown): boolean {
  return isText(value) || isLater(value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLater(value: unknown): boolean {
  return pulumi.Output.isInstance(value) || value instanceof Promise;
}
