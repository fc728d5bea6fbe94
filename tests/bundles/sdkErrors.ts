import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import { SendMessageCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";

// A module to bundle as a function's: the clients as the functions use them.

/** The errors of the calls of that service, which answers at `endpoint`. */
export async function errorOf(service: Service, endpoint: string): Promise<unknown> {
  const credentials = { accessKeyId: "x", secretAccessKey: "x" };
  try {
    await calls[service]({ endpoint, credentials, region: "eu-west-1", maxAttempts: 2, retryMode: "standard" });
  } catch (error) {
    const { name, message, $fault, $metadata } = error as Error & {
      $fault: string;
      $metadata: Record<string, unknown>;
    };
    return { name, message, $fault, status: $metadata.httpStatusCode, attempts: $metadata.attempts };
  }
  throw new Error("the call succeeded");
}

export type Service = keyof typeof calls;

type Config = SQSClientConfig;

const calls = {
  dynamodb: (config: Config) =>
    new DynamoDBClient(config as object).send(new GetItemCommand({ TableName: "t", Key: { k: { S: "k" } } })),
  sqs: (config: Config) => new SQSClient(config).send(new SendMessageCommand({ QueueUrl: "q", MessageBody: "b" })),
  sns: (config: Config) =>
    new SNSClient(config as object).send(
      new PublishBatchCommand({ TopicArn: "arn", PublishBatchRequestEntries: [{ Id: "0", Message: "m" }] }),
    ),
  gateway: (config: Config) =>
    new ApiGatewayManagementApiClient(config as object).send(
      new PostToConnectionCommand({ ConnectionId: "c", Data: Buffer.from("d") }),
    ),
};

/** The hashes that the clients sign and check with, in hexadecimal. */
export async function hashesOf(text: string): Promise<Record<string, string>> {
  const { config } = new SQSClient({ region: "eu-west-1" });
  const bytes = Buffer.from(text);
  const [plain, keyed] = [new config.sha256(), new config.sha256("secret")];
  plain.update(bytes);
  keyed.update(bytes);
  if (!config.md5) throw new Error("the client checks nothing");
  const md5 = new config.md5();
  md5.update(bytes);
  return { sha256: hex(await plain.digest()), hmac: hex(await keyed.digest()), md5: hex(await md5.digest()) };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
