import { type Superseded, SUBPROTOCOLS } from "../../protocol";
import { DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { type ConnectionsClient, connectionsFromEnvironment } from "../connections/connectionsClient";
import { DynamoDbUserConnections } from "../connections/userConnections";
import { type Environment, positiveInteger, text } from "../environment";
import { consoleLog, type Log } from "../log";
import { metricsFromEnvironment } from "../metrics";
import type { Session } from "../sessions/sessionItems";
import type { Checked } from "../sessions/sessionKey";
import { DynamoDbSessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";
import { authConfig } from "./auth/authConfig";
import { authenticatorFromEnvironment } from "./auth/authenticatorFromEnvironment";
import type { loadAuthenticate } from "./auth/loadAuthenticate";
import { connect, type ConnectDependencies } from "./connect";
import type { Handshake } from "./handshake";
import { offered } from "./subprotocol";

export type ConnectReplayDependencies = Omit<ConnectDependencies, "chooseSubprotocol" | "onSuperseded"> & {
  connections: Pick<ConnectionsClient, "post">;
};

/** Limits the notice: the connecting client must not wait for one that may be gone. */
const NOTICE_MS = 1_000;

/**
 * Called for `$connect` in replay mode: as `connect`, but refuses a client that does not ask for envelopes, and notifies
 * the connection whose session it takes over.
 */
export function connectReplay(given: ConnectReplayDependencies): ReturnType<typeof connect> {
  const { connections, log = consoleLog, ...dependencies } = given;
  const onSuperseded = async (superseded: readonly Session[]) => {
    await Promise.all(superseded.map((each) => notify(each, connections, log)));
  };
  return connect({ ...dependencies, log, chooseSubprotocol: requiredSubprotocol, onSuperseded });
}

/** `connect` as the component deploys it in replay mode. `load` loads the user's own callback if AUTH has one. */
export function connectReplayFromEnvironment(
  environment: Environment,
  load?: typeof loadAuthenticate,
): ReturnType<typeof connect> {
  const client = tableClient();
  const table = { tableName: text(environment, "TABLE_NAME") };
  return connectReplay({
    authenticator: authenticatorFromEnvironment(environment, load),
    sessions: new DynamoDbSessionStore(client, table),
    userConnections: new DynamoDbUserConnections(client, table),
    lookups: new DynamoDbConnectionLookups(client, table),
    connections: connectionsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
    sessionTtlSeconds: positiveInteger(environment, "SESSION_TTL_SECONDS"),
    endSessionWithToken: authConfig(environment)?.endSessionWithToken ?? false,
  });
}

/** A client that does not acknowledge and has no cursor to resume from would lose messages in this mode. */
function requiredSubprotocol(handshake: Handshake): Checked<string> {
  return offered(handshake).includes(SUBPROTOCOLS.v1)
    ? { value: SUBPROTOCOLS.v1 }
    : { reason: `this relay requires a subprotocol that was not offered: offer ${SUBPROTOCOLS.v1}` };
}

/** Never rejects: the handshake does not depend on it, and the other connection gets no more messages in any case. */
async function notify(
  { connectionId, callerId, context, subprotocol }: Session,
  connections: Pick<ConnectionsClient, "post">,
  log: Log,
): Promise<void> {
  // A connection from retry mode would take the notice for a message.
  if (subprotocol !== SUBPROTOCOLS.v1) return;
  const notice: Superseded = { type: "superseded" };
  const { result, detail } = await connections.post(
    connectionId,
    JSON.stringify(notice),
    AbortSignal.timeout(NOTICE_MS),
  );
  if (result === "delivered") log.info("superseded", { connectionId, callerId, context });
  // The connection is often gone: that is why its client has reconnected.
  else log.info("superseded connection not notified", { connectionId, callerId, context, result, detail });
}
