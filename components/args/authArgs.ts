import type * as pulumi from "@pulumi/pulumi";
import type { AuthConfig, Authenticate } from "../../handlers/connect/auth/authenticate";
import { isClockTolerance } from "../../handlers/connect/auth/verifierSettings";
import { defaultsOf, unknownKeyProblem } from "./options";
import { refuseBadOrigins } from "./originArgs";
import { isDeferred, type Problem, problemText, redactOutputs, refuseProblem } from "./refuse";
import { spec } from "./spec";
import { cognitoProblem, oidcProblem } from "./tokenArgs";
import { isObject, isText, withoutAbsent } from "./values";

/** Who may connect, and who they are. Exactly one of `cognito`, `oidc` and `authenticate`. */
export interface AuthArgs {
  /** Tokens of an Amazon Cognito user pool, access or id. @default none: another kind decides */
  cognito?: {
    /** `eu-west-1_a1b2c3d4e` */
    userPoolId: pulumi.Input<string>;
    /** The app clients whose tokens are accepted: `client_id` of access tokens, `aud` of id tokens. */
    clientIds: pulumi.Input<pulumi.Input<string>[]>;
  };
  /** Tokens of an OpenID Connect issuer. @default none: another kind decides */
  oidc?: {
    /** Compared with the claim `iss` exactly. An https URL, since keys are fetched from it; any text next to `jwksUri` or `jwks`. */
    issuer: pulumi.Input<string>;
    /** What `aud` has to contain; one of them, if several are given. Null, for issuers that set no `aud`, requires `authorizedParties`. */
    audience: pulumi.Input<string | string[]> | null;
    /** The values of the claim `azp` to accept; a token without `azp` is refused then. @default null: `azp` is not checked */
    authorizedParties?: pulumi.Input<pulumi.Input<string>[]> | null;
    /** Where the issuer's keys are; https. @default `{issuer}/.well-known/jwks.json` */
    jwksUri?: pulumi.Input<string>;
    /** The keys themselves; nothing is ever fetched then. @default fetched from `jwksUri` and cached */
    jwks?: pulumi.Input<{ keys: Record<string, unknown>[] }>;
  };
  /**
   * A callback of yours that says who a handshake is of: `{ code, expiresAt? }`, or `null`, which is answered 401; where it
   * throws, 500. Bundled into `connect`'s archive: reach modules by `require` inside it, and capture no secret, since what
   * it captures stands in the archive in plain text. @default none: another kind decides
   */
  authenticate?: Authenticate;
  /**
   * The folder from which the `require`s of `authenticate` resolve, of files and of packages; mostly `__dirname`. Only beside
   * `authenticate`. @default process.cwd(), the program's folder
   */
  requireFrom?: string;
  /** The claim that is the user's code, to which backends address messages. Not beside `authenticate`. @default "sub" */
  userClaim?: pulumi.Input<string>;
  /**
   * Seconds by which the issuer's clock may differ from AWS's, 0 to 300: a token is accepted that long before its `nbf`, and
   * after its `exp` unless `endSessionWithToken` is set. Not with `authenticate`. @default 5
   */
  clockToleranceSeconds?: pulumi.Input<number>;
  /** The cookie that may carry the token where neither the Authorization header nor a subprotocol does. @default "access_token" */
  cookieName?: pulumi.Input<string>;
  /**
   * Whether a session ends with the token that opened it: its connection is closed within two minutes of the token's `exp`
   * (of the callback's `expiresAt`), by a function that a rule calls every minute, and nothing is delivered to it any more.
   * Adds an index to the table. @default false: a connection outlives its token, by two hours at most
   */
  endSessionWithToken?: boolean;
}

const { keys } = spec.auth;

const authDefaults = defaultsOf(keys);

/** A Lambda function's environment holds 4,096 bytes in all; the rest is for the ARNs and URLs beside it. */
const maxEnvironmentJsonBytes = 3_072;

/**
 * What `connect` gets in its environment, checked once every output is known. `null` where nobody is authenticated.
 *
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveAuth(auth: unknown, allowedOrigins: readonly string[] | null): AuthConfig | null {
  const problem = authProblem(auth);
  refuseProblem(problem?.path ?? "auth", problem?.text);
  if (allowedOrigins !== null) refuseBadOrigins(allowedOrigins);
  refuseProblem("auth", environmentProblem(auth, allowedOrigins));
  if (auth === null) return null;
  const given: Record<string, unknown> = { ...authDefaults, ...withoutAbsent(auth as object) };
  const { authenticate, endSessionWithToken, ...settings } = given;
  delete settings.requireFrom;
  return {
    ...settings,
    ...(authenticate !== undefined && { authenticate: true }),
    ...(endSessionWithToken === true && { endSessionWithToken }),
  } as AuthConfig;
}

/** What would not fit into a function's environment, as far as its values are known already. */
export function environmentProblem(auth: unknown, allowedOrigins: unknown): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(redactOutputs([auth, allowedOrigins], undefined)));
  return bytes > maxEnvironmentJsonBytes
    ? `auth and allowedOrigins: got ${bytes} bytes of JSON; allowed: ${maxEnvironmentJsonBytes}, since a function's ` +
        "environment holds 4 KB. Fix: use jwksUri instead of jwks, or fewer origins."
    : undefined;
}

