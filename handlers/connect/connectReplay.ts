import { SUBPROTOCOLS } from "../../protocol";
import { connectionsFromEnvironment } from "../connections/connectionsClient";
import { type Environment, positiveInteger, text } from "../environment";
import type { FlushRequests } from "../raw/flushRequests";
import { servesRawClients } from "../raw/rawClients";
import { flushRequestsFromEnvironment } from "../raw/sqsFlushRequests";
import type { Checked } from "../sessions/sessionKey";
import { DynamoDbSessionMarkers, type SessionMarkers } from "../sessions/sessionMarkers";
import { tableClient } from "../tableClient";
import type { loadAuthenticate } from "./auth/loadAuthenticate";
import { connect, type ConnectDependencies, dependenciesFromEnvironment } from "./connect";
import type { Handshake } from "./handshake";
import { answeredSubprotocol, offered } from "./subprotocol";

export interface ConnectReplayDependencies
  extends
    Omit<ConnectDependencies, "chooseSubprotocol" | "readsMarker" | "onAdmitted" | "connections" | "notifies">,
    Required<Pick<ConnectDependencies, "connections">> {
  markers: Pick<SessionMarkers, "mark">;
  historyRetentionSeconds: number;
  /** @default clients that do not speak `websocket-relay.v1` are refused */
  flushRequests?: FlushRequests;
}

/** So that a session is marked at most once a day. */
const MARKED_BEYOND_RETENTION_SECONDS = 86_400;

/**
 * Called for `$connect` in replay mode: as `connect`, but a connection that loses its place is told, a session that was
 * connected counts as such for as long as the history keeps messages, and a raw client's missed messages are asked for.
 */
export function connectReplay(given: ConnectReplayDependencies): ReturnType<typeof connect> {
  const { markers, historyRetentionSeconds, flushRequests, ...dependencies } = given;
  const { now = Date.now } = dependencies;

  return connect({
    ...dependencies,
    chooseSubprotocol: flushRequests ? v1OrRaw : requiredSubprotocol,
    notifies: true,
    readsMarker: true,
    onAdmitted: async ({ session, markedUntil = 0 }, signal) => {
      const until = Math.floor(now() / 1000) + historyRetentionSeconds;
      if (markedUntil < until) await markers.mark(session, until + MARKED_BEYOND_RETENTION_SECONDS, signal);
      // Last, so that no request is sent for a connection that is then removed. A session is marked once a day.
      if (session.subprotocol === undefined) await flushRequests?.send(session, session.connectionId, signal);
    },
  });
}

/** `connect` as the component deploys it in replay mode. `load` loads the user's own callback if AUTH has one. */
export function connectReplayFromEnvironment(
  environment: Environment,
  load?: typeof loadAuthenticate,
): ReturnType<typeof connect> {
  return connectReplay({
    ...dependenciesFromEnvironment(environment, load),
    connections: connectionsFromEnvironment(environment),
    markers: new DynamoDbSessionMarkers(tableClient(), { tableName: text(environment, "TABLE_NAME") }),
    historyRetentionSeconds: positiveInteger(environment, "HISTORY_RETENTION_SECONDS"),
    ...(servesRawClients(environment) && { flushRequests: flushRequestsFromEnvironment(environment) }),
  });
}

/** A client that offers both can be resumed. */
function v1OrRaw(handshake: Handshake): Checked<string | undefined> {
  return offered(handshake).includes(SUBPROTOCOLS.v1)
    ? { value: SUBPROTOCOLS.v1 }
    : answeredSubprotocol(handshake, `${SUBPROTOCOLS.v1} or ${SUBPROTOCOLS.raw}`);
}

function requiredSubprotocol(handshake: Handshake): Checked<string> {
  return offered(handshake).includes(SUBPROTOCOLS.v1)
    ? { value: SUBPROTOCOLS.v1 }
    : { reason: `this relay requires a subprotocol that was not offered: offer ${SUBPROTOCOLS.v1}` };
}
