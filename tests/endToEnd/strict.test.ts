import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { RelayBackend } from "../../backend";
import { startProgram } from "./program";
import { recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";
import { describeStreamsInStrictOrder } from "./streams";

const program = `
const relay = new WebsocketRelay("relay", {
  auth,
  delivery: "replay",
  ordering: "strict",
  maxAttempts: 10,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 10,
});`;

const sessionCount = 5;
const messagesEach = 40;
const bodies = Array.from({ length: messagesEach }, (_, index) => `message ${index + 1}`);
const inOrder = bodies.map((body, index) => [index + 1, body]);

describe("a relay in strict order, end to end on one machine", () => {
  let relay: Relay;
  let sns: SNSClient;
  let backend: RelayBackend;

  before(async () => {
    relay = await startProgram(program, ["--time-scale", "30"]);
    const { region, accessKeyId, secretAccessKey, awsEndpoint: endpoint, topicArn } = relay.addresses;
    sns = new SNSClient({ region, credentials: { accessKeyId, secretAccessKey }, endpoint });
    backend = new RelayBackend({ topicArn, clients: { sns } });
  });
  after(async () => {
    sns?.destroy();
    await relay?.stop();
  });
  afterEach(() => relay.abandon());

  const publish = ({ user, context, contextId }: Recipient, message: string, messageId?: string) =>
    backend.publish({ user, context, contextId, message, messageId });

  it("is made of a FIFO topic and FIFO queues", () => {
    const { topicArn, queueUrl, deadLetterQueueUrl, subscriptionDeadLetterQueueUrl } = relay.addresses;
    for (const address of [topicArn, queueUrl, deadLetterQueueUrl, subscriptionDeadLetterQueueUrl]) {
      expect(address).to.match(/\.fifo$/);
    }
  });

  it("gives 200 messages to five sessions their numbers, and to their clients, in the order of publishing, whatever fails", async () => {
    const clients = await Promise.all(
      Array.from({ length: sessionCount }, async () => {
        const to = recipient();
        return { to, client: await ReplayClient.connect(relay, to) };
      }),
    );
    for (const [index, body] of bodies.entries()) {
      if (index % 10 === 3) await relay.fault({ management: 500, times: 4 });
      if (index % 10 === 7) await relay.fault({ crash: "deliver", times: 1 });
      for (const { to } of clients) await publish(to, body);
      if (index % 10 !== 9) continue;
      for (const { client } of clients) {
        // The gateway's clock runs fast, and ends a connection over which nothing goes while the faults last.
        client.client.socket.send(JSON.stringify({ action: "ping" }));
        await client.message(index + 1);
      }
    }
    await relay.untilQueueIsEmpty();

    for (const { client } of clients) {
      const arrived = new Map(client.messages);
      // In the order of their first arrival: what was posted before a crash comes once more.
      expect([...arrived]).to.deep.equal(inOrder);
      const epochs = client.envelopes.flatMap((envelope) => (envelope.type === "message" ? [envelope.epoch] : []));
      expect(new Set(epochs)).to.have.lengthOf(1);
    }
    expect((await relay.metrics())("Retried", "gateway-error")).to.be.greaterThan(0);
  });

  it("keeps the order for who is away, and does not hold its queue up", async () => {
    const to = recipient();
    await relay.fault({ crash: "deliver", times: 1 });
    for (const body of bodies) await publish(to, body);
    await relay.untilQueueIsEmpty();
    const client = await ReplayClient.connect(relay, to);
    await client.resume();
    expect(client.messages).to.deep.equal(inOrder);
  });

  it("takes a message once that is published twice with one id, and two that are equal but for that", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    for (const id of ["one", "one", undefined, undefined]) await publish(to, "the same", id);
    await client.message(3);
    await relay.untilQueueIsEmpty();
    expect(client.messages).to.deep.equal([1, 2, 3].map((seq) => [seq, "the same"]));
  });

  it("dead-letters to a FIFO queue what can never be delivered", async () => {
    const { user } = recipient();
    const { topicArn: TopicArn, deadLetterQueueUrl } = relay.addresses;
    const MessageAttributes = { user: { DataType: "String", StringValue: user } };
    const group = { MessageGroupId: user, MessageDeduplicationId: "once" };
    await sns.send(new PublishCommand({ TopicArn, Message: "without a user", MessageAttributes, ...group }));
    const { MessageAttributes: why } = await relay.deadLetter("without a user", deadLetterQueueUrl);
    expect(why?.reason?.StringValue).to.equal("missing-attribute: context");
    await relay.untilQueueIsEmpty();
  });

  describeStreamsInStrictOrder(() => relay);
});
