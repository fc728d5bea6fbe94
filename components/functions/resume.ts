import { ackSeconds } from "./ackSeconds";
import type { OwnCallback } from "./ownBundle";
import type { FunctionSpec, ReplayParts } from "./relayFunction";
import {
  deadLetterEnvironment,
  deadLetterStatements,
  FRAME_TIMEOUT_SECONDS,
  frameEnvironment,
  receiptsStatements,
} from "./replayAccess";

/** Called with a client's frame that asks for the messages it missed. */
export const resumeCallback: OwnCallback = {
  module: "../../handlers/frames/resume",
  factory: () => {
    const handler = require("../../handlers/frames/resume") as typeof import("../../handlers/frames/resume");
    return handler.resumeFromEnvironment(process.env);
  },
  publishesReceipts: true,
};

export function resumeSpec(parts: ReplayParts): FunctionSpec {
  const { sessionTable, gateway, historyTable, receiptsTopic } = parts;
  const seconds = ackSeconds(parts);
  return {
    callback: resumeCallback,
    withReceipts: receiptsTopic !== undefined,
    environment: {
      ...frameEnvironment(parts),
      ...deadLetterEnvironment(parts),
      ...(seconds !== undefined && { ACK_SECONDS: String(seconds) }),
    },
    statements: [
      sessionTable.statement("dynamodb:GetItem"),
      historyTable.statement("dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"),
      gateway.manageConnectionsStatement("POST", "GET"),
      ...deadLetterStatements(parts),
      ...receiptsStatements(parts),
    ],
    timeoutSeconds: FRAME_TIMEOUT_SECONDS,
  };
}
