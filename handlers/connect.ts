import { type Authenticator, jwtAuthenticator } from "./authenticate";
import { authConfig, type Environment, positiveInteger, stringList } from "./environment";
import { credentialOf, type Handshake, originIsAllowed, requestedContext } from "./handshake";
import { consoleLog, errorFields, type Log, type LogFields } from "./log";
import { callerIdOf } from "./session";
import { type SessionStore, sessionStoreFromEnvironment } from "./sessions";

export interface ConnectDependencies {
  authenticator: Authenticator;
  sessions: SessionStore;
  /** Compared exactly, scheme, host and port; the API's own origin is among them. */
  allowedOrigins: readonly string[];
  cookieName: string;
  sessionTtlSeconds: number;
  /** @default the console */
  log?: Log;
}

/** What the gateway makes the handshake's answer of: anything but 2xx refuses it. */
export interface Answer {
  statusCode: number;
  body: string;
}

/** Called for `$connect`: answers 200 and has saved the session, or refuses the handshake with 400, 401, 403, 409 or 500. */
export function connect(dependencies: ConnectDependencies): (handshake: Handshake) => Promise<Answer> {
  const { authenticator, sessions, allowedOrigins, cookieName, sessionTtlSeconds, log = consoleLog } = dependencies;

  return async function connectHandler(handshake) {
    const { connectionId, connectedAt } = handshake.requestContext;
    const refuse = (statusCode: number, message: string, fields?: LogFields) => {
      log[statusCode === 500 ? "error" : "warn"]("refused", { connectionId, statusCode, reason: message, ...fields });
      return answer(statusCode, message);
    };

    // The cheapest checks first: each spares the ones below.
    const context = requestedContext(handshake);
    if (context.reason !== undefined) return refuse(400, context.reason);
    const credential = credentialOf(handshake, cookieName);
    if (credential.reason !== undefined) return refuse(401, credential.reason);
    if (credential.value.source === "cookie" && !originIsAllowed(handshake, allowedOrigins)) {
      return refuse(403, "the origin is not allowed");
    }

    try {
      const { user, refused } = await authenticator.authenticate(credential.value.token);
      // Why exactly is for the log: the client learns nothing from it that an attacker would not.
      if (refused !== undefined) return refuse(401, "the token is not accepted", { detail: refused });
      const callerId = callerIdOf(user);
      if (callerId.reason !== undefined) return refuse(401, "the token is not accepted", { detail: callerId.reason });

      const session = {
        callerId: callerId.value,
        context: context.value,
        connectionId,
        connectedAt,
        expirationDate: Math.floor(connectedAt / 1000) + sessionTtlSeconds,
      };
      if ((await sessions.save(session)) === "superseded") {
        return refuse(409, "a newer connection has this session", { callerId: callerId.value, context: context.value });
      }
      log.info("connected", { connectionId, callerId: callerId.value, context: context.value });
      return answer(200, "connected");
    } catch (error) {
      return refuse(500, "the connection could not be checked or saved", errorFields(error));
    }
  };
}

/** `connect` as the component deploys it. */
export function connectFromEnvironment(environment: Environment): (handshake: Handshake) => Promise<Answer> {
  const auth = authConfig(environment);
  return connect({
    authenticator: jwtAuthenticator(auth),
    sessions: sessionStoreFromEnvironment(environment),
    allowedOrigins: stringList(environment, "ALLOWED_ORIGINS"),
    cookieName: auth.cookieName,
    sessionTtlSeconds: positiveInteger(environment, "SESSION_TTL_SECONDS"),
  });
}

function answer(statusCode: number, message: string): Answer {
  return { statusCode, body: JSON.stringify({ message }) };
}
