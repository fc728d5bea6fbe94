import { connectionIdOf } from "../connections/connectionItems";
import { type Environment, text } from "../environment";
import { consoleLog, errorFields, type Log } from "../log";
import { type SessionStore, sessionStoreFromEnvironment } from "../sessions/sessionStore";

export interface DisconnectDependencies {
  sessions: SessionStore;
  /** @default the console */
  log?: Log;
}

/** The fields that a `$disconnect` event always has: it has no query and not the client's headers. */
export interface Disconnection {
  requestContext: { connectionId: string; requestId: string };
}

type DisconnectHandler = (event: Disconnection) => Promise<{ statusCode: number; body: string }>;

/**
 * Called for `$disconnect`, which is best effort and may come after the client has reconnected. Deletes the connection's item,
 * and the session only if it still belongs to that connection. Answers 200, or 500 if the table fails, which does not affect
 * the client.
 */
export function disconnect({ sessions, log = consoleLog }: DisconnectDependencies): DisconnectHandler {
  return async function disconnectHandler({ requestContext: { connectionId, requestId } }) {
    try {
      // The index lags: the table's TTL deletes a connection's item that it does not show yet.
      const keys = await sessions.findByConnection(connectionId);
      const deletions = keys.map((key) => sessions.deleteIfConnection(key, connectionId));
      // Each is attempted, even if another fails.
      const failed = (await Promise.allSettled(deletions)).find(({ status }) => status === "rejected");
      if (failed) throw (failed as PromiseRejectedResult).reason;
      const cleared = keys.filter(({ context }) => connectionIdOf(context) === undefined);
      log.info("disconnected", { connectionId, requestId, sessions: cleared.length });
      return { statusCode: 200, body: JSON.stringify({ message: "disconnected" }) };
    } catch (error) {
      log.error("disconnect failed", { connectionId, requestId, ...errorFields(error) });
      return { statusCode: 500, body: JSON.stringify({ message: "the session could not be cleared" }) };
    }
  };
}

/** `disconnect` as the component deploys it. */
export function disconnectFromEnvironment(environment: Environment): DisconnectHandler {
  return disconnect({ sessions: sessionStoreFromEnvironment(environment, text(environment, "CONNECTION_INDEX_NAME")) });
}
