import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../../components";
import { resolveArgs } from "../../../components/args/args";
import { Publisher } from "../../../components/ingress/publisher";
import { record, valueOf } from "../../support/recorder";
import { auth, type Run, runPart } from "../../support/relayRun";

/** Denies every caller what does not come over TLS. */
const withoutTls = {
  Sid: "DenyWithoutTls",
  Effect: "Deny",
  Principal: { AWS: "*" },
  Condition: { Bool: { "aws:SecureTransport": "false" } },
};

describe("the publisher", () => {
  let run: Run;

  before(async () => {
    run = await runPublisher({ tags: { team: "chat" } });
  });

  it("gives the retry queue its time-outs, its retention and the redrive net, encrypted with the key SNS can use", () => {
    const queue = run.inputs("aws:sqs/queue:Queue", "relay-queue");
    expect(queue).to.deep.equal({
      visibilityTimeoutSeconds: 180,
      messageRetentionSeconds: 345_600,
      redrivePolicy: queue.redrivePolicy,
      sqsManagedSseEnabled: true,
      tags: { team: "chat" },
    });
    expect(JSON.parse(queue.redrivePolicy as string)).to.deep.equal({
      deadLetterTargetArn: "arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue",
      maxReceiveCount: 71,
    });
  });

  it("keeps dead letters for SQS's longest retention", () => {
    for (const name of ["relay-dead-letter-queue", "relay-subscription-dead-letter-queue"]) {
      expect(run.inputs("aws:sqs/queue:Queue", name)).to.deep.equal({
        messageRetentionSeconds: 1_209_600,
        sqsManagedSseEnabled: true,
        tags: { team: "chat" },
      });
    }
  });

  it("allows only the topic to send to the retry queue and to the subscription's dead-letter queue", () => {
    for (const name of ["relay-queue", "relay-subscription-dead-letter-queue"]) {
      const policy = run.inputs("aws:sqs/queuePolicy:QueuePolicy", `${name}-policy`);
      expect(policy.queueUrl).to.equal(`https://sqs.eu-west-1.amazonaws.com/111122223333/${name}`);
      const Resource = `arn:aws:sqs:eu-west-1:111122223333:${name}`;
      expect(JSON.parse(policy.policy as string)).to.deep.equal({
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Principal: { Service: "sns.amazonaws.com" },
            Action: "sqs:SendMessage",
            Resource,
            Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:relay-topic" } },
          },
          { ...withoutTls, Action: "sqs:*", Resource },
        ],
      });
    }
  });

  it("leaves the dead-letter queue to the policies of its account's roles, and denies them calls without TLS", () => {
    const { queueUrl, policy } = run.inputs("aws:sqs/queuePolicy:QueuePolicy", "relay-dead-letter-queue-policy");
    expect(queueUrl).to.equal("https://sqs.eu-west-1.amazonaws.com/111122223333/relay-dead-letter-queue");
    const Resource = "arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue";
    expect(JSON.parse(policy as string)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [{ ...withoutTls, Action: "sqs:*", Resource }],
    });
  });

  it("subscribes the retry queue raw, with a dead-letter queue of the subscription's own", () => {
    const subscription = run.inputs("aws:sns/topicSubscription:TopicSubscription", "relay-subscription");
    expect(subscription).to.deep.equal({
      topic: "arn:aws:sns:eu-west-1:111122223333:relay-topic",
      protocol: "sqs",
      endpoint: "arn:aws:sqs:eu-west-1:111122223333:relay-queue",
      rawMessageDelivery: true,
      redrivePolicy: subscription.redrivePolicy,
    });
    expect(JSON.parse(subscription.redrivePolicy as string)).to.deep.equal({
      deadLetterTargetArn: "arn:aws:sqs:eu-west-1:111122223333:relay-subscription-dead-letter-queue",
    });
  });

  it("gives the topic the policy that SNS gives a new one, and denies each of its actions without TLS", () => {
    const { arn, policy } = run.inputs("aws:sns/topicPolicy:TopicPolicy", "relay-topic-policy");
    expect(arn).to.equal("arn:aws:sns:eu-west-1:111122223333:relay-topic");
    // https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
    const Action = [
      "SNS:GetTopicAttributes",
      "SNS:SetTopicAttributes",
      "SNS:AddPermission",
      "SNS:RemovePermission",
      "SNS:DeleteTopic",
      "SNS:Subscribe",
      "SNS:ListSubscriptionsByTopic",
      "SNS:Publish",
    ];
    expect(JSON.parse(policy as string)).to.deep.equal({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "__default_statement_ID",
          Effect: "Allow",
          Principal: { AWS: "*" },
          Action,
          Resource: arn,
          Condition: { StringEquals: { "AWS:SourceOwner": "111122223333" } },
        },
        { ...withoutTls, Action, Resource: arn },
      ],
    });
  });

  it("lets other accounts and organizations publish, and nothing else, and keeps what the owner may", async () => {
    const { inputs } = await runPublisher({
      publisherAccountIds: ["444455556666", pulumi.output("777788889999")],
      publisherOrganizationIds: ["o-a1b2c3d4e5"],
    });
    const { arn, policy } = inputs("aws:sns/topicPolicy:TopicPolicy", "relay-topic-policy");
    expect(arn).to.equal("arn:aws:sns:eu-west-1:111122223333:relay-topic");
    const { Statement } = JSON.parse(policy as string) as { Statement: object[] };
    const own = run.inputs("aws:sns/topicPolicy:TopicPolicy", "relay-topic-policy").policy as string;
    const [owner, deny] = (JSON.parse(own) as { Statement: object[] }).Statement;
    expect(Statement).to.deep.equal([
      owner,
      {
        Effect: "Allow",
        Action: "sns:Publish",
        Resource: arn,
        Sid: "PublisherAccounts",
        Principal: { AWS: ["arn:aws:iam::444455556666:root", "arn:aws:iam::777788889999:root"] },
      },
      {
        Effect: "Allow",
        Action: "sns:Publish",
        Resource: arn,
        Sid: "PublisherOrganizations",
        Principal: { AWS: "*" },
        Condition: { StringEquals: { "aws:PrincipalOrgID": ["o-a1b2c3d4e5"] } },
      },
      deny,
    ]);
  });

  describe("in strict order", () => {
    const strict = { delivery: "replay", ordering: "strict" } as const;
    const fifoQueue = { fifoQueue: true, deduplicationScope: "messageGroup", fifoThroughputLimit: "perMessageGroupId" };
    const queues = ["relay-queue", "relay-dead-letter-queue", "relay-subscription-dead-letter-queue"];

    it("has a FIFO topic that counts by group, and drops no message because of what is in it", async () => {
      const { inputs } = await runPublisher({ ...strict, tags: { team: "chat" } });
      expect(inputs("aws:sns/topic:Topic", "relay-topic")).to.deep.equal({
        fifoTopic: true,
        fifoThroughputScope: "MessageGroup",
        tags: { team: "chat" },
      });
    });

    it("has FIFO queues that count by group, under the names that they have otherwise, and all else as otherwise", async () => {
      const { inputs } = await runPublisher({ ...strict, tags: { team: "chat" } });
      for (const name of queues) {
        expect(inputs("aws:sqs/queue:Queue", name)).to.deep.equal({
          ...run.inputs("aws:sqs/queue:Queue", name),
          ...fifoQueue,
        });
      }
      for (const name of queues.map((each) => `${each}-policy`)) {
        const type = "aws:sqs/queuePolicy:QueuePolicy";
        expect(inputs(type, name)).to.deep.equal(run.inputs(type, name));
      }
      const type = "aws:sns/topicSubscription:TopicSubscription";
      expect(inputs(type, "relay-subscription")).to.deep.equal(run.inputs(type, "relay-subscription"));
    });

    it("guards them as it guards the others", async () => {
      const { guarded } = await runPublisher({ ...strict, protectData: true });
      expect(guarded).to.have.members([...queues, "relay-topic"]);
    });

    it("subscribes to a FIFO topic of the user's own", async () => {
      const topicArn = "arn:aws:sns:eu-west-1:444455556666:answers.fifo";
      const { inputs, registrations } = await runPublisher({ ...strict, topicArn: pulumi.output(topicArn) });
      expect(inputs("aws:sns/topicSubscription:TopicSubscription", "relay-subscription").topic).to.equal(topicArn);
      expect(registrations.filter(({ type }) => type === "aws:sns/topic:Topic")).to.deep.equal([]);
    });
  });

  it("has nothing of FIFO in standard order", () => {
    const fifo = /fifo|dedup/i;
    const inputs = run.registrations.flatMap((registration) => Object.keys(registration.inputs));
    expect(inputs.filter((name) => fifo.test(name))).to.deep.equal([]);
  });

  describe("with a topic of the user's own", () => {
    const topicArn = "arn:aws:sns:eu-west-1:444455556666:answers";

    it("subscribes the retry queue to it, lets it send, and makes no topic and no policy of one", async () => {
      let publisher!: Publisher;
      const { registrations, inputs } = await runPart((args) => (publisher = new Publisher("relay", args)), {
        topicArn: pulumi.output(topicArn),
      });
      expect(registrations.filter(({ type }) => /^aws:sns\/topic(Policy)?:/.test(type))).to.deep.equal([]);
      expect(publisher.topic).to.equal(undefined);
      expect(publisher.topicPolicy).to.equal(undefined);
      expect(await valueOf(publisher.topicArn)).to.equal(topicArn);
      expect(inputs("aws:sns/topicSubscription:TopicSubscription", "relay-subscription").topic).to.equal(topicArn);
      const { policy } = inputs("aws:sqs/queuePolicy:QueuePolicy", "relay-queue-policy");
      expect(policy).to.include(JSON.stringify({ ArnEquals: { "aws:SourceArn": topicArn } }));
    });

    it("fails where it is in another region", async () => {
      const elsewhere = topicArn.replace("eu-west-1", "us-east-1");
      const program = () => new Publisher("relay", resolveArgs({ auth, topicArn: elsewhere }));
      const { errors, registrations } = await record(program, { awaitedErrors: 6 });
      expect(errors.map(String).join("\n")).to.include("topicArn: ").and.to.include("relay's region, eu-west-1");
      expect(registrations.map(({ name }) => name)).not.to.include("relay-subscription");
    });
  });
});

function runPublisher(args: Partial<WebsocketRelayArgs>): Promise<Run> {
  return runPart((resolved, opts) => new Publisher("relay", resolved, opts), args);
}
