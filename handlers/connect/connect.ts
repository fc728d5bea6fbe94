import { SUBPROTOCOLS } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { type ConnectionsClient, connectionsFromEnvironment } from "../connections/connectionsClient";
import { DynamoDbUserConnections } from "../connections/userConnections";
import { type Environment, oneOf, positiveInteger, text } from "../environment";
import { consoleLog, errorFields, type LogFields } from "../log";
import { type Metrics, METRICS, metricsFromEnvironment } from "../metrics";
import type { Session } from "../sessions/sessionItems";
import { callerIdOf, type Checked } from "../sessions/sessionKey";
import { CONNECTIONS } from "../sessions/sessionRow";
import { DynamoDbSessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";
import { timeLimit, unlessAborted } from "../timeLimit";
import { admit, type AdmitDependencies, CLEAN_UP_MS } from "./admit";
import { authConfig } from "./auth/authConfig";
import type { Authenticator } from "./auth/authenticate";
import { authenticatorFromEnvironment } from "./auth/authenticatorFromEnvironment";
import type { loadAuthenticate } from "./auth/loadAuthenticate";
import { endSuperseded } from "./endSuperseded";
import { goneConnections } from "./goneConnections";
import { requestedContext } from "./clientRequest";
import type { Handshake } from "./handshake";
import { type Refusal, refusals } from "./refusals";
import { answeredSubprotocol } from "./subprotocol";

/** `now` and `log` are by default the clock and the console; `connectionsOfSession` is `newest`. */
export type ConnectDependencies = Pick<
  AdmitDependencies,
  "sessions" | "userConnections" | "lookups" | "readsMarker" | "onAdmitted"
> &
  Partial<Pick<AdmitDependencies, "connectionsOfSession" | "now" | "log">> & {
    authenticator: Authenticator;
    /** @default connections that have lost their place are neither told nor closed, and none is checked */
    connections?: Pick<ConnectionsClient, "post" | "isGone" | "close">;
    /** Whether connections are told that they have lost their place. @default false: no client of retry mode knows the notice */
    notifies?: boolean;
    metrics: Metrics;
    sessionTtlSeconds: number;
    /** Whether the session ends with the token that opened it. */
    endSessionWithToken: boolean;
    /** The subprotocol to answer, or why none of the offered ones is acceptable. @default {@link answeredSubprotocol} */
    chooseSubprotocol?: (handshake: Handshake) => Checked<string | undefined>;
  };

/** The gateway's answer to the handshake: any status except 2xx refuses it. */
export interface Answer {
  statusCode: number;
  headers?: Record<string, string>;
  body: string;
}

/** The part of Lambda's context that the handler uses. */
export interface Invocation {
  getRemainingTimeInMillis(): number;
}

type ConnectHandler = (handshake: Handshake, invocation: Invocation) => Promise<Answer>;

/**
 * Reserved at the end of the function's time: for the cleanup, for a pause of the SDK before a retry, which it does not stop, and
 * for the answer.
 */
export const RESERVED_MS = CLEAN_UP_MS + 2_000;

/**
 * Called for `$connect`: saves the session and answers 200, or refuses the handshake with 400, 401, 403, 409 or 500. If a service
 * does not respond, it answers 500 before the function's time is up.
 */
export function connect(given: ConnectDependencies): ConnectHandler {
  const filled = {
    connectionsOfSession: "newest" as const,
    now: Date.now,
    log: consoleLog,
    chooseSubprotocol: answeredSubprotocol,
    ...given,
  };
  const { metrics, log } = filled;
  const dependencies = { ...filled, ...placesWith(filled) };

  return async function connectHandler(handshake, invocation) {
    const { connectionId, requestId } = handshake.requestContext;
    const signal = timeLimit(invocation.getRemainingTimeInMillis() - RESERVED_MS);
    const { refused, session, subprotocol, fields } = await openSafely(handshake, dependencies, signal);
    const key = { callerId: session?.callerId, context: session?.context };
    if (refused) {
      const { statusCode, reason, message, detail = message } = refused;
      const level = statusCode === 500 ? "error" : "warn";
      log[level]("refused", { connectionId, requestId, statusCode, reason, detail, ...key, ...fields });
      metrics.add(METRICS.handshakesRefused, 1, reason);
    } else {
      log.info("connected", { connectionId, requestId, ...key });
      metrics.add(METRICS.handshakesAccepted, 1);
    }
    metrics.flush();
    return refused ? answer(refused.statusCode, refused.message) : answer(200, "connected", subprotocol);
  };
}

/** `connect` as the component deploys it in retry mode. `load` loads the user's own callback if AUTH has one. */
export function connectFromEnvironment(environment: Environment, load?: typeof loadAuthenticate): ConnectHandler {
  const dependencies = dependenciesFromEnvironment(environment, load);
  const { connectionsOfSession } = dependencies;
  // With `newest`, no connection is told, closed or checked.
  const connections = connectionsOfSession === "all" ? connectionsFromEnvironment(environment) : undefined;
  return connect({ ...dependencies, ...(connections && { connections }) });
}

/** What `connect` needs in both modes. */
export function dependenciesFromEnvironment(environment: Environment, load?: typeof loadAuthenticate) {
  const client = tableClient();
  const table = { tableName: text(environment, "TABLE_NAME") };
  return {
    authenticator: authenticatorFromEnvironment(environment, load),
    sessions: new DynamoDbSessionStore(client, table),
    userConnections: new DynamoDbUserConnections(client, table),
    lookups: new DynamoDbConnectionLookups(client, table),
    connectionsOfSession: oneOf(environment, "CONNECTIONS", CONNECTIONS),
    metrics: metricsFromEnvironment(environment),
    sessionTtlSeconds: positiveInteger(environment, "SESSION_TTL_SECONDS"),
    endSessionWithToken: authConfig(environment)?.endSessionWithToken ?? false,
  } satisfies ConnectDependencies;
}

interface Opened {
  refused?: Refusal;
  session?: Session;
  subprotocol?: string;
  fields?: LogFields;
}

type OpenDependencies = ConnectDependencies &
  AdmitDependencies &
  Required<Pick<ConnectDependencies, "chooseSubprotocol">>;

/** How a connection gets its place in the session, and what happens to those that lose theirs. */
function placesWith({
  connections,
  connectionsOfSession,
  notifies = false,
  onAdmitted,
  now,
  log,
}: ConnectDependencies & Pick<AdmitDependencies, "connectionsOfSession" | "now" | "log">): Pick<
  AdmitDependencies,
  "findGone" | "onAdmitted"
> {
  if (!connections) return { onAdmitted };
  // With `newest`, its client would connect again, and the two would take the session from each other for ever.
  const closes = connectionsOfSession === "all";
  return {
    findGone: (sessions, signal) => goneConnections(sessions, { connections, now, log }, signal),
    onAdmitted: async (admitted, signal) => {
      await onAdmitted?.(admitted, signal);
      // Last, since it cannot fail: if the handshake had failed, they would have their places again.
      await endSuperseded(admitted.superseded, { connections, notifies, closes, log });
    },
  };
}

async function openSafely(handshake: Handshake, dependencies: OpenDependencies, signal: AbortSignal): Promise<Opened> {
  try {
    return await open(handshake, dependencies, signal);
  } catch (error) {
    return { refused: refusals.internalError(), fields: { outOfTime: signal.aborted, ...errorFields(error) } };
  }
}

async function open(handshake: Handshake, dependencies: OpenDependencies, signal: AbortSignal): Promise<Opened> {
  const { authenticator, sessionTtlSeconds, endSessionWithToken, chooseSubprotocol } = dependencies;
  const { connectionId, connectedAt } = handshake.requestContext;

  // The cheapest checks first: each spares the ones below.
  const context = requestedContext(handshake);
  if (context.reason !== undefined) return { refused: refusals.badRequest(context.reason) };
  const subprotocol = chooseSubprotocol(handshake);
  if (subprotocol.reason !== undefined) return { refused: refusals.badRequest(subprotocol.reason) };
  const { user, expiresAt, refused } = await unlessAborted(authenticator.authenticate(handshake), signal);
  if (refused) return { refused };
  const callerId = callerIdOf(user);
  if (callerId.reason !== undefined) return { refused: refusals.notAccepted(callerId.reason) };

  const session: Session = {
    callerId: callerId.value,
    context: context.value,
    connectionId,
    connectedAt,
    expirationDate: Math.floor(connectedAt / 1000) + sessionTtlSeconds,
    ...(endSessionWithToken && expiresAt !== undefined && { tokenExpiresAt: expiresAt }),
    ...(subprotocol.value === SUBPROTOCOLS.v1 && { subprotocol: subprotocol.value }),
  };
  const refusal = await admit(session, dependencies, signal);
  return refusal ? { refused: refusal, session } : { session, subprotocol: subprotocol.value };
}

function answer(statusCode: number, message: string, subprotocol?: string): Answer {
  const headers = subprotocol === undefined ? undefined : { "Sec-WebSocket-Protocol": subprotocol };
  return { statusCode, ...(headers && { headers }), body: JSON.stringify({ message }) };
}
