import { expect } from "chai";
import { Iam } from "../../../local/iam/iam";
import { deniedBecause, judgeDelivery } from "../../../local/messaging/queuePolicy";

const topicArn = "arn:aws:sns:us-east-1:000000000000:relay-topic";
const queueArn = "arn:aws:sqs:us-east-1:000000000000:relay-queue";

function allow(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    Effect: "Allow",
    Principal: { Service: "sns.amazonaws.com" },
    Action: "sqs:SendMessage",
    Resource: queueArn,
    Condition: { ArnEquals: { "aws:SourceArn": topicArn } },
    ...overrides,
  };
}

async function evaluate(...statements: unknown[]): Promise<string | undefined> {
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements });
  return deniedBecause(await judgeDelivery(new Iam(), policy, { topicArn, queueArn }));
}

describe("a queue's policy lets SNS send", () => {
  const cases: [claim: string, ...statements: Record<string, unknown>[]][] = [
    ["by service, action, resource and source", allow()],
    ["with any principal", allow({ Principal: "*" })],
    ["with any AWS principal", allow({ Principal: { AWS: "*" } })],
    ["with several services", allow({ Principal: { Service: ["events.amazonaws.com", "sns.amazonaws.com"] } })],
    ["with every action of SQS", allow({ Action: "sqs:*" })],
    ["with the action in the service's older spelling", allow({ Action: ["SQS:SendMessage"] })],
    ["with every action", allow({ Action: "*" })],
    ["with a wildcard in the resource", allow({ Resource: "arn:aws:sqs:*:*:relay-*" })],
    ["with ArnLike", allow({ Condition: { ArnLike: { "aws:SourceArn": "arn:aws:sns:*:*:relay-topic" } } })],
    ["with wildcards in ArnEquals", allow({ Condition: { ArnEquals: { "aws:SourceArn": "arn:aws:sns:*:*:*" } } })],
    ["with StringEquals", allow({ Condition: { StringEquals: { "aws:SourceArn": ["other", topicArn] } } })],
    ["with StringLike", allow({ Condition: { StringLike: { "AWS:SourceArn": "arn:aws:sns:*" } } })],
    ["from the account", allow({ Condition: { StringEquals: { "aws:SourceAccount": "000000000000" } } })],
    ["without a condition", allow({ Condition: undefined })],
    ["next to a statement on another service", allow({ Principal: { Service: "s3.amazonaws.com" } }), allow()],
    [
      "next to a Deny of insecure transport",
      allow(),
      allow({ Effect: "Deny", Principal: "*", Condition: { Bool: { "aws:SecureTransport": "false" } } }),
    ],
    ["next to a Deny of other topics", allow(), deny({ ArnNotEquals: { "aws:SourceArn": topicArn } })],
  ];
  for (const [claim, ...statements] of cases) {
    it(claim, async () => expect(await evaluate(...statements)).to.equal(undefined));
  }
});

describe("a queue's policy keeps SNS from sending", () => {
  const noStatement = /no statement/;
  const cases: [claim: string, cause: RegExp, ...statements: Record<string, unknown>[]][] = [
    ["without a statement", noStatement],
    ["to another principal", noStatement, allow({ Principal: { Service: "events.amazonaws.com" } })],
    ["to an account", noStatement, allow({ Principal: { AWS: "arn:aws:iam::000000000000:root" } })],
    ["without a principal", noStatement, allow({ Principal: undefined })],
    ["with another action", noStatement, allow({ Action: ["sqs:ReceiveMessage"] })],
    ["with another resource", noStatement, allow({ Resource: `${queueArn}-2` })],
    [
      "with a resource that the dot of a pattern would match",
      noStatement,
      allow({ Resource: queueArn.replace("-queue", ".queue") }),
    ],
    ["from another topic", noStatement, allow({ Condition: { ArnEquals: { "aws:SourceArn": `${topicArn}-2` } } })],
    [
      "with a wildcard across an ARN's parts",
      noStatement,
      allow({ Condition: { ArnLike: { "aws:SourceArn": "arn:*:relay-topic" } } }),
    ],
    [
      "with wildcards in StringEquals",
      noStatement,
      allow({ Condition: { StringEquals: { "aws:SourceArn": "arn:aws:sns:*" } } }),
    ],
    [
      "on a key that SNS does not send",
      noStatement,
      allow({ Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }),
    ],
    [
      "where one of two conditions fails",
      noStatement,
      allow({ Condition: { ArnEquals: { "aws:SourceArn": topicArn }, StringEquals: { "aws:SourceAccount": "1" } } }),
    ],
    ["with NotAction on sending", noStatement, allow({ Action: undefined, NotAction: "sqs:Send*" })],
    ["by an explicit Deny next to the Allow", /denies/, allow(), allow({ Effect: "Deny" })],
  ];
  for (const [claim, cause, ...statements] of cases) {
    it(claim, async () => expect(await evaluate(...statements)).to.match(cause));
  }

  it("where there is none", async () => {
    const judged = await judgeDelivery(new Iam(), undefined, { topicArn, queueArn });
    expect(deniedBecause(judged)).to.match(/no policy/);
  });
});

describe("a queue's policy that cannot be evaluated", () => {
  const cases: [claim: string, cause: RegExp, statement: Record<string, unknown>][] = [
    [
      "for a condition key that is not modelled",
      /aws:SourceIp is not modelled/,
      allow({ Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }),
    ],
    ["for an effect that there is not", /resourcePolicyErrors/, allow({ Effect: "Maybe" })],
  ];
  for (const [claim, cause, statement] of cases) {
    it(`refuses every sender, ${claim}`, async () => {
      expect(await evaluate(statement))
        .to.match(/cannot be evaluated/)
        .and.match(cause);
    });
  }
});

function deny(condition: unknown): Record<string, unknown> {
  return allow({ Effect: "Deny", Principal: "*", Condition: condition });
}
