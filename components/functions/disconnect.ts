import { SessionTable } from "../data/sessionTable";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, RelayParts } from "./relayFunction";

/** Called for `$disconnect`, in both modes. */
export const disconnectCallback: OwnCallback = {
  module: "../../handlers/disconnect/disconnect",
  factory: () => {
    const handler =
      require("../../handlers/disconnect/disconnect") as typeof import("../../handlers/disconnect/disconnect");
    return handler.disconnectFromEnvironment(process.env);
  },
};

export function disconnectSpec({ sessionTable }: Pick<RelayParts, "sessionTable">): FunctionSpec {
  return {
    callback: disconnectCallback,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      CONNECTION_INDEX_NAME: SessionTable.connectionIndexName,
    },
    statements: [
      sessionTable.indexStatement(SessionTable.connectionIndexName),
      sessionTable.statement("dynamodb:DeleteItem"),
    ],
    timeoutSeconds: 10,
  };
}
