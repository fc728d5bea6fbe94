import pLimit from "p-limit";
import { type ConnectionLookups, DynamoDbConnectionLookups } from "../connections/connectionLookups";
import {
  type ConnectionsClient,
  connectionsFromEnvironment,
  YOUNG_CONNECTION_MS,
} from "../connections/connectionsClient";
import { DynamoDbTokenExpiryIndex, type TokenExpiryIndex } from "../connections/tokenExpiryIndex";
import { type Environment, text } from "../environment";
import { consoleLog, errorFields, type Log } from "../log";
import { type Metrics, METRICS, metricsFromEnvironment } from "../metrics";
import { DynamoDbSessionRows } from "../sessions/sessionRows";
import type { SessionStore } from "../sessions/sessionStore";
import { tableClient } from "../tableClient";
import { timeLimit } from "../timeLimit";
import { sweepShards } from "./sweepShards";

export interface SessionSweeperDependencies {
  index: TokenExpiryIndex;
  lookups: Pick<ConnectionLookups, "read" | "remove">;
  sessions: Pick<SessionStore, "removeConnection">;
  connections: Pick<ConnectionsClient, "close">;
  metrics: Metrics;
  /** Epoch milliseconds. @default the clock */
  now?: () => number;
  /** @default the console */
  log?: Log;
}

/** How the connections whose token had ended were handled. */
export interface SessionSweepResult {
  /** Closed by this invocation. */
  ended: number;
  /** Had already ended; their items are deleted. */
  gone: number;
  /** May be just opening, or no longer exist: checked again the next time, if they do. */
  left: number;
  /** Not closed or not deleted because of a fault: retried the next time. */
  failed: number;
}

/** The part of Lambda's context that the handler uses. */
interface Invocation {
  getRemainingTimeInMillis(): number;
}

type SessionSweeperHandler = (event: unknown, invocation: Invocation) => Promise<SessionSweepResult>;

/** Reserved at the end of the function's time, for the metrics and the answer. */
const ANSWERING_MS = 2_000;

/** Parallel connections: the SDK has 50 sockets for the gateway, and as many for the table. */
const MAX_PARALLEL = 25;

/**
 * Called every minute if sessions end with their token: closes the connections whose token has ended, and deletes their
 * items. Leaves the rest to the next invocation when time is up. Throws only if a part of the index cannot be read.
 */
export function sessionSweeper(given: SessionSweeperDependencies): SessionSweeperHandler {
  const dependencies = { now: Date.now, log: consoleLog, ...given };
  const { index, metrics, log, now } = dependencies;

  return async function sessionSweeperHandler(_event, invocation) {
    const signal = timeLimit(invocation.getRemainingTimeInMillis() - ANSWERING_MS);
    const limit = pLimit(MAX_PARALLEL);
    const swept: SessionSweepResult = { ended: 0, gone: 0, left: 0, failed: 0 };
    const unread = await sweepShards(
      (shard) => index.findExpired(shard, Math.floor(now() / 1000), signal),
      async (page) => {
        const results = await limit.map(page, (connectionId) => sweepOne(connectionId, dependencies, signal));
        for (const result of results) swept[result] += 1;
      },
      log,
      signal,
    );

    metrics.flush();
    log.info("sessions swept", { ...swept, outOfTime: signal.aborted });
    if (unread.length > 0) throw new Error(`the index by token expiry could not be read: shards ${unread.join(", ")}`);
    return swept;
  };
}

/** The session sweeper as the component deploys it. */
export function sessionSweeperFromEnvironment(environment: Environment): SessionSweeperHandler {
  const client = tableClient();
  const tableName = text(environment, "TABLE_NAME");
  return sessionSweeper({
    index: new DynamoDbTokenExpiryIndex(client, { tableName, indexName: text(environment, "TOKEN_EXPIRY_INDEX_NAME") }),
    lookups: new DynamoDbConnectionLookups(client, { tableName }),
    sessions: new DynamoDbSessionRows(client, { tableName }),
    connections: connectionsFromEnvironment(environment),
    metrics: metricsFromEnvironment(environment),
  });
}

/** Never rejects: a fault of one connection must not affect the others. */
async function sweepOne(
  connectionId: string,
  { sessions, lookups, connections, metrics, now, log }: Required<SessionSweeperDependencies>,
  signal: AbortSignal,
): Promise<keyof SessionSweepResult> {
  if (signal.aborted) return "left";
  try {
    const lookup = await lookups.read(connectionId, signal);
    // The index lags: the lookup may be gone.
    if (lookup?.tokenExpiresAt === undefined || lookup.tokenExpiresAt * 1000 > now()) return "left";
    const askedAt = now();
    const result = await connections.close(connectionId, signal);
    if (result === "closed") metrics.add(METRICS.sessionsEnded, 1);
    else if (askedAt - lookup.connectedAt < YOUNG_CONNECTION_MS) return "left";

    // The lookup last: as long as it exists, the connection is found again.
    await sessions.removeConnection(lookup.session, connectionId, signal);
    await lookups.remove(connectionId, signal);
    log.info("token ended", { connectionId, ...lookup.session, result });
    return result === "closed" ? "ended" : "gone";
  } catch (error) {
    log.error("connection not swept", { connectionId, ...errorFields(error) });
    return "failed";
  }
}
