import { DurableStream, FetchError, stream } from "@durable-streams/client";
import { expect } from "chai";
import type { MessageEnvelope } from "../../protocol";
import { administratorOf } from "./flows";
import { startProgram } from "./program";
import { recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const program = `
const relay = new WebsocketRelay("relay", {
  auth,
  delivery: "replay",
  // Many messages of a session at a time.
  batchSize: 100,
  maximumBatchingWindowInSeconds: 1,
  maximumConcurrency: 2,
  httpRead: true,
});`;

describe("the Durable Streams protocol's own client, of a relay on one machine", () => {
  let relay: Relay;

  before(async () => {
    relay = await startProgram(program);
  });
  after(() => relay?.stop());

  /** What the client is given. It retries without end by itself: here, a failure is one. */
  const optionsFor = ({ user, context, contextId }: Recipient) => {
    const url = `${relay.addresses.readUrl}?${new URLSearchParams({ context, contextId }).toString()}`;
    const backoffOptions = { initialDelay: 1, maxDelay: 1, multiplier: 1, maxRetries: 0 };
    return {
      url,
      headers: { authorization: async () => `Bearer ${await relay.token(user)}` },
      warnOnHttp: false,
      backoffOptions,
    };
  };
  const messagesOf = async (from: Recipient, offset?: string) => {
    const answer = await stream<MessageEnvelope>({ ...optionsFor(from), live: false, ...(offset && { offset }) });
    return { messages: await answer.json(), offset: answer.offset, upToDate: answer.upToDate };
  };
  /** Until it is up to date. The client's version 0.2.7 reads one page with `live: false`. */
  const allMessagesOf = async (from: Recipient) => {
    const pages = [await messagesOf(from)];
    for (let last = pages[0]; last && !last.upToDate; pages.push(last)) last = await messagesOf(from, last.offset);
    const { offset = "" } = pages.at(-1) ?? {};
    return { messages: pages.flatMap(({ messages }) => messages), offset, pages: pages.length };
  };
  /** Why the client could not read. */
  const refusal = async (reading: Promise<unknown>) => {
    const error = await reading.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof FetchError)) throw new Error("the client was not refused", { cause: error });
    return error;
  };

  it("reads 1,000 messages page by page, later ones from its last offset, and the WebSocket goes on after them", async () => {
    const to = recipient();
    const bodies = Array.from({ length: 1_000 }, (_, index) => `message ${index} ${"x".repeat(1_500)}`);
    await administratorOf(relay).publishBatch(bodies.map((message) => ({ ...to, message })));
    await relay.untilQueueIsEmpty();
    const { messages, offset, pages } = await allMessagesOf(to);
    expect(messages.map(({ seq }) => seq)).to.deep.equal(bodies.map((_, index) => index + 1));
    expect(messages.map(({ body }) => body).sort()).to.deep.equal([...bodies].sort());
    expect(pages).to.be.at.least(2);

    await relay.publish({ ...to, messageId: "later" }, "later");
    await relay.untilQueueIsEmpty();
    const later = await messagesOf(to, offset);
    const { epoch = "" } = messages[0] ?? {};
    expect(later.messages).to.deep.equal([{ type: "message", epoch, seq: 1_001, id: "later", body: "later" }]);
    expect(later.offset > offset).to.equal(true);
    expect((await messagesOf(to, later.offset)).messages).to.deep.equal([]);

    const client = await ReplayClient.connect(relay, to);
    expect(await client.resume({ cursor: { epoch, seq: 1_000 } })).to.deep.include({
      recovered: true,
      first: 1_001,
      through: 1_001,
    });
  });

  it("reads a session without messages as an empty stream, whose end it is told", async () => {
    const to = recipient();
    const { messages, offset } = await messagesOf(to);
    expect(messages).to.deep.equal([]);
    expect(await DurableStream.head(optionsFor(to))).to.include({
      exists: true,
      contentType: "application/json",
      offset,
    });
  });

  it("is told once, and why, that an offset is gone or that it may not read live", async () => {
    const to = recipient();
    await relay.publish(to, "one");
    await relay.untilQueueIsEmpty();
    const gone = await refusal(messagesOf(to, "0000000000000001_anotherEpoch"));
    expect(gone.status).to.equal(410);
    expect(gone.message).to.include("read from offset=-1");

    const received: unknown[] = [];
    const live = await stream(optionsFor(to));
    const receive = async () => {
      for await (const item of live.jsonStream()) received.push(item);
    };
    // Both reject.
    const [refused] = await Promise.all([refusal(live.closed), refusal(receive())]);
    expect(received, "before it asked for more").to.have.length(1);
    expect(refused.status).to.equal(400);
    expect(refused.message).to.include("live: false");
  });
});
