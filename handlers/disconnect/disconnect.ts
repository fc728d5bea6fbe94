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
  lookups: Pick<ConnectionLookups, "read" | "remove">;
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
 * session's row. The session stays if it has another connection. Answers 200, or 500 if the table fails,
 * which does not affect the client.
 */
export function disconnect(given: DisconnectDependencies): DisconnectHandler {
  const dependencies = { log: consoleLog, ...given };
  const { sessions, lookups, log } = dependencies;

  return async function disconnectHandler({ requestContext: { connectionId, requestId } }) {
    try {
      const { keys, isSwept } = await sessionsOf(connectionId, dependencies);
      const removals = keys.map((key) => sessions.removeConnection(key, connectionId));
      // Each is attempted, even if another fails.
      const results = await Promise.allSettled(removals);
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (isSwept) await lookups.remove(connectionId);
      // A superseded connection had none.
      const live = results.filter((result) => result.status === "fulfilled" && result.value);
      log.info("disconnected", { connectionId, requestId, sessions: live.length });
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
 * The sessions of a connection that has ended, and whether the session sweeper would look for the connection once its token ends.
 * Only then is its lookup deleted, and last: otherwise the table's TTL deletes it, for free. Until then, an acknowledgement that
 * the client sent before it closed the connection still finds its session if `$disconnect` is faster.
 */
async function sessionsOf(
  connectionId: string,
  { lookups, index }: Pick<DisconnectDependencies, "lookups" | "index">,
): Promise<{ keys: SessionKey[]; isSwept: boolean }> {
  const lookup = await lookups.read(connectionId);
  if (!lookup) return { keys: (await index?.find(connectionId)) ?? [], isSwept: false };
  return { keys: [lookup.session], isSwept: lookup.tokenExpiresAt !== undefined };
}
