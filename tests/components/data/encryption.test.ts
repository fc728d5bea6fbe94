import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { type KmsKeyPolicyArgs, kmsKeyPolicyStatements } from "../../../components";
import { auth, type RelayRun, runRelay, type Statement } from "../../support/relayRun";

const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

describe("a customer-managed key", () => {
  let run: RelayRun;

  before(async () => {
    const use = (relay: RelayRun["relay"]) => [relay.grantPublish("backend"), relay.grantDisconnectUser("backend")];
    run = await runRelay({ kmsKeyArn, auth: { ...auth, endSessionWithToken: true } }, { use });
  });

  const through = (service: string, ...actions: string[]): Statement => ({
    Effect: "Allow",
    Action: actions,
    Resource: [kmsKeyArn],
    Condition: { StringEquals: { "kms:ViaService": `${service}.eu-west-1.amazonaws.com` } },
  });
  const keyStatements = (role: string) =>
    run.statements(`${role}-policy`).filter(({ Action }) => Action.some((action) => action.startsWith("kms:")));

  it("encrypts the table and the topic", () => {
    const table = run.inputs("aws:dynamodb/table:Table", "relay-table");
    expect(table.serverSideEncryption).to.deep.equal({ enabled: true, kmsKeyArn });
    expect(run.inputs("aws:sns/topic:Topic", "relay-topic").kmsMasterKeyId).to.equal(kmsKeyArn);
  });

  it("encrypts all three queues, in the place of SQS's own", () => {
    for (const name of ["relay-queue", "relay-dead-letter-queue", "relay-subscription-dead-letter-queue"]) {
      const queue = run.inputs("aws:sqs/queue:Queue", name);
      expect(queue.kmsMasterKeyId, name).to.equal(kmsKeyArn);
      expect(queue, name).not.to.have.property("sqsManagedSseEnabled");
    }
  });

  it("encrypts only the subscription's dead-letter queue with a key of SQS where that is set, so that SNS can write to it without the relay's key", async () => {
    const { inputs } = await runRelay({ kmsKeyArn, subscriptionDeadLetterQueueSse: "sqs" });
    const queue = inputs("aws:sqs/queue:Queue", "relay-subscription-dead-letter-queue");
    expect(queue.sqsManagedSseEnabled).to.equal(true);
    expect(queue).not.to.have.property("kmsMasterKeyId");
    for (const name of ["relay-queue", "relay-dead-letter-queue"]) {
      expect(inputs("aws:sqs/queue:Queue", name).kmsMasterKeyId, name).to.equal(kmsKeyArn);
    }
  });

  it("encrypts every function's log group and environment", () => {
    for (const name of ["relay-connect", "relay-disconnect", "relay-deliver", "relay-sweep"]) {
      expect(run.inputs("aws:cloudwatch/logGroup:LogGroup", `${name}-logs`).kmsKeyId, name).to.equal(kmsKeyArn);
      expect(run.inputs("aws:lambda/function:Function", name).kmsKeyArn, name).to.equal(kmsKeyArn);
    }
  });

  it("may be used by each role through the services that it calls, and by no other", () => {
    const table = through("dynamodb", "kms:Decrypt");
    for (const name of ["relay-connect", "relay-disconnect", "relay-sweep", "relay-disconnect-user"]) {
      expect(keyStatements(name), name).to.deep.equal([table]);
    }
    expect(keyStatements("relay-deliver")).to.deep.equal([table, through("sqs", "kms:GenerateDataKey", "kms:Decrypt")]);
    expect(keyStatements("relay-publish")).to.deep.equal([through("sns", "kms:GenerateDataKey", "kms:Decrypt")]);
  });

  it("encrypts the history and the receipts, and their functions may use it", async () => {
    const replay = { delivery: "replay", receipts: true, deadLetterExpired: true } as const;
    const use = (relay: RelayRun["relay"]) => relay.grantReadPosition("backend");
    const replaying = await runRelay({ kmsKeyArn, ...replay }, { use });
    const history = replaying.inputs("aws:dynamodb/table:Table", "relay-history-table");
    expect(history.serverSideEncryption).to.deep.equal({ enabled: true, kmsKeyArn });
    expect(replaying.inputs("aws:sns/topic:Topic", "relay-receipts-topic").kmsMasterKeyId).to.equal(kmsKeyArn);
    const usedBy = (part: string) =>
      replaying
        .statements(`relay-${part}-policy`)
        .filter(({ Action }) => Action.some((action) => action.startsWith("kms:")));
    const table = through("dynamodb", "kms:Decrypt");
    const queue = through("sqs", "kms:GenerateDataKey", "kms:Decrypt");
    const topic = through("sns", "kms:GenerateDataKey", "kms:Decrypt");
    expect(replaying.inputs("aws:sqs/queue:Queue", "relay-flush-queue")).to.include({ kmsMasterKeyId: kmsKeyArn });
    expect(replaying.inputs("aws:sqs/queue:Queue", "relay-flush-queue")).not.to.have.property("sqsManagedSseEnabled");
    // It asks for what raw clients have missed.
    expect(usedBy("connect")).to.deep.equal([table, queue]);
    expect(usedBy("flush")).to.deep.equal([table, queue, topic]);
    expect(usedBy("deliver")).to.deep.equal([table, queue, topic]);
    expect(usedBy("acknowledge")).to.deep.equal([table, topic]);
    expect(usedBy("resume")).to.deep.equal([table, queue, topic]);
    expect(usedBy("read-position")).to.deep.equal([table]);
    expect(usedBy("expire")).to.deep.equal([table, queue, topic]);
    for (const name of ["relay-resume", "relay-acknowledge", "relay-flush", "relay-expire"]) {
      expect(replaying.inputs("aws:cloudwatch/logGroup:LogGroup", `${name}-logs`).kmsKeyId, name).to.equal(kmsKeyArn);
      expect(replaying.inputs("aws:lambda/function:Function", name).kmsKeyArn, name).to.equal(kmsKeyArn);
    }
  });

  it("is nowhere without one", async () => {
    const { registrations } = await runRelay({ delivery: "replay", receipts: true });
    const inputs = registrations.map((each) => ({ ...each.inputs, code: undefined }));
    expect(JSON.stringify(inputs)).not.to.match(/kms/i);
  });
});

