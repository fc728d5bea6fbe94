import { SessionTable } from "../data/sessionTable";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, RelayParts } from "./relayFunction";

/** Called every minute if sessions end with their token: closes the connections whose token has ended. */
export const sessionSweeperCallback: OwnCallback = {
  module: "../../handlers/sweepers/sessionSweeper",
  factory: () => {
    const handler =
      require("../../handlers/sweepers/sessionSweeper") as typeof import("../../handlers/sweepers/sessionSweeper");
    return handler.sessionSweeperFromEnvironment(process.env);
  },
};

export function sessionSweeperSpec({
  sessionTable,
  gateway,
  relayName,
}: RelayParts): Omit<FunctionSpec, "timeoutSeconds"> {
  return {
    callback: sessionSweeperCallback,
    environment: {
      TABLE_NAME: sessionTable.tableName,
      TOKEN_EXPIRY_INDEX_NAME: SessionTable.tokenExpiryIndexName,
      MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
      RELAY_NAME: relayName,
    },
    statements: [
      sessionTable.indexStatement(SessionTable.tokenExpiryIndexName),
      sessionTable.statement("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      gateway.manageConnectionsStatement("DELETE"),
    ],
  };
}
