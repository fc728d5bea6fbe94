import { PublishCommand } from "@aws-sdk/client-sns";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { kmsResources } from "../../../local/provision/kms";
import { logGroupResources } from "../../../local/provision/logGroup";
import type { Properties } from "../../../local/provision/resource";
import { refusal } from "../../support/refusal";
import { startMessaging } from "../messaging/messagingSetUp";
import { resourceOf } from "../provision/resourceOf";

const administration = {
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::000000000000:root" },
  Action: "kms:*",
  Resource: "*",
};
const policy = (...statements: Properties[]) => JSON.stringify({ Statement: [administration, ...statements] });
const use = (Service: string, ...Action: string[]) => ({
  Effect: "Allow",
  Principal: { Service },
  Action,
  Resource: "*",
});
const logsUse = use(
  "logs.us-east-1.amazonaws.com",
  "kms:Encrypt*",
  "kms:Decrypt*",
  "kms:GenerateDataKey*",
  "kms:Describe*",
);
const snsUse = use("sns.amazonaws.com", "kms:GenerateDataKey*", "kms:Decrypt");

function start(iam = new Iam()) {
  const { keys } = iam;
  const resources = { ...kmsResources(keys), ...logGroupResources(new Set(), iam) };
  const resource = (type: string) => resourceOf(resources, type);
  const create = (type: string, inputs: Properties = {}) => resource(type).create({ name: "relay", inputs });
  return { keys, resource, create };
}

const key = "aws:kms/key:Key";
const alias = "aws:kms/alias:Alias";
const logGroup = "aws:cloudwatch/logGroup:LogGroup";

describe("a provisioned key", () => {
  it("has an id, an ARN and, where it is given none, the policy that leaves all to IAM", async () => {
    const { id, outputs } = await start().create(key);
    expect(id).to.match(/^[0-9a-f-]{36}$/);
    expect(outputs).to.include({ keyId: id, arn: `arn:aws:kms:us-east-1:000000000000:key/${id}` });
    expect(JSON.parse(String(outputs.policy))).to.have.nested.property("Statement[0].Action", "kms:*");
  });

  it("has its current policy evaluated until it is deleted", async () => {
    const { keys, resource, create } = start();
    const { id, outputs } = await create(key, { policy: policy(snsUse) });
    const documents = () => keys.policies().map(({ of, document }) => [of, JSON.stringify(document)]);
    expect(documents()).to.deep.equal([[outputs.arn, policy(snsUse)]]);
    await resource(key).update(id, { name: "relay", inputs: { policy: policy(logsUse) } }, outputs);
    expect(documents()).to.deep.equal([[outputs.arn, policy(logsUse)]]);
    await resource(key).delete(id, outputs);
    expect(documents()).to.deep.equal([]);
  });

  it("is reached by its alias, which is autonamed or named", async () => {
    const { keys, create } = start();
    const { id, outputs } = await create(key);
    const named = await create(alias, { name: "alias/relay", targetKeyId: id });
    expect(named.outputs).to.include({ targetKeyArn: `arn:aws:kms:us-east-1:000000000000:key/${id}` });
    expect((await create(alias, { targetKeyId: id })).id).to.match(/^alias\/relay-[0-9a-f]{7}$/);
    for (const name of ["alias/relay", String(named.outputs.arn), id, String(outputs.arn)]) {
      expect(keys.registeredArn(name), name).to.equal(outputs.arn);
    }
    expect(keys.registeredArn("alias/none")).to.equal(undefined);
  });

  const refused: [what: string, type: string, inputs: Properties, message: string][] = [
    ["a policy that is no JSON", key, { policy: "{" }, "MalformedPolicyDocumentException"],
    ["a policy that locks everyone out", key, { policy: JSON.stringify({ Statement: [snsUse] }) }, "in the future"],
    ["a deletion window of a day", key, { deletionWindowInDays: 1 }, "deletionWindowInDays"],
    ["an alias of AWS's own", alias, { name: "alias/aws/sqs" }, "name"],
    ["an alias of no key", alias, { name: "alias/relay", targetKeyId: "none" }, "targetKeyId"],
  ];
  for (const [what, type, inputs, message] of refused) {
    it(`is refused ${what}`, async () => {
      expect((await refusal(start().create(type, inputs))).message).to.include(message);
    });
  }

  it("may lock everyone out where the program insists", async () => {
    const inputs = { policy: JSON.stringify({ Statement: [] }), bypassPolicyLockoutSafetyCheck: true };
    expect((await start().create(key, inputs)).outputs.policy).to.equal(inputs.policy);
  });
});

