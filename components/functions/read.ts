import { authentication, type AuthenticationSettings } from "./authentication";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, ReplayParts } from "./relayFunction";
import { historyEnvironment } from "./replayAccess";

/** Called with a request for the messages of a session, in replay mode. */
export const readCallback: OwnCallback = {
  module: "../../handlers/read/read",
  factory: () => {
    const handler = require("../../handlers/read/read") as typeof import("../../handlers/read/read");
    return handler.readFromEnvironment(process.env);
  },
};

export function readSpec(parts: ReplayParts, settings: AuthenticationSettings): FunctionSpec {
  const { sessionTable, historyTable, relayName } = parts;
  // No origin of the API's own, since it serves no pages.
  const { files, environment } = authentication(settings);
  return {
    callback: readCallback,
    files,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      ...historyEnvironment(parts),
      ...environment,
      RELAY_NAME: relayName,
    },
    statements: [
      sessionTable.statement("dynamodb:GetItem"),
      historyTable.statement("dynamodb:Query", "dynamodb:GetItem"),
    ],
    // As for `connect`, which authenticates in the same way.
    timeoutSeconds: 12,
  };
}
