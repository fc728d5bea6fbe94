import type * as pulumi from "@pulumi/pulumi";
import type { AuthConfig, Authenticate } from "../../handlers/connect/auth/authenticate";
import { isClockTolerance } from "../../handlers/connect/auth/verifierSettings";
import { isObject } from "../../handlers/isObject";
import { defaultsOf, unknownKeyProblem } from "./options";
import { refuseBadOrigins } from "./originArgs";
import { isDeferred, type Problem, problemText, redactOutputs, refuseProblem } from "./refuse";
import { spec } from "./spec";
import { cognitoProblem, oidcProblem } from "./tokenArgs";
import { isText, withoutAbsent } from "./values";

/** Who may connect, and which user they are. Exactly one of `cognito`, `oidc` and `authenticate`. */
export interface AuthArgs {
  /** Accepts access tokens and ID tokens of an Amazon Cognito user pool. @default not used */
  cognito?: {
    /** The ID of the user pool: `eu-west-1_a1b2c3d4e`. */
    userPoolId: pulumi.Input<string>;
    /** The app clients whose tokens are accepted: `client_id` of access tokens, `aud` of ID tokens. At least one. */
    clientIds: pulumi.Input<pulumi.Input<string>[]>;
  };
  /** Accepts tokens of an OpenID Connect issuer. @default not used */
  oidc?: {
    /**
     * The claim `iss` of accepted tokens. Compared exactly. An https URL, from which keys are fetched; any string together with
     * `jwksUri` or `jwks`.
     */
    issuer: pulumi.Input<string>;
    /**
     * The claim `aud` of accepted tokens; of a list, one is enough. `null`, for issuers that set no `aud`, requires
     * `authorizedParties`.
     */
    audience: pulumi.Input<string | string[]> | null;
    /** The values of the claim `azp` to accept; a token without `azp` is then refused. @default null: `azp` is not checked */
    authorizedParties?: pulumi.Input<pulumi.Input<string>[]> | null;
    /** The https URL of the issuer's keys. There is no OIDC discovery. @default `{issuer}/.well-known/jwks.json` */
    jwksUri?: pulumi.Input<string>;
    /** The issuer's public keys themselves. Nothing is fetched then. @default the keys are fetched from `jwksUri` and cached */
    jwks?: pulumi.Input<{ keys: Record<string, unknown>[] }>;
  };
  /**
   * A callback of your own that answers whose handshake it is: `{ code, expiresAt? }`, or `null` to answer 401. Where it throws,
   * the answer is 500. It is bundled into `connect`'s archive: reach modules by `require` inside it, and capture no secret,
   * since captured values are in the archive in plain text. @default not used
   */
  authenticate?: Authenticate;
  /**
   * The folder from which `require` inside `authenticate` resolves files and packages, usually `__dirname`. Only with
   * `authenticate`. @default process.cwd(), the program's folder
   */
  requireFrom?: string;
  /** The claim that holds the user's ID, to which backends address messages. Not with `authenticate`. @default "sub" */
  userClaim?: pulumi.Input<string>;
  /**
   * Seconds by which the issuer's clock may differ from AWS's, 0 to 300: a token is accepted that long before its `nbf` and,
   * unless `endSessionWithToken` is set, after its `exp`. Not with `authenticate`. @default 5
   */
  clockToleranceSeconds?: pulumi.Input<number>;
  /** The cookie that may carry the token where neither the Authorization header nor a subprotocol does. @default "access_token" */
  cookieName?: pulumi.Input<string>;
  /**
   * Whether a session ends when its token (`exp`) or the callback's `expiresAt` expires: nothing more is delivered to it, and a
   * function that runs every minute closes its connection within two minutes. Adds an index to the table.
   * @default false: a connection can outlive its token by up to two hours
   */
  endSessionWithToken?: boolean;
}

const { keys } = spec.auth;

const authDefaults = defaultsOf(keys);

/** A Lambda function's environment holds 4,096 bytes in all; the rest is for ARNs and URLs. */
const maxEnvironmentJsonBytes = 3_072;

/**
 * The value of AUTH in `connect`'s environment, checked once all outputs are known. `null` turns authentication off.
 *
 * @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix.
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

/** Why `auth` and `allowedOrigins` do not fit into a function's environment, as far as their values are known. */
export function environmentProblem(auth: unknown, allowedOrigins: unknown): string | undefined {
  const bytes = Buffer.byteLength(JSON.stringify(redactOutputs([auth, allowedOrigins], undefined)));
  return bytes > maxEnvironmentJsonBytes
    ? `auth and allowedOrigins: got ${bytes} bytes of JSON; allowed: ${maxEnvironmentJsonBytes}, since a function's ` +
        "environment holds 4 KB. Fix: use jwksUri instead of jwks, or fewer origins."
    : undefined;
}

/** What is wrong with `auth`, as far as its values are known. */
export function authProblem(auth: unknown): Problem | undefined {
  if (auth === null) return undefined;
  // Its kind decides which resources are registered.
  if (isDeferred(auth)) {
    return { path: "auth", text: problemText(auth, "an object, whose values may be outputs", "unwrap it") };
  }
  if (!isObject(auth)) {
    const allowed = "{ cognito }, { oidc } or { authenticate }; null in a program, to accept every client";
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
  // RFC 6265: a cookie's name is a token.
  if (!isDeferred(cookieName) && !(isText(cookieName) && /^[\w!#$%&'*+.^`|~-]+$/.test(cookieName))) {
    return {
      path: "auth.cookieName",
      text: problemText(cookieName, "the name of a cookie", "use letters, digits, - and _"),
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
      return { path: "auth.requireFrom", text: problemText(requireFrom, "only with authenticate", "remove it") };
    }
    return cognito === undefined ? oidcProblem(oidc) : cognitoProblem(cognito);
  }
  if (typeof authenticate !== "function") {
    const fix = "write it in a program of your own: a stack config cannot hold a function";
    return { path: "auth.authenticate", text: problemText(authenticate, "an async function", fix) };
  }
  if (requireFrom !== undefined && !isText(requireFrom)) {
    return { path: "auth.requireFrom", text: problemText(requireFrom, "the path of a folder", "write __dirname") };
  }
  if (userClaim !== undefined) {
    const allowed = "no claim with authenticate, which itself answers the user's code";
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
