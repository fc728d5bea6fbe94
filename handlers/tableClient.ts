import { type AttributeValue, DynamoDBClient } from "@aws-sdk/client-dynamodb";

export type Item = Record<string, AttributeValue>;

/** The functions' client of DynamoDB. */
export function tableClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: 3,
    // Without this flag, the SDK only logs a warning when a request exceeds its timeout.
    requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
  });
}

export function isFailedCondition(error: unknown): boolean {
  return error instanceof Error && error.name === "ConditionalCheckFailedException";
}
