import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, ReplayParts } from "./relayFunction";
import { FRAME_TIMEOUT_SECONDS, frameEnvironment, receiptsStatements } from "./replayAccess";

/** Called with a client's frame that acknowledges the messages up to a cursor. */
export const acknowledgeCallback: OwnCallback = {
  module: "../../handlers/frames/acknowledge",
  factory: () => {
    const handler = require("../../handlers/frames/acknowledge") as typeof import("../../handlers/frames/acknowledge");
    return handler.acknowledgeFromEnvironment(process.env);
  },
  publishesReceipts: true,
};

export function acknowledgeSpec(parts: ReplayParts): FunctionSpec {
  const { sessionTable, gateway, historyTable, receiptsTopic } = parts;
  return {
    callback: acknowledgeCallback,
    withReceipts: receiptsTopic !== undefined,
    environment: frameEnvironment(parts),
    statements: [
      sessionTable.statement("dynamodb:GetItem"),
      historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"),
      gateway.manageConnectionsStatement("POST"),
      ...receiptsStatements(parts),
    ],
    timeoutSeconds: FRAME_TIMEOUT_SECONDS,
  };
}
