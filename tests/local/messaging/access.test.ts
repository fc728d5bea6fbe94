import { PublishBatchCommand, PublishCommand, SNSClient, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { refusal } from "../../support/refusal";
import { policyOf, type Statement } from "../iam/roles";
import { afterTest } from "../../support/afterTest";
import { key, roleOf, useKey } from "../iam/caller";
import { startMessaging } from "./messagingSetUp";

async function startAsCaller(...statements: Statement[]) {
  const iam = new Iam();
  const lines: string[] = [];
  const { messaging } = await startMessaging({ log: (line) => lines.push(line), iam });
  const as = (config: ReturnType<typeof roleOf>) => ({ ...config, endpoint: messaging.endpoint });
  const sqs = new SQSClient(as(roleOf(iam, ...statements)));
  const sns = new SNSClient(as(roleOf(iam, ...statements)));
  const foreign = new SNSClient(
    as({
      ...roleOf(iam, ...statements),
      credentials: { accessKeyId: "111122223333", secretAccessKey: "x", sessionToken: "o-example1234" },
    }),
  );
  afterTest(() => [sqs, sns, foreign].forEach((client) => client.destroy()));
  return { iam, messaging, sqs, sns, foreign, lines };
}

describe("a role's call to a queue", () => {
  const arn = "arn:aws:sqs:us-east-1:000000000000:q";
  const send = (QueueUrl: string) => new SendMessageCommand({ QueueUrl, MessageBody: "hello" });

  it("is answered 403 AccessDenied unless its role, or the queue's policy, allows it", async () => {
    const { messaging, sqs } = await startAsCaller();
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
    const { messaging, sqs } = await startAsCaller({ Action: "sqs:ChangeMessageVisibility", Resource: arn });
    const { url: QueueUrl } = messaging.createQueue("q", {});
    const Entries = [{ Id: "0", ReceiptHandle: "none", VisibilityTimeout: 0 }];
    const { Failed } = await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    expect(Failed, "refused by the queue, not by IAM").to.have.length(1);
  });

  it("is denied where it is about no queue, or about one that does not exist", async () => {
    const { messaging, sqs } = await startAsCaller({ Action: "sqs:*", Resource: arn });
    expect((await refusal(sqs.send(new ListQueuesCommand({})))).message).to.contain("sqs:listqueues on resource: *");
    const QueueUrl = messaging.queueUrl("arn:aws:sqs:us-east-1:000000000000:other");
    const asked = new GetQueueAttributesCommand({ QueueUrl });
    expect((await refusal(sqs.send(asked))).message).to.contain("000000000000:other because");
  });

  it("takes a customer's key: to send kms:GenerateDataKey and kms:Decrypt, to receive kms:Decrypt", async () => {
    const { iam, messaging, sqs } = await startAsCaller({ Action: "sqs:*", Resource: arn });
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
    const { messaging, sns } = await startAsCaller({ Action: "sns:Publish", Resource: arn });
    messaging.createTopic("t", {});
    await sns.send(publish);
    const subscribe = new SubscribeCommand({ TopicArn: arn, Protocol: "sqs", Endpoint: "arn:aws:sqs:::q" });
    const denied = await refusal(sns.send(subscribe));
    expect(denied.name).to.equal("AuthorizationErrorException");
    expect(denied.message).to.contain(`not authorized to perform: SNS:Subscribe on resource: ${arn} because`);
  });

  it("needs for a batch what a single publish needs, and nothing named after batches", async () => {
    const batch = new PublishBatchCommand({
      TopicArn: arn,
      PublishBatchRequestEntries: [{ Id: "0", Message: "hello" }],
    });
    const { iam, messaging, sns } = await startAsCaller({ Action: "sns:PublishBatch", Resource: arn });
    messaging.createTopic("t", {});
    expect((await refusal(sns.send(batch))).message).to.contain("not authorized to perform: SNS:Publish on resource");
    iam.roles.putInlinePolicy("caller", "publish", policyOf({ Action: "sns:Publish", Resource: arn }));
    expect((await sns.send(batch)).Successful).to.have.lengthOf(1);
  });

  it("from another account takes the topic's policy, by account or by organization", async () => {
    const { messaging, foreign } = await startAsCaller();
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
    const { iam, messaging, sns } = await startAsCaller({ Action: "sns:Publish", Resource: arn });
    messaging.createTopic("t", { KmsMasterKeyId: key });
    const denied = await refusal(sns.send(publish));
    expect(denied.name).to.match(/^KMSAccessDenied/);
    expect(denied.message).to.contain(`kms:GenerateDataKey on resource: ${key}`);
    iam.roles.putInlinePolicy("caller", "key", policyOf(useKey));
    await sns.send(publish);
  });

  it("reaches an encrypted queue only where the policy of the program's own key lets SNS use it", async () => {
    const { iam, messaging, sns, lines } = await startAsCaller({ Action: "sns:Publish", Resource: arn });
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
