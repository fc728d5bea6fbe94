import type { ResolvedArgs } from "../args/args";
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

export function disconnectSpec(
  { sessionTable }: Pick<RelayParts, "sessionTable">,
  { connectionIndex }: Pick<ResolvedArgs, "connectionIndex">,
): FunctionSpec {
  const { connectionIndexName } = SessionTable;
  return {
    callback: disconnectCallback,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      ...(connectionIndex && { CONNECTION_INDEX_NAME: connectionIndexName }),
    },
    statements: [
      ...(connectionIndex ? [sessionTable.indexStatement(connectionIndexName)] : []),
      sessionTable.statement("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"),
    ],
    timeoutSeconds: 10,
  };
}
