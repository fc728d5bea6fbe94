import { QUERY_PARAMETERS } from "../../../protocol";
import { type ClientRequest, headersOf } from "../clientRequest";
import { refusals } from "../refusals";
import { subprotocolTokens } from "../subprotocol";
import type { Authenticate, AuthenticateHandshake, Authentication, Authenticator } from "./authenticate";
import { cookiePairs, cookiesOf, credentialOf } from "./credential";
import { callbackRequiresOrigin, originIsAllowed } from "./origin";

export interface CallbackAuthenticatorDependencies {
  authenticate: Authenticate;
  cookieName: string;
  /** As {@link originIsAllowed} takes them; the API's own origins are among them. Null allows every origin. */
  allowedOrigins: readonly string[] | null;
  /** @default the clock */
  now?: () => number;
}

/** Authenticates by the user's own callback. */
export function callbackAuthenticator(dependencies: CallbackAuthenticatorDependencies): Authenticator {
  const { authenticate, cookieName, allowedOrigins, now = Date.now } = dependencies;
  return {
    async authenticate(request) {
      if (callbackRequiresOrigin(request) && !originIsAllowed(request, allowedOrigins)) {
        return { refused: refusals.originNotAllowed() };
      }

      const given = handshakeFor(request, credentialOf(request, cookieName).value?.tokens[0]);
      let answer: unknown;
      try {
        answer = await authenticate(given);
      } catch (error) {
        throw new Error(`authenticate threw ${described(error, sentBy(request))}`);
      }
      return authenticationOf(answer, now());
    },
  };
}

function handshakeFor(request: ClientRequest, token: string | undefined): AuthenticateHandshake {
  return {
    headers: headersOf(request),
    query: present(request.queryStringParameters ?? {}),
    cookies: cookiesOf(request),
    token,
    sourceIp: request.requestContext.identity?.sourceIp ?? "",
  };
}

/** Name and message, for the log, which no credential may reach. */
function described(error: unknown, sent: readonly string[]): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return (
    sent
      .filter((value) => value.length >= MIN_CREDENTIAL_LENGTH)
      // Longer ones first: otherwise the rest of a value that contains another would remain.
      .toSorted((a, b) => b.length - a.length)
      .reduce((hidden, value) => hidden.replaceAll(value, "[credential]"), text)
      .slice(0, 500)
  );
}

/** Values that a callback may use as a credential: headers and their parts, cookies, and the query except for the context. */
function sentBy(request: ClientRequest): string[] {
  const query = Object.entries(present(request.queryStringParameters ?? {}));
  return [
    ...Object.values(headersOf(request)).flatMap((value) => [value, ...partsOf(value)]),
    ...subprotocolTokens(request),
    ...cookiePairs(request).flatMap(([, value]) => [value, ...partsOf(value)]),
    ...query.flatMap(([name, value]) => (CONTEXT_PARAMETERS.includes(name) ? [] : value)),
  ];
}

/** The words of a header or a cookie, and the values after a name and its `=`. */
function partsOf(value: string): string[] {
  return value.split(/[\s,;"]+/).flatMap((part) => [part, part.slice(part.indexOf("=") + 1)]);
}

const CONTEXT_PARAMETERS: readonly string[] = [QUERY_PARAMETERS.context, QUERY_PARAMETERS.contextId];

/** Shorter than any usable credential, and longer than most words of a message. */
const MIN_CREDENTIAL_LENGTH = 8;

/** Epoch seconds have ten digits for the next two centuries; with twelve they are milliseconds, and would never pass. */
const MAX_EPOCH_SECONDS = 1e11;

function authenticationOf(answer: unknown, now: number): Authentication {
  if (answer === null) return { refused: refusals.notAccepted("authenticate answered null") };
  const { code, expiresAt } = (typeof answer === "object" ? answer : {}) as { code?: unknown; expiresAt?: unknown };
  if (typeof code !== "string" || code === "") {
    const got = typeof answer === "object" ? `an object whose code is ${kindOf(code)}` : kindOf(answer);
    throw new Error(`authenticate answered ${got}; allowed: null, or { code } with a non-empty string`);
  }
  if (expiresAt === undefined) return { user: code };
  if (typeof expiresAt !== "number" || !(expiresAt > 0 && expiresAt < MAX_EPOCH_SECONDS)) {
    const got = typeof expiresAt === "number" ? String(expiresAt) : kindOf(expiresAt);
    throw new Error(`authenticate answered an expiresAt of ${got}; allowed: epoch seconds, or none`);
  }
  if (expiresAt * 1000 <= now) return { refused: refusals.notAccepted("the expiresAt of authenticate has passed") };
  return { user: code, expiresAt };
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  return value === "" ? "an empty string" : `of type ${typeof value}`;
}

function present(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