/** What is wrong with `auth`, as far as its values are known already. */
export function authProblem(auth: unknown): Problem | undefined {
  if (auth === null) return undefined;
  // Its kind decides what is registered.
  if (isDeferred(auth)) {
    return { path: "auth", text: problemText(auth, "an object, whose values may be outputs", "unwrap it") };
  }
  if (!isObject(auth)) {
    const allowed = "{ cognito }, { oidc } or { authenticate }; null in a program, to let everybody in";
    return { path: "auth", text: problemText(auth, allowed, "say who issues your users' tokens") };
  }
  const given = withoutAbsent(auth);
  const unknownKey = unknownKeyProblem("auth", given, keys);
  if (unknownKey !== undefined) return unknownKey;

  const kinds = authKinds.filter((kind) => given[kind] !== undefined);
  if (kinds.length !== 1) {
    const got = kinds.length === 0 ? "none" : kinds.join(" and ");
    return { path: "auth", text: `got ${got}; allowed: exactly one of ${authKinds.join(", ")}. Fix: keep one.` };
  }
  return settingsProblem(given) ?? kindProblem(given);
}

const authKinds = ["cognito", "oidc", "authenticate"];

function settingsProblem(given: Record<string, unknown>): Problem | undefined {
  const { userClaim, clockToleranceSeconds, cookieName, endSessionWithToken } = { ...authDefaults, ...given };
  if (!isDeferred(userClaim) && !isText(userClaim)) {
    return {
      path: "auth.userClaim",
      text: problemText(userClaim, "the name of a claim", `leave it out for "${authDefaults.userClaim}"`),
    };
  }
  if (!isDeferred(clockToleranceSeconds) && !isClockTolerance(clockToleranceSeconds)) {
    const { min, max, default: byDefault } = keys.clockToleranceSeconds;
    const allowed = `a whole number from ${min} to ${max}`;
    const text = problemText(clockToleranceSeconds, allowed, `leave it out for ${byDefault}`);
    return { path: "auth.clockToleranceSeconds", text };
  }
  // The characters of a token as RFC 6265 has them for a cookie's name.
  if (!isDeferred(cookieName) && !(isText(cookieName) && /^[\w!#$%&'*+.^`|~-]+$/.test(cookieName))) {
    return {
      path: "auth.cookieName",
      text: problemText(cookieName, "the name of a cookie", "take letters, digits, - and _"),
    };
  }
  if (typeof endSessionWithToken !== "boolean") {
    return {
      path: "auth.endSessionWithToken",
      text: problemText(endSessionWithToken, "true or false, without quotes", "leave it out for false"),
    };
  }
  return undefined;
}

function kindProblem({
  cognito,
  oidc,
  authenticate,
  requireFrom,
  userClaim,
  clockToleranceSeconds,
}: Record<string, unknown>): Problem | undefined {
  if (authenticate === undefined) {
    if (requireFrom !== undefined) {
      return { path: "auth.requireFrom", text: problemText(requireFrom, "only beside authenticate", "remove it") };
    }
    return cognito === undefined ? oidcProblem(oidc) : cognitoProblem(cognito);
  }
  if (typeof authenticate !== "function") {
    const fix = "write it in a program of your own: no stack config can hold a function";
    return { path: "auth.authenticate", text: problemText(authenticate, "an async function", fix) };
  }
  if (requireFrom !== undefined && !isText(requireFrom)) {
    return { path: "auth.requireFrom", text: problemText(requireFrom, "the path of a folder", "write __dirname") };
  }
  if (userClaim !== undefined) {
    const allowed = "no claim beside authenticate, which itself answers the user's code";
    return { path: "auth.userClaim", text: problemText(userClaim, allowed, "remove it") };
  }
  if (clockToleranceSeconds !== undefined) {
    const text = problemText(
      clockToleranceSeconds,
      "only with cognito or oidc",
      "remove it: the callback checks times",
    );
    return { path: "auth.clockToleranceSeconds", text };
  }
  return undefined;
}