describe("kmsKeyPolicyStatements", () => {
  const statements = (args: object = {}) =>
    kmsKeyPolicyStatements({ accountId: "111122223333", region: "eu-west-1", ...args });

  const unusable: [what: string, args: unknown, says: RegExp][] = [
    ["no arguments", undefined, /^args: got undefined/],
    [
      "an account without quotes",
      { accountId: 111122223333, region: "eu-west-1" },
      /^accountId: got 111122223333.*quotes/,
    ],
    ["no region", { accountId: "111122223333" }, /^region: got undefined/],
    ["a key in another letter case", { accountID: "111122223333", region: "eu-west-1" }, /did you mean accountId\?/],
    [
      "a publisher that is no list",
      { accountId: "111122223333", region: "eu-west-1", publisherAccountIds: "210987654321" },
      /^publisherAccountIds: .*write \["210987654321"\]/,
    ],
  ];
  for (const [what, args, says] of unusable) {
    it(`refuses ${what}`, () => {
      let refused: unknown;
      try {
        kmsKeyPolicyStatements(args as KmsKeyPolicyArgs);
      } catch (error) {
        refused = error;
      }
      expect(pulumi.InputPropertyError.isInstance(refused) ? refused.reason : refused).to.match(says);
    });
  }

  it("lets the account's topics write into the queues, and its log groups of the region be written, and no other's", () => {
    expect(statements()).to.deep.equal([
      {
        Effect: "Allow",
        Resource: "*",
        Sid: "WebsocketRelayTopicToQueues",
        Principal: { Service: "sns.amazonaws.com" },
        Action: ["kms:GenerateDataKey", "kms:Decrypt"],
        Condition: {
          ArnLike: { "aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:*" },
        },
      },
      {
        Effect: "Allow",
        Resource: "*",
        Sid: "WebsocketRelayLogs",
        Principal: { Service: "logs.eu-west-1.amazonaws.com" },
        Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        Condition: {
          ArnLike: { "kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:111122223333:log-group:*" },
        },
      },
    ]);
  });

  it("takes the topic of another account by its own ARN", () => {
    const topicArn = "arn:aws:sns:eu-west-1:444455556666:answers";
    expect(statements({ topicArn })[0]?.Condition).to.deep.equal({
      ArnLike: { "aws:SourceArn": topicArn },
    });
  });

  it("lets those who publish from elsewhere use the key, through SNS alone", () => {
    const foreign = { publisherAccountIds: ["444455556666"], publisherOrganizationIds: ["o-a1b2c3d4e5"] };
    const viaSns = { "kms:ViaService": "sns.eu-west-1.amazonaws.com" };
    const use = { Effect: "Allow", Resource: "*", Action: ["kms:GenerateDataKey", "kms:Decrypt"] };
    expect(statements(foreign).slice(2)).to.deep.equal([
      {
        ...use,
        Sid: "WebsocketRelayPublisherAccounts",
        Principal: { AWS: ["arn:aws:iam::444455556666:root"] },
        Condition: { StringEquals: viaSns },
      },
      {
        ...use,
        Sid: "WebsocketRelayPublisherOrganizations",
        Principal: "*",
        Condition: { StringEquals: { ...viaSns, "aws:PrincipalOrgID": ["o-a1b2c3d4e5"] } },
      },
    ]);
  });

  it("speaks of the partition and the domain that it is told", () => {
    const json = JSON.stringify(
      statements({ region: "cn-north-1", partition: "aws-cn", dnsSuffix: "amazonaws.com.cn" }),
    );
    expect(json).to.include("logs.cn-north-1.amazonaws.com.cn").and.to.include("arn:aws-cn:sns:cn-north-1:");
    expect(json).not.to.include("arn:aws:");
  });
});
