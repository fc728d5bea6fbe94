import { type AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SESSION_ATTRIBUTES as A, type SessionKey } from "./sessions/sessionKey";

export type Item = Record<string, AttributeValue>;

/** DynamoDB, as the functions call it. */
export function tableClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    // Without the flag, a request over its time is only warned of.
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
}

export function keyOf(key: SessionKey): Item {
  return { [A.callerId]: { S: key.callerId }, [A.context]: { S: key.context } };
}

export function isFailedCondition(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}
