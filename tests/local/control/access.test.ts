import {
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  BatchGetItemCommand,
} from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { ApiGatewayManagementApiClient, PostToConnectionCommand } from "@aws-sdk/client-apigatewaymanagementapi";
import { expect } from "chai";
import { region } from "../../../local/account";
import { Iam } from "../../../local/iam";
import { roleCredentials } from "../../../local/iam/roles";
import { FunctionLog } from "../../../local/lambda/functionLog";
import { Messaging } from "../../../local/messaging";
import { tableResources } from "../../../local/provision/table";
import type { Properties } from "../../../local/provision/resource";
import { Tables } from "../../../local/dynamodb/table";
import { Trace } from "../../../local/trace/trace";
import { refusal } from "../../support/refusal";
import { Fixture } from "../gateway/gatewayFixture";
import { everything, policyOf, registerRole, type Statement } from "../iam/roles";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const key = "arn:aws:kms:us-east-1:000000000000:key/1";
const useKey: Statement = { Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: key };

/** Who signs as a role with these rights. */
function roleOf(iam: Iam, ...statements: Statement[]) {
  const role = registerRole(iam, "caller", ...statements);
  return { region, credentials: roleCredentials(role.arn, "f"), maxAttempts: 1 };
}

describe("a role's call to a table", () => {
  const keys = { id: { S: "1" } };
  const inputs = {
    name: "table",
    attributes: [{ name: "id", type: "S" }],
    hashKey: "id",
    billingMode: "PAY_PER_REQUEST",
    globalSecondaryIndexes: [{ name: "by-id", hashKey: "id", projectionType: "ALL" }],
  };

  async function start(statements: Statement[], changes: Properties = {}) {
    const iam = new Iam();
    const tables = await Tables.start({ trace: new Trace(), iam });
    const dynamodb = new DynamoDBClient({ ...roleOf(iam, ...statements), endpoint: tables.endpoint });
    cleanUps.push(
      () => tables.close(),
      () => dynamodb.destroy(),
    );
    await tableResources(tables)["aws:dynamodb/table:Table"]?.create({
      name: "table",
      inputs: { ...inputs, ...changes },
    });
    return { dynamodb };
  }

  const table = "arn:aws:dynamodb:us-east-1:000000000000:table/table";
  const read = (dynamodb: DynamoDBClient) => dynamodb.send(new GetItemCommand({ TableName: "table", Key: keys }));
  const query = (IndexName?: string) =>
    new QueryCommand({
      TableName: "table",
      IndexName,
      KeyConditionExpression: "id = :id",
      ExpressionAttributeValues: { ":id": { S: "1" } },
    });

  it("is answered AccessDeniedException unless its role allows it, and writes nothing", async () => {
    const { dynamodb } = await start([{ Action: "dynamodb:GetItem", Resource: table }]);
    const denied = await refusal(dynamodb.send(new PutItemCommand({ TableName: "table", Item: keys })));
    expect(denied.name).to.equal("AccessDeniedException");
    expect(denied.message).to.contain(`not authorized to perform: dynamodb:PutItem on resource: ${table} because`);
    expect((await read(dynamodb)).Item).to.equal(undefined);
  });

  it("is about an index where it names one, and about each table of a batch", async () => {
    const statement = { Action: ["dynamodb:Query", "dynamodb:BatchGetItem"], Resource: `${table}/index/by-id` };
    const { dynamodb } = await start([statement]);
    await dynamodb.send(query("by-id"));
    expect((await refusal(dynamodb.send(query()))).message).to.contain(`on resource: ${table} `);
    const batch = new BatchGetItemCommand({ RequestItems: { table: { Keys: [keys] } } });
    expect((await refusal(dynamodb.send(batch))).message).to.contain(`dynamodb:BatchGetItem on resource: ${table} `);
  });

  it("takes kms:Decrypt where a customer's key encrypts the table", async () => {
    const encrypted = { serverSideEncryption: { enabled: true, kmsKeyArn: key } };
    const own: Statement = { Action: "dynamodb:*", Resource: table };
    const without = await start([own], encrypted);
    expect((await refusal(read(without.dynamodb))).message).to.contain(`perform: kms:Decrypt on resource: ${key}`);
    const { dynamodb } = await start([own, useKey], encrypted);
    await read(dynamodb);
  });
});

