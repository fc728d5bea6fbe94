import { type AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

/** DynamoDB, as the functions call it. */
export function tableClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    // Without the flag, a request over its time is only warned of.
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
}

export function isFailedCondition(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}
