import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import {
  BatchGetItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type PutItemCommandInput,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { PublishBatchCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  SendMessageCommand,
  SQSClient,
  type SQSClientConfig,
} from "@aws-sdk/client-sqs";

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

/** The answers to one command of each kind that the functions send, by a service at `endpoint`. */
export async function answersFrom(endpoint: string): Promise<unknown[]> {
  const config = { endpoint, credentials: { accessKeyId: "x", secretAccessKey: "x" }, region: "eu-west-1" };
  const [dynamodb, sqs] = [new DynamoDBClient(config), new SQSClient(config)];
  const [sns, gateway] = [new SNSClient(config), new ApiGatewayManagementApiClient(config)];
  const TableName = "t";
  const Key = { caller_id: { S: "user#1" }, n: { N: "1" } };
  const condition: Pick<
    PutItemCommandInput,
    "ConditionExpression" | "ExpressionAttributeNames" | "ExpressionAttributeValues"
  > = {
    ConditionExpression: "#a = :a",
    ExpressionAttributeNames: { "#a": "a" },
    ExpressionAttributeValues: { ":a": { M: { list: { L: [{ BOOL: true }, { NULL: true }] }, ids: { SS: ["a"] } } } },
  };
  const attributes = { at: { DataType: "Binary", BinaryValue: Buffer.from("b") } };
  const answers = [
    await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true })),
    await dynamodb.send(new PutItemCommand({ TableName, Item: { ...Key, b: { B: Buffer.from("b") } }, ...condition })),
    await dynamodb.send(
      new UpdateItemCommand({ TableName, Key, UpdateExpression: "SET #a = :a", ReturnValues: "ALL_NEW", ...condition }),
    ),
    await dynamodb.send(new DeleteItemCommand({ TableName, Key, ReturnValues: "ALL_OLD", ...condition })),
    await dynamodb.send(
      new QueryCommand({
        TableName,
        IndexName: "i",
        KeyConditionExpression: "#a = :a",
        ExclusiveStartKey: Key,
        Limit: 1,
      }),
    ),
    await dynamodb.send(new BatchGetItemCommand({ RequestItems: { t: { Keys: [Key], ConsistentRead: true } } })),
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: `${endpoint}/q`,
        MessageBody: "b",
        DelaySeconds: 1,
        MessageAttributes: attributes,
      }),
    ),
    await sqs.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: `${endpoint}/q`,
        Entries: [{ Id: "0", ReceiptHandle: "r", VisibilityTimeout: 5 }],
      }),
    ),
    await sns.send(
      new PublishBatchCommand({
        TopicArn: "arn",
        PublishBatchRequestEntries: [{ Id: "0", Message: "m", MessageAttributes: attributes }],
      }),
    ),
    await gateway.send(new PostToConnectionCommand({ ConnectionId: "c=", Data: Buffer.from("d") })),
    await gateway.send(new GetConnectionCommand({ ConnectionId: "c=" })),
    await gateway.send(new DeleteConnectionCommand({ ConnectionId: "c=" })),
  ];
  return answers.map((answer) => ({ ...answer, $metadata: undefined }));
}

/** The URL of each service in that region; the problem if there is none. */
export function endpointsIn(Region: string, UseFIPS: boolean, UseDualStack: boolean): string[] {
  const clients = [
    new DynamoDBClient({ region: "eu-west-1" }),
    new SQSClient({ region: "eu-west-1" }),
    new SNSClient({ region: "eu-west-1" }),
    new ApiGatewayManagementApiClient({ region: "eu-west-1" }),
  ];
  return clients.map(({ config: { endpointProvider } }) => {
    try {
      return endpointProvider({ Region, UseFIPS, UseDualStack }).url.href;
    } catch (error) {
      return (error as Error).message;
    }
  });
}

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
