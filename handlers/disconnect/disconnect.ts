import { type ConnectionIndex, DynamoDbConnectionIndex } from "../connections/connectionIndex";
import { type ConnectionLookups, DynamoDbConnectionLookups } from "../connections/connectionLookups";
import { type Environment, text } from "../environment";
import { consoleLog, errorFields, type Log } from "../log";
import type { SessionKey } from "../sessions/sessionKey";
import { DynamoDbSessionRows } from "../sessions/sessionRows";
import type { SessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";

export interface DisconnectDependencies {
  sessions: Pick<SessionStore, "removeConnection">;
  lookups: Pick<ConnectionLookups, "remove">;
  /** @default the sessions of connections that were opened under 0.1.0 are not found */
  index?: ConnectionIndex;
  /** @default the console */
  log?: Log;
}

/** The fields that a `$disconnect` event always has: it has no query and not the client's headers. */
export interface Disconnection {
  requestContext: { connectionId: string; requestId: string };
}

type DisconnectHandler = (event: Disconnection) => Promise<{ statusCode: number; body: string }>;

/**
 * Called for `$disconnect`, which is best effort and may come after the client has reconnected. Removes the connection from its
 * session's row, and its lookup. The session stays if it belongs to another connection. Answers 200, or 500 if the table fails,
 * which does not affect the client.
 */
export function disconnect(given: DisconnectDependencies): DisconnectHandler {
  const dependencies = { log: consoleLog, ...given };
  const { sessions, log } = dependencies;

  return async function disconnectHandler({ requestContext: { connectionId, requestId } }) {
    try {
      const keys = await sessionsOf(connectionId, dependencies);
      const removals = keys.map((key) => sessions.removeConnection(key, connectionId));
      // Each is attempted, even if another fails.
      const results = await Promise.allSettled(removals);
      for (const result of results) if (result.status === "rejected") throw result.reason;
      const ended = results.filter((result) => result.status === "fulfilled" && result.value);
      log.info("disconnected", { connectionId, requestId, sessions: ended.length });
      return { statusCode: 200, body: JSON.stringify({ message: "disconnected" }) };
    } catch (error) {
      log.error("disconnect failed", { connectionId, requestId, ...errorFields(error) });
      return { statusCode: 500, body: JSON.stringify({ message: "the session could not be cleared" }) };
    }
  };
}

/** `disconnect` as the component deploys it. */
export function disconnectFromEnvironment(environment: Environment): DisconnectHandler {
  const client = tableClient();
  const tableName = text(environment, "TABLE_NAME");
  const { CONNECTION_INDEX_NAME: indexName } = environment;
  return disconnect({
    sessions: new DynamoDbSessionRows(client, { tableName }),
    lookups: new DynamoDbConnectionLookups(client, { tableName }),
    index: indexName ? new DynamoDbConnectionIndex(client, { tableName, indexName }) : undefined,
  });
}

/**
 * The sessions of a connection that has ended. Its lookup is deleted as it is read, which costs no read: should the session
 * not be cleared then, `deliver` finds the connection gone.
 */
async function sessionsOf(
  connectionId: string,
  { lookups, index }: Pick<DisconnectDependencies, "lookups" | "index">,
): Promise<SessionKey[]> {
  const lookup = await lookups.remove(connectionId);
  return lookup ? [lookup.session] : ((await index?.find(connectionId)) ?? []);
}