async function startMessaging(...statements: Statement[]) {
  const iam = new Iam();
  const messaging = await Messaging.start({ trace: new Trace(), log: (line) => lines.push(line), iam });
  const lines: string[] = [];
  const as = (config: ReturnType<typeof roleOf>) => ({ ...config, endpoint: messaging.endpoint });
  const sqs = new SQSClient(as(roleOf(iam, ...statements)));
  const sns = new SNSClient(as(roleOf(iam, ...statements)));
  const foreign = new SNSClient(
    as({
      ...roleOf(iam, ...statements),
      credentials: { accessKeyId: "111122223333", secretAccessKey: "x", sessionToken: "o-example1234" },
    }),
  );
  cleanUps.push(
    () => messaging.close(),
    () => [sqs, sns, foreign].forEach((client) => client.destroy()),
  );
  return { iam, messaging, sqs, sns, foreign, lines };
}

describe("a role's call to a queue", () => {
  const arn = "arn:aws:sqs:us-east-1:000000000000:q";
  const send = (QueueUrl: string) => new SendMessageCommand({ QueueUrl, MessageBody: "hello" });

  it("is answered 403 AccessDenied unless its role, or the queue's policy, allows it", async () => {
    const { messaging, sqs } = await startMessaging();
    const { url } = messaging.createQueue("q", {});
    const denied = (await refusal(sqs.send(send(url)))) as Error & { $metadata: { httpStatusCode: number } };
    expect(denied.name).to.match(/^AccessDenied/);
    expect(denied.$metadata.httpStatusCode).to.equal(403);
    expect(denied.message).to.contain(`not authorized to perform: sqs:sendmessage on resource: ${arn} because`);
    const Principal = { AWS: "arn:aws:iam::000000000000:role/caller" };
    messaging.setPolicy(arn, undefined, policyOf({ Principal, Action: "sqs:SendMessage", Resource: arn }));
    await sqs.send(send(url));
  });

  it("needs for a batch what the single call needs", async () => {
    const { messaging, sqs } = await startMessaging({ Action: "sqs:ChangeMessageVisibility", Resource: arn });
    const { url: QueueUrl } = messaging.createQueue("q", {});
    const Entries = [{ Id: "0", ReceiptHandle: "none", VisibilityTimeout: 0 }];
    const { Failed } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    expect(Failed, "refused by the queue, not by IAM").to.have.length(1);
  });

  it("is denied where it is about no queue, or about one that does not exist", async () => {
    const { messaging, sqs } = await startMessaging({ Action: "sqs:*", Resource: arn });
    expect((await refusal(sqs.send(new ListQueuesCommand({})))).message).to.contain("sqs:listqueues on resource: *");
    const QueueUrl = messaging.queueUrl("arn:aws:sqs:us-east-1:000000000000:other");
    const asked = new GetQueueAttributesCommand({ QueueUrl });
    expect((await refusal(sqs.send(asked))).message).to.contain("000000000000:other because");
  });

  it("takes a customer's key: to send kms:GenerateDataKey and kms:Decrypt, to receive kms:Decrypt", async () => {
    const { iam, messaging, sqs } = await startMessaging({ Action: "sqs:*", Resource: arn });
    const { url: QueueUrl } = messaging.createQueue("q", { KmsMasterKeyId: key });
    const allow = (...Action: string[]) =>
      iam.roles.putInlinePolicy("caller", "key", policyOf({ Action, Resource: key }));
    const denied = await refusal(sqs.send(send(QueueUrl)));
    expect(denied.name).to.match(/^K(MS|ms)\.?AccessDenied/);
    expect(denied.message).to.contain(`kms:GenerateDataKey on resource: ${key}`);
    allow("kms:GenerateDataKey");
    expect((await refusal(sqs.send(send(QueueUrl)))).message).to.contain("kms:Decrypt");
    allow("kms:Decrypt");
    await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    allow("kms:GenerateDataKey", "kms:Decrypt");
    await sqs.send(send(QueueUrl));
  });
});

