import { expect } from "chai";
import { startProgram } from "./program";
import { recipient, type Recipient, type Relay } from "./relay";

const domain = "ws.relay.dev";

/** Beside the flow, what a production stack asks for: a key and its policy, a boundary, a domain, logs and alarms. */
const production = (keyStatements: string) => `
const owner = { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" };
const key = new aws.kms.Key("key", {
  policy: JSON.stringify({ Version: "2012-10-17", Statement: [owner, ${keyStatements}] }),
});
const boundary = new aws.iam.Policy("boundary", {
  policy: JSON.stringify({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ["dynamodb:*", "sqs:*", "logs:*", "execute-api:*", "kms:*"], Resource: "*" },
    ],
  }),
});
const relay = new WebsocketRelay("relay", {
  auth,
  kmsKeyArn: key.arn,
  permissionsBoundaryArn: boundary.arn,
  protectData: true,
  customDomain: {
    domainName: "${domain}",
    certificateArn: "arn:aws:acm:us-east-1:000000000000:certificate/11111111-1111-4111-8111-111111111111",
    hostedZoneId: "Z0123456789",
    basePath: "chat",
  },
  gatewayLogs: { accountRole: "create" },
  publisherAccountIds: ["111122223333"],
});`;

describe("a relay with a customer-managed key, a boundary, a domain, access logs and alarms", () => {
  let relay: Relay;
  before(async () => {
    const statements = '...kmsKeyPolicyStatements({ accountId: "000000000000", region: "us-east-1" })';
    relay = await startProgram(production(statements), ["--time-scale", "60"]);
  });
  after(() => relay.stop());

  /** A domain has no DNS here: the gateway's own port tells it by the Host header. */
  const urlOf = ({ context, contextId }: Recipient) => {
    const { host } = new URL(relay.addresses.managementEndpoint);
    return `ws://${host}/chat?context=${context}&contextId=${contextId}`;
  };
  const connect = async (to: Recipient) =>
    relay.connectByUrl(urlOf(to), {
      headers: { host: domain, authorization: `Bearer ${await relay.token(to.user)}` },
    });

  it("delivers by the domain, through all that the key encrypts", async () => {
    expect(relay.addresses.websocketUrl).to.equal(`wss://${domain}/chat`);
    const to = recipient();
    const client = await connect(to);
    await relay.publish(to, "hello");
    await client.message("hello");
  });

  it("always allows the domain's own origin, and no other page of the parent domain", async () => {
    const to = recipient();
    const cookie = `${relay.addresses.cookieName}=${await relay.token(to.user)}`;
    const statusOf = async (origin: string) =>
      (await relay.handshake(urlOf(to), { headers: { host: domain, cookie, origin } })).status;
    expect(await statusOf(`https://${domain}`)).to.equal(101);
    expect(await statusOf("https://relay.dev")).to.equal(403);
  });

  it("dead-letters under the key", async () => {
    await relay.publish({ user: "42" }, "incomplete");
    expect((await relay.deadLetter("incomplete")).MessageAttributes?.reason?.StringValue).to.match(
      /^missing-attribute/,
    );
  });

  it("writes a line of JSON for every access, without token and query", async () => {
    const to = recipient();
    const token = await relay.token(to.user);
    const from = relay.lines.length;
    await (await connect(to)).close();
    const line = await relay.line((text) => text.includes("access-logs") && text.includes("$disconnect"), from);
    expect(JSON.parse(line.slice(line.indexOf("{")))).to.include({ eventType: "DISCONNECT", routeKey: "$disconnect" });
    expect(relay.lines.join("\n")).not.to.include(token.split(".")[1]).and.not.include("contextId=");
  });

  it("counts what was delivered, dead-lettered, admitted and refused, which the alarms look at", async () => {
    const counted = await relay.metrics();
    expect(counted("Delivered")).to.be.at.least(1);
    expect(counted("DeadLettered", "missing-attribute")).to.equal(1);
    expect(counted("DeadLetteredToFix")).to.equal(1);
    expect(counted("HandshakesRefused", "origin-not-allowed")).to.equal(1);
    expect(counted("HandshakesAccepted")).to.be.at.least(3);
  });
});

describe("a key whose policy does not let SNS use it", () => {
  it("does not lose messages where the subscription's dead-letter queue does without it", async () => {
    const relay = await startProgram(`
const owner = { Effect: "Allow", Principal: { AWS: "arn:aws:iam::000000000000:root" }, Action: "kms:*", Resource: "*" };
const statements = kmsKeyPolicyStatements({ accountId: "000000000000", region: "us-east-1" });
const Statement = [owner, ...statements.filter(({ Sid }) => Sid !== "WebsocketRelayTopicToQueues")];
const key = new aws.kms.Key("key", { policy: JSON.stringify({ Version: "2012-10-17", Statement }) });
const relay = new WebsocketRelay("relay", { auth, kmsKeyArn: key.arn, subscriptionDeadLetterQueueSse: "sqs" });`);
    try {
      const from = relay.lines.length;
      await relay.publish(recipient(), "hello");
      const line = await relay.line((text) => text.includes("cannot deliver to"), from);
      expect(line).to.match(
        /SNS may not use the queue's key: .*; the message went to the subscription's dead-letter queue/,
      );
    } finally {
      await relay.stop();
    }
  });
});

describe("a key whose policy does not let CloudWatch Logs use it", () => {
  it("fails the deployment, which says of what", async () => {
    const error = await startProgram(production("")).then(
      (started) => started.stop(),
      (reason: Error) => reason,
    );
    expect(error?.message).to.match(/AccessDeniedException: the KMS key of log group \S+ is not allowed to be used/);
  });
});
