import type { PolicyStatement } from "../lambda/callbackFunction";
import type { FunctionSpec, ReplayParts } from "./relayFunction";

// Environment and permissions that several functions of replay mode share.

type Environment = FunctionSpec["environment"];

/** API Gateway gives up a function after 29 seconds and tells the client: a function that answers frames ends before. */
export const FRAME_TIMEOUT_SECONDS = 28;

/** The environment that both functions which answer clients' frames share. */
export function frameEnvironment(parts: ReplayParts): Environment {
  const { sessionTable, gateway, relayName } = parts;
  return {
    TABLE_NAME: sessionTable.tableName,
    ...historyEnvironment(parts),
    MANAGEMENT_ENDPOINT: gateway.managementEndpoint,
    RELAY_NAME: relayName,
    ...receiptsEnvironment(parts),
  };
}

export function historyEnvironment({ historyTable, historyRetentionSeconds }: ReplayParts): Environment {
  return {
    HISTORY_TABLE_NAME: historyTable.table.name,
    HISTORY_RETENTION_SECONDS: String(historyRetentionSeconds),
  };
}

/** Of the function that plans the sweeper's visits as it stores messages, and of the one that makes them. */
export function waitingEnvironment({ waitingAfterSeconds }: ReplayParts): Environment {
  return waitingAfterSeconds === undefined ? {} : { WAITING_AFTER_SECONDS: String(waitingAfterSeconds) };
}

/** Each function that finds an expired message reports it. */
export function deadLetterEnvironment({ publisher, deadLetterExpired }: ReplayParts): Environment {
  return deadLetterExpired ? { DEAD_LETTER_QUEUE_URL: publisher.deadLetterQueue.url } : {};
}

export function deadLetterStatements({ publisher, deadLetterExpired }: ReplayParts): PolicyStatement[] {
  return deadLetterExpired ? [{ Action: ["sqs:SendMessage"], Resource: [publisher.deadLetterQueue.arn] }] : [];
}

export function receiptsEnvironment({ receiptsTopic }: ReplayParts): Environment {
  return receiptsTopic ? { RECEIPTS_TOPIC_ARN: receiptsTopic.arn } : {};
}

export function receiptsStatements({ receiptsTopic }: ReplayParts): PolicyStatement[] {
  return receiptsTopic ? [{ Action: ["sns:Publish"], Resource: [receiptsTopic.arn] }] : [];
}