describe("a call to a topic", () => {
  const arn = "arn:aws:sns:us-east-1:000000000000:t";
  const publish = new PublishCommand({ TopicArn: arn, Message: "hello" });

  it("is answered AuthorizationError unless the role allows it", async () => {
    const { messaging, sns } = await startMessaging({ Action: "sns:Publish", Resource: arn });
    messaging.createTopic("t", {});
    await sns.send(publish);
    const subscribe = new SubscribeCommand({ TopicArn: arn, Protocol: "sqs", Endpoint: "arn:aws:sqs:::q" });
    const denied = await refusal(sns.send(subscribe));
    expect(denied.name).to.equal("AuthorizationErrorException");
    expect(denied.message).to.contain(`not authorized to perform: SNS:Subscribe on resource: ${arn} because`);
  });

  it("from another account takes the topic's policy, by account or by organization", async () => {
    const { messaging, foreign } = await startMessaging();
    messaging.createTopic("t", {});
    expect((await refusal(foreign.send(publish))).message).to.match(/because no resource-based policy allows/);
    const allow = { Action: "sns:Publish", Resource: arn };
    messaging.setPolicy(arn, undefined, policyOf({ ...allow, Principal: { AWS: "arn:aws:iam::111122223333:root" } }));
    await foreign.send(publish);
    const organization = (id: string) => ({ StringEquals: { "aws:PrincipalOrgID": id } });
    const byOrganization = (id: string) => policyOf({ ...allow, Principal: "*", Condition: organization(id) });
    messaging.setPolicy(arn, undefined, byOrganization("o-other12345"));
    expect(await refusal(foreign.send(publish))).to.be.instanceOf(Error);
    messaging.setPolicy(arn, undefined, byOrganization("o-example1234"));
    await foreign.send(publish);
  });

  it("takes kms:GenerateDataKey and kms:Decrypt of the publisher where a customer's key encrypts the topic", async () => {
    const { iam, messaging, sns } = await startMessaging({ Action: "sns:Publish", Resource: arn });
    messaging.createTopic("t", { KmsMasterKeyId: key });
    const denied = await refusal(sns.send(publish));
    expect(denied.name).to.match(/^KMSAccessDenied/);
    expect(denied.message).to.contain(`kms:GenerateDataKey on resource: ${key}`);
    iam.roles.putInlinePolicy("caller", "key", policyOf(useKey));
    await sns.send(publish);
  });

  it("reaches an encrypted queue only where the policy of the program's own key lets SNS use it", async () => {
    const { iam, messaging, sns, lines } = await startMessaging({ Action: "sns:Publish", Resource: arn });
    messaging.createTopic("t", {});
    const queue = messaging.createQueue("q", { KmsMasterKeyId: key });
    messaging.setPolicy(
      queue.arn,
      undefined,
      policyOf({ Principal: { Service: "sns.amazonaws.com" }, Action: "sqs:SendMessage", Resource: queue.arn }),
    );
    messaging.subscribe(arn, queue.arn, {});
    await sns.send(publish);
    expect(lines, "the policy of a key that is only named is not known").to.deep.equal([]);
    const rest = { Action: "kms:*", Resource: "*" };
    iam.keys.put(key, policyOf({ ...rest, Principal: { AWS: "arn:aws:iam::000000000000:root" } }));
    await sns.send(publish);
    expect(lines[0]).to.contain(`SNS may not use the queue's key`).and.contain("kms:GenerateDataKey");
    const Condition = { ArnEquals: { "aws:SourceArn": arn } };
    iam.keys.put(key, policyOf({ ...rest, Principal: { Service: "sns.amazonaws.com" }, Condition }));
    await sns.send(publish);
    expect(lines).to.have.length(1);
  });
});

