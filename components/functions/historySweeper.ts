import { HistoryTable } from "../data/historyTable";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, ReplayParts } from "./relayFunction";
import {
  deadLetterEnvironment,
  deadLetterStatements,
  historyEnvironment,
  receiptsEnvironment,
  receiptsStatements,
  waitingEnvironment,
} from "./replayAccess";

/** Called every minute for each shard of the history, in replay mode: reports what has expired, and what is waiting. */
export const historySweeperCallback: OwnCallback = {
  module: "../../handlers/sweepers/historySweeper",
  factory: () => {
    const handler =
      require("../../handlers/sweepers/historySweeper") as typeof import("../../handlers/sweepers/historySweeper");
    return handler.historySweeperFromEnvironment(process.env);
  },
  publishesReceipts: true,
};

export function historySweeperSpec(parts: ReplayParts): Omit<FunctionSpec, "timeoutSeconds"> {
  const { historyTable, relayName, receiptsTopic } = parts;
  return {
    callback: historySweeperCallback,
    withReceipts: receiptsTopic !== undefined,
    environment: {
      ...historyEnvironment(parts),
      HISTORY_DUE_INDEX_NAME: HistoryTable.dueIndexName,
      RELAY_NAME: relayName,
      ...deadLetterEnvironment(parts),
      ...receiptsEnvironment(parts),
      ...waitingEnvironment(parts),
    },
    statements: [
      historyTable.dueIndexStatement(),
      historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
      ...deadLetterStatements(parts),
      ...receiptsStatements(parts),
    ],
  };
}
