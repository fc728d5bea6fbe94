import { type Environment, text } from "../environment";
import { consoleLog, errorFields, type Log } from "../log";
import { type SessionStore, sessionStoreFromEnvironment } from "../sessions/sessionStore";
import { connectionIdOf } from "../connections/connectionItems";

export interface DisconnectDependencies {
  sessions: SessionStore;
  /** @default the console */
  log?: Log;
}

/** What a `$disconnect` event is sure to carry: neither query nor the client's headers. */
export interface Disconnection {
  requestContext: { connectionId: string; requestId: string };
}

type DisconnectHandler = (event: Disconnection) => Promise<{ statusCode: number; body: string }>;

/**
 * Called for `$disconnect`, which is best effort and may come after the client is back: deletes the connection's item, and the
 * session only if it is still that connection's, and answers 200; or 500 where the table fails, which changes nothing for the
 * client.
 */
export function disconnect({ sessions, log = consoleLog }: DisconnectDependencies): DisconnectHandler {
  return async function disconnectHandler({ requestContext: { connectionId, requestId } }) {
    try {
      // The index lags: a connection's item that it does not show yet goes with the table's expiry.
      const keys = await sessions.findByConnection(connectionId);
      const deletions = keys.map((key) => sessions.deleteIfConnection(key, connectionId));
      // Each is given its chance, whatever becomes of the others.
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