describe("a role's call to the management API", () => {
  it("is answered 403 unless its role allows the method on the stage's connections", async () => {
    const iam = new Iam();
    const fixture = new Fixture({ iam });
    cleanUps.push(() => fixture.close());
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    const endpoint = `${fixture.apiEndpoint.replace(/^ws/, "http")}/dev`;
    const management = new ApiGatewayManagementApiClient({ ...roleOf(iam), endpoint });
    cleanUps.push(() => management.destroy());
    const post = new PostToConnectionCommand({ ConnectionId: id, Data: Buffer.from("hello") });
    const denied = (await refusal(management.send(post))) as Error & { $metadata: { httpStatusCode: number } };
    expect(denied.name).to.equal("AccessDeniedException");
    expect(denied.$metadata.httpStatusCode).to.equal(403);
    const path = `${fixture.executionArn}/dev/POST/@connections`;
    expect(denied.message).to.contain(`execute-api:ManageConnections on resource: ${path}/{connectionId} because`);
    const Action = "execute-api:ManageConnections";
    iam.roles.putInlinePolicy("caller", "post", policyOf({ Action, Resource: `${path}/*` }));
    await management.send(post);
  });
});

describe("a function's log", () => {
  const stream = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*";

  function start(statements: Statement[], logGroups?: Set<string>) {
    const iam = new Iam();
    const { arn: roleArn } = registerRole(iam, "caller", ...statements);
    const lines: string[] = [];
    const write = (line: string) => void lines.push(line);
    const configuration = { name: "f", roleArn, code: undefined, handler: "index.handler", runtime: "nodejs24.x" };
    const rest = { timeoutSeconds: 3, memorySizeMb: 128, variables: {} };
    const log = new FunctionLog({ ...configuration, ...rest }, iam, write, write, logGroups);
    return { iam, log, lines };
  }

  it("has every line, in order, where the role may create the stream and write to it", async () => {
    const { log, lines } = start([{ Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: stream }]);
    await Promise.all(["one", "two", "three"].map((line) => log.write(line)));
    expect(lines).to.deep.equal(["one", "two", "three"]);
  });

  for (const Action of ["logs:CreateLogStream", "logs:PutLogEvents"]) {
    it(`loses its lines with ${Action} alone, says so once, and has those that come after the role may`, async () => {
      const { iam, log, lines } = start([{ Action, Resource: stream }]);
      await log.write("lost");
      await log.write("lost too");
      expect(lines).to.have.length(1);
      expect(lines[0]).to.contain("the log lines of f are lost").and.contain("not authorized to perform: logs:");
      iam.roles.putInlinePolicy("caller", "policy", policyOf(everything));
      await log.write("kept");
      expect(lines.slice(1)).to.deep.equal(["kept"]);
    });
  }

  it("goes to a group that does not exist only where the role may create it, and once it may", async () => {
    const write = { Action: ["logs:CreateLogStream", "logs:PutLogEvents"], Resource: stream };
    const logGroups = new Set(["/aws/lambda/other"]);
    const { iam, log, lines } = start([write], logGroups);
    await log.write("lost");
    expect(lines[0]).to.contain("are lost").and.contain("not authorized to perform: logs:CreateLogGroup");
    iam.roles.putInlinePolicy("caller", "create", policyOf({ Action: "logs:CreateLogGroup", Resource: stream }));
    await log.write("kept");
    iam.roles.deleteInlinePolicy("caller", "create");
    await log.write("kept too");
    expect(lines.slice(1)).to.deep.equal(["kept", "kept too"]);
    expect([...logGroups]).to.include("/aws/lambda/f");
  });
});
