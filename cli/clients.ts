import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SQSClient } from "@aws-sdk/client-sqs";
import { addressOf, localAddressOf, type RelayAddresses } from "./relayAddresses";

/** The configuration of every client; without credentials, the SDK uses its default provider chain. */
export interface ClientConfig {
  region: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

export function clientConfigOf(addresses: RelayAddresses): ClientConfig {
  const region = localAddressOf(addresses, "region") ?? regionOf(addressOf(addresses, "topicArn"));
  const accessKeyId = localAddressOf(addresses, "accessKeyId");
  const secretAccessKey = localAddressOf(addresses, "secretAccessKey");
  return accessKeyId && secretAccessKey ? { region, credentials: { accessKeyId, secretAccessKey } } : { region };
}

export function sqsClient(addresses: RelayAddresses): SQSClient {
  return new SQSClient({ ...clientConfigOf(addresses), ...endpoint(addresses, "awsEndpoint") });
}

export function dynamoDbClient(addresses: RelayAddresses): DynamoDBClient {
  return new DynamoDBClient({ ...clientConfigOf(addresses), ...endpoint(addresses, "dynamodbEndpoint") });
}

export function managementApiClient(addresses: RelayAddresses): ApiGatewayManagementApiClient {
  const config = { ...clientConfigOf(addresses), endpoint: addressOf(addresses, "managementEndpoint") };
  return new ApiGatewayManagementApiClient(config);
}

function endpoint(addresses: RelayAddresses, key: string): { endpoint?: string } {
  const value = localAddressOf(addresses, key);
  return value === undefined ? {} : { endpoint: value };
}

function regionOf(topicArn: string): string {
  const region = /^arn:[^:]+:sns:([^:]+):/.exec(topicArn)?.[1];
  if (region !== undefined) return region;
  throw new Error(
    `topicArn: got ${JSON.stringify(topicArn)}; allowed: the ARN of an SNS topic, which contains the Region. Fix: pass the relay's output topicArn`,
  );
}
