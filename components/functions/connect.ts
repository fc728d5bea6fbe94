import type { ResolvedArgs } from "../args/args";
import { authentication, type AuthenticationSettings } from "./authentication";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, RelayParts, ReplayParts } from "./relayFunction";

/** Called for `$connect`. */
export const connectCallbacks = {
  retry: {
    module: "../../handlers/connect/connect",
    factory: () => {
      const handler = require("../../handlers/connect/connect") as typeof import("../../handlers/connect/connect");
      return handler.connectFromEnvironment(process.env);
    },
  },
  replay: {
    module: "../../handlers/connect/connectReplay",
    factory: () => {
      const handler =
        require("../../handlers/connect/connectReplay") as typeof import("../../handlers/connect/connectReplay");
      return handler.connectReplayFromEnvironment(process.env);
    },
  },
} satisfies Record<string, OwnCallback>;

export type ConnectSettings = AuthenticationSettings &
  Pick<
    ResolvedArgs,
    "delivery" | "sessionTtlSeconds" | "connections" | "historyRetentionSeconds" | "connectReservedConcurrentExecutions"
  >;

/** In replay mode, raw clients are accepted if there is a flush queue. */
export function connectSpec(
  { sessionTable, gateway, relayName, flushQueue }: RelayParts & Pick<ReplayParts, "flushQueue">,
  settings: ConnectSettings,
): FunctionSpec {
  const { delivery, sessionTtlSeconds, connections, historyRetentionSeconds } = settings;
  const { files, environment } = authentication(settings, gateway.origins);
  const replays = delivery === "replay";
  const managed = managedConnections({ replays, connections });
  return {
    callback: connectCallbacks[delivery],
    files,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      SESSION_TTL_SECONDS: String(sessionTtlSeconds),
      ...environment,
      RELAY_NAME: relayName,
      CONNECTIONS: connections,
      ...(managed.length > 0 && { MANAGEMENT_ENDPOINT: gateway.managementEndpoint }),
      ...(replays && { HISTORY_RETENTION_SECONDS: String(historyRetentionSeconds) }),
      ...(replays && (flushQueue ? { FLUSH_QUEUE_URL: flushQueue.url } : { RAW_CLIENTS: "false" })),
    },
    statements: [
      sessionTable.statement("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      ...(managed.length > 0 ? [gateway.manageConnectionsStatement(...managed)] : []),
      ...(flushQueue ? [{ Action: ["sqs:SendMessage"], Resource: [flushQueue.arn] }] : []),
    ],
    // Two attempts to fetch the issuer's keys, a second for the table, and what `connect` reserves to clean up and answer.
    timeoutSeconds: 12,
    reservedConcurrentExecutions: settings.connectReservedConcurrentExecutions,
  };
}

/** What connect does with the session's other connections. */
function managedConnections({
  replays,
  connections,
}: { replays: boolean } & Pick<ConnectSettings, "connections">): ("POST" | "GET" | "DELETE")[] {
  // In replay mode, a connection that loses its place is told.
  const told = replays ? (["POST"] as const) : [];
  // An eleventh connection: those that have ended are looked up, and the one that loses its place is closed.
  return connections === "all" ? [...told, "GET", "DELETE"] : [...told];
}
