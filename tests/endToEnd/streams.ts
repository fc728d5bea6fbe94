import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { RelayBackend } from "../../backend";
import { parseStreamChunk, type StreamChunk } from "../../protocol";
import { recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const tokens = Array.from({ length: 500 }, (_, index) => `token ${index} 😀, `);
const text = tokens.join("");

/** A language model: it gives way between two tokens, so that requests and timers run. */
async function* model(): AsyncGenerator<string> {
  for (const token of tokens) {
    yield token;
    await setImmediate();
  }
}

/** Part of the tests of a relay in retry mode. They share its run. */
export function describeStreamsInRetryMode(run: () => Relay): void {
  it("delivers the text of a stream to a raw client, in few messages whose offsets order them", async () => {
    const to = recipient();
    const client = await run().connect(to);
    const backend = new StreamingBackend(run());
    const stream = backend.relay.stream(to);
    for await (const token of model()) await stream.append(token);
    await stream.close();
    while (!endOf(client.messages)) await once(client.socket, "message");
    await run().untilQueueIsEmpty();
    expect(textOf(client.messages)).to.equal(text);
    expect(backend.requests).to.be.below(tokens.length / 2);
    backend.close();
  });
}

/** Part of the tests of a relay in replay mode. They share its run. */
export function describeStreamsInReplayMode(run: () => Relay): void {
  describe("with a backend that streams", () => {
    let backend: StreamingBackend;
    before(() => (backend = new StreamingBackend(run())));
    after(() => backend.close());

    it("delivers the text in few messages, live and on resume", async () => {
      const to = recipient();
      await deliverStream(run(), backend, to);
      const another = await ReplayClient.connect(run(), to);
      another.send({ action: "resume", from: "oldest" });
      await untilEnd(another);
      expect(textOf(bodiesOf(another))).to.equal(text);
    });

    it("delivers a text that is larger than a message", async () => {
      const to = recipient();
      const client = await ReplayClient.connect(run(), to);
      const stream = backend.relay.stream(to);
      const large = "€\u0000\uffff😀".repeat(20_000);
      await stream.append(large);
      await stream.close();
      await run().untilQueueIsEmpty();
      await untilEnd(client);
      expect(textOf(bodiesOf(client))).to.equal(large);
    });

    it("tells the client that the stream was aborted, and where its text ends", async () => {
      const to = recipient();
      const client = await ReplayClient.connect(run(), to);
      const stream = backend.relay.stream(to);
      await stream.append("half an answer");
      expect(await stream.abort("model-failed")).to.deep.equal({});
      await untilEnd(client);
      await run().untilQueueIsEmpty();
      expect(endOf(bodiesOf(client))).to.deep.include({ offset: 14, text: "", end: "aborted", reason: "model-failed" });
    });

    it("tells the backend a session's position, from which a client gets only what is new", async () => {
      const to = recipient();
      expect(await backend.relay.position(to)).to.equal(undefined);
      for (const message of ["one", "two"]) {
        await run().publish(to, message);
        await run().untilQueueIsEmpty();
      }
      const position = await backend.relay.position(to);
      expect(position).to.include({ seq: 2 });
      await run().publish(to, "three");
      await run().untilQueueIsEmpty();
      const client = await ReplayClient.connect(run(), to);
      expect(await client.resume({ cursor: position })).to.include({ recovered: true, first: 3, through: 3 });
      expect(client.messages).to.deep.equal([[3, "three"]]);
    });
  });
}

/** Part of the tests of a relay in strict order. They share its run. */
export function describeStreamsInStrictOrder(run: () => Relay): void {
  it("delivers the text of a stream in few messages", async () => {
    const backend = new StreamingBackend(run());
    await deliverStream(run(), backend, recipient());
    backend.close();
  });
}

/** Streams the text to a client of the protocol that is connected. */
async function deliverStream(relay: Relay, backend: StreamingBackend, to: Recipient): Promise<void> {
  const client = await ReplayClient.connect(relay, to);
  const before = backend.requests;
  const stream = backend.relay.stream(to);
  for await (const token of model()) await stream.append(token);
  await stream.close();
  expect(backend.requests - before).to.be.below(tokens.length / 2);
  await relay.untilQueueIsEmpty();
  await untilEnd(client);
  expect(textOf(bodiesOf(client))).to.equal(text);
  expect(endOf(bodiesOf(client))).to.deep.include({ id: stream.id, end: "closed" });
}

function bodiesOf(client: ReplayClient): string[] {
  return client.messages.map(([, body = ""]) => body);
}

async function untilEnd(client: ReplayClient): Promise<void> {
  await client.until("message", 0, ({ body = "" }) => parseStreamChunk(body)?.end !== undefined);
}

/** A backend, and how many requests it has sent to SNS. */
export class StreamingBackend {
  readonly relay: RelayBackend;
  requests = 0;
  private readonly clients: { sns: SNSClient; dynamodb: DynamoDBClient };

  constructor({ addresses }: Relay) {
    const { region, accessKeyId, secretAccessKey, awsEndpoint, dynamodbEndpoint, topicArn, historyTableName } =
      addresses;
    const as = { region, credentials: { accessKeyId, secretAccessKey } };
    const sns = new SNSClient({ ...as, endpoint: awsEndpoint });
    sns.middlewareStack.add((next) => async (args) => {
      this.requests++;
      return await next(args);
    });
    this.clients = { sns, dynamodb: new DynamoDBClient({ ...as, endpoint: dynamodbEndpoint }) };
    this.relay = new RelayBackend({ topicArn, historyTableName, clients: this.clients });
  }

  close(): void {
    this.clients.sns.destroy();
    this.clients.dynamodb.destroy();
  }
}

/** The text of the only stream among these bodies, in the order of its offsets. Copies and keep-alives are left out. */
function textOf(bodies: readonly string[]): string {
  const chunks = bodies.flatMap((body) => parseStreamChunk(body) ?? []);
  const inOrder = chunks.sort((one, other) => one.offset - other.offset);
  return inOrder.reduce((sum, chunk) => (chunk.offset === sum.length ? sum + chunk.text : sum), "");
}

function endOf(bodies: readonly string[]): StreamChunk | undefined {
  return bodies.map(parseStreamChunk).find((chunk) => chunk?.end !== undefined);
}
