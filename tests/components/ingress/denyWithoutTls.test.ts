import { runSimulation } from "@cloud-copilot/iam-simulate";
import { expect } from "chai";
import { runRelay } from "../../support/relayRun";

const account = "111122223333";
const topicArn = `arn:aws:sns:eu-west-1:${account}:relay-topic`;
const everything = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };

/** Actions of all kinds: of producers, of consumers, and of administrators. */
const actions = {
  sqs: [
    "SendMessage",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "PurgeQueue",
    "SetQueueAttributes",
  ],
  sns: ["Publish", "Subscribe", "SetTopicAttributes", "DeleteTopic"],
};

interface Call {
  principal: string;
  action: string;
  resource: string;
  context?: Record<string, string>;
}

/** Every policy of a topic or queue in replay mode with receipts, by the resource's ARN. */
async function resourcePolicies(): Promise<Map<string, unknown>> {
  const { registrations } = await runRelay({
    delivery: "replay",
    receipts: true,
    publisherAccountIds: ["444455556666"],
  });
  const policies = registrations.filter(({ type }) => /^aws:s[nq]s\/\w+Policy:/.test(type));
  return new Map(
    policies.map(({ inputs }) => {
      const document = JSON.parse(inputs.policy as string) as { Statement: { Resource: string }[] };
      return [document.Statement[0]?.Resource ?? "", document];
    }),
  );
}

describe("the policies of topics and queues", () => {
  let policies: Map<string, unknown>;
  before(async () => {
    policies = await resourcePolicies();
  });

  /** IAM's decision about a call with or without TLS; a service has no policies of its own, and others may do everything. */
  const decide = async ({ principal, action, resource, context }: Call, tls: boolean): Promise<string> => {
    const result = await runSimulation(
      {
        request: {
          principal,
          action,
          resource: { resource, accountId: account },
          contextVariables: { ...context, "aws:SecureTransport": String(tls) },
        },
        identityPolicies: principal.startsWith("arn:") ? [{ name: "everything", policy: everything }] : [],
        resourcePolicy: policies.get(resource),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
      },
      {},
    );
    if (result.resultType === "error") throw new Error(JSON.stringify(result.errors));
    return result.overallResult;
  };

  it("are there for each topic and each queue", () => {
    expect([...policies.keys()].map((arn) => arn.split(":").at(-1))).to.have.members([
      "relay-topic",
      "relay-receipts-topic",
      "relay-queue",
      "relay-dead-letter-queue",
      "relay-subscription-dead-letter-queue",
      "relay-flush-queue",
    ]);
  });

  it("let the account's own roles do over TLS what their policies allow, and nothing without TLS", async () => {
    for (const resource of policies.keys()) {
      const service = resource.split(":")[2] as keyof typeof actions;
      for (const action of actions[service]) {
        const call = {
          principal: `arn:aws:sts::${account}:assumed-role/backend/session`,
          action: `${service}:${action}`,
          resource,
        };
        expect(await decide(call, true), `${action} on ${resource}`).to.equal("Allowed");
        expect(await decide(call, false), `${action} on ${resource}`).to.equal("ExplicitlyDenied");
      }
    }
  });

  it("let the topic send to the retry queue, and accounts that are listed publish, over TLS only", async () => {
    const queueOf = (name: string) => `arn:aws:sqs:eu-west-1:${account}:${name}`;
    const delivery = {
      principal: "sns.amazonaws.com",
      action: "sqs:SendMessage",
      context: { "aws:SourceArn": topicArn },
    };
    const calls: Call[] = [
      { ...delivery, resource: queueOf("relay-queue") },
      { ...delivery, resource: queueOf("relay-subscription-dead-letter-queue") },
      { principal: "arn:aws:iam::444455556666:root", action: "sns:Publish", resource: topicArn },
    ];
    for (const call of calls) {
      expect(await decide(call, true), call.resource).to.equal("Allowed");
      expect(await decide(call, false), call.resource).to.equal("ExplicitlyDenied");
    }
  });
});