describe("a provisioned log group", () => {
  it("is autonamed or named, and has its ARN", async () => {
    const { create } = start();
    expect((await create(logGroup)).id).to.match(/^relay-[0-9a-f]{7}$/);
    const { outputs } = await create(logGroup, { name: "/aws/lambda/f", retentionInDays: 30 });
    expect(outputs.arn).to.equal("arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f");
  });

  it("takes a key whose policy lets CloudWatch Logs use it, and on trust one from elsewhere", async () => {
    const { create } = start();
    const { outputs } = await create(key, { policy: policy(logsUse) });
    await create(logGroup, { kmsKeyId: outputs.arn });
    await create(logGroup, { kmsKeyId: "arn:aws:kms:us-east-1:111111111111:key/theirs" });
  });

  it("is refused a key whose policy does not, until the policy changes", async () => {
    const { create, resource } = start();
    const { id, outputs } = await create(key, { policy: policy(snsUse) });
    const { message } = await refusal(create(logGroup, { kmsKeyId: outputs.arn }));
    expect(message)
      .to.match(/^AccessDeniedException/)
      .and.include("logs.us-east-1.amazonaws.com is not authorized to perform: kms:Encrypt");
    await resource(key).update(id, { name: "key", inputs: { policy: policy(logsUse) } }, {});
    await create(logGroup, { kmsKeyId: outputs.arn });
  });

  const refused: [what: string, inputs: Properties, message: string][] = [
    ["a retention that CloudWatch does not have", { retentionInDays: 31 }, "retentionInDays"],
    ["a key that is no ARN", { kmsKeyId: "alias/relay" }, "kmsKeyId"],
    ["a name of other characters", { name: "a b" }, "name"],
  ];
  for (const [what, inputs, message] of refused) {
    it(`is refused ${what}`, async () => {
      expect((await refusal(start().create(logGroup, inputs))).message).to.include(message);
    });
  }

  it("is refused under a name that is taken", async () => {
    const { create, resource } = start();
    await create(logGroup, { name: "logs" });
    expect((await refusal(create(logGroup, { name: "logs" }))).message).to.include("already exists");
    await resource(logGroup).delete("logs", {});
    await create(logGroup, { name: "logs" });
  });
});

describe("a topic's message to a queue under a customer key", () => {
  /** What a queue under a key with that policy, and its subscription's dead-letter queue, get of a topic's message. */
  async function delivered(keyPolicy: string): Promise<{ bodies: (string | undefined)[]; logs: string[] }> {
    const iam = new Iam();
    const { id: keyId } = await start(iam).create(key, { policy: keyPolicy });
    const logs: string[] = [];
    const { messaging, sqs, sns } = await startMessaging({ iam, log: (line) => logs.push(line) });
    const Statement = [{ Effect: "Allow", Principal: "*", Action: "sqs:SendMessage", Resource: "*" }];
    const queue = messaging.createQueue("queue", {
      KmsMasterKeyId: keyId,
      Policy: JSON.stringify({ Statement }),
    });
    const TopicArn = messaging.createTopic("topic", {});
    messaging.subscribe(TopicArn, queue.arn, { RawMessageDelivery: "true" });
    await sns.send(new PublishCommand({ TopicArn, Message: "hello" }));
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url }));
    return { bodies: Messages.map(({ Body }) => Body), logs };
  }

  it("is delivered where the key's policy lets SNS use it", async () => {
    expect(await delivered(policy(snsUse))).to.deep.equal({ bodies: ["hello"], logs: [] });
  });

  it("is not delivered where it does not, and the log says which action is missing", async () => {
    const { bodies, logs } = await delivered(policy(use("sns.amazonaws.com", "kms:Decrypt")));
    expect(bodies).to.deep.equal([]);
    expect(logs[0])
      .to.include("sns.amazonaws.com is not authorized to perform: kms:GenerateDataKey")
      .and.include("discarded");
  });
});
