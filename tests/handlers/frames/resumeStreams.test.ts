import { expect } from "chai";
import { MAX_PAYLOAD_BYTES, parseStreamChunk } from "../../../protocol";
import { envelopesIn } from "../../support/schemas";
import { chunkBodies, chunkBody } from "../../support/streams";
import { key, now, segmentOf } from "../history/segments";
import { store } from "./frameSetUp";
import { at, messageOf, setUp as setUpResume } from "./resumeSetUp";

/** A log that holds a stream, each chunk in a segment of its own, from that number on. */
async function setUp(texts: readonly string[], first = 1) {
  const parts = setUpResume();
  const bodies = chunkBodies(texts);
  await store(parts.history, ...bodies.map((body, i) => segmentOf(first + i, { body })));
  return {
    ...parts,
    messages: () => parts.envelopes().filter((each) => each.type === "message"),
    sent: () => parts.log.lines.find(({ event }) => event === "resumed")?.sent,
  };
}

describe("resume, of a stream", () => {
  it("sends what was missed as one envelope, and counts messages", async () => {
    const { ask, messages, envelopes, sent } = await setUp(["a", "b", "c", "d"]);
    await ask({ cursor: at(1) });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 2, through: 4 });
    expect(messages()).to.deep.equal([{ ...messageOf(4), first: 2, body: chunkBody(1, "bcd") }]);
    expect(sent()).to.equal(3);
  });

  it("joins chunks of segments with several messages, and leaves those between them as they are", async () => {
    const { ask, history, messages } = await setUp(["a", "b"]);
    const stored = [
      { id: "m3", body: chunkBody(2, "c") },
      { id: "m4", body: "body of m4" },
      { id: "m5", body: chunkBody(3, "d") },
    ];
    await store(
      history,
      segmentOf(3, { messages: stored }),
      segmentOf(6, { body: chunkBody(4, "", { end: "closed" }) }),
    );
    await ask({ cursor: at(0) });
    expect(messages()).to.deep.equal([
      { ...messageOf(3), first: 1, body: chunkBody(0, "abc") },
      messageOf(4),
      { ...messageOf(6), first: 5, body: chunkBody(3, "d", { end: "closed" }) },
    ]);
  });

  it("reports a chunk whose own time has passed, and sends it without its body", async () => {
    const { ask, history, messages, receipts } = await setUp(["a", "b"]);
    await store(
      history,
      segmentOf(3, { body: chunkBody(2, "c"), expiresAtMs: now }),
      segmentOf(4, { body: chunkBody(3, "d") }),
    );
    await ask({ cursor: at(0) });
    expect(messages()).to.deep.equal([
      { ...messageOf(2), first: 1, body: chunkBody(0, "ab") },
      { type: "message", epoch: "e1", seq: 3, id: "m3", expired: true },
      { ...messageOf(4), body: chunkBody(3, "d") },
    ]);
    expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal([["expired", 3]]);
    expect(history.segments(key)[2]?.reported).to.deep.equal([0]);
  });

  it("names chunks of an earlier epoch by the present one, and joins them with its chunks", async () => {
    const { ask, history, messages } = await setUp(["a", "b"]);
    await store(history, segmentOf(3, { body: chunkBody(2, "c"), epoch: "e2" }));
    await ask({ from: "oldest" });
    expect(messages()).to.deep.equal([{ ...messageOf(3), epoch: "e2", first: 1, body: chunkBody(0, "abc") }]);
  });

  it("covers each number up to the announced one, over all pages, and no later one", async () => {
    const { ask, messages, envelopes, sent } = await setUp(Array<string>(1_200).fill("ab"));
    await ask({ cursor: at(3) });
    expect(envelopes()[1]).to.deep.equal({ type: "resumed", recovered: true, first: 4, through: 1_003 });
    let [next, text] = [4, ""];
    for (const { first, seq, body = "" } of messages()) {
      expect(first ?? seq).to.equal(next);
      const chunk = parseStreamChunk(body);
      expect(chunk?.offset).to.equal(6 + text.length);
      text += chunk?.text;
      next = seq + 1;
    }
    expect(next).to.equal(1_004);
    expect(text).to.equal("ab".repeat(1_000));
    expect(sent()).to.equal(1_000);
    // One for each page that is read.
    expect(messages().length).to.be.at.most(6);
  });

  it("keeps to the sizes of frames", async () => {
    const { ask, connections, messages } = await setUp(Array<string>(300).fill("x".repeat(1_000)));
    await ask({ cursor: at(0) });
    const sizes = connections.posts.map(({ body }) => Buffer.byteLength(body));
    expect(sizes[0], "API Gateway does not split it").to.be.at.most(32_768);
    for (const size of sizes) expect(size).to.be.at.most(MAX_PAYLOAD_BYTES);
    expect(messages().at(-1)).to.include({ seq: 300 });
    expect(envelopesIn(connections.posts[0]?.body ?? "").map(({ type }) => type)).to.deep.equal([
      "hello",
      "resumed",
      "message",
    ]);
  });

  it("counts the messages of the frames that were accepted", async () => {
    const { ask, connections, sent } = await setUp(Array<string>(300).fill("x".repeat(1_000)));
    let frames = 0;
    connections.onPost = () => Promise.resolve({ result: (frames += 1) === 2 ? "throttled" : "delivered" });
    await ask({ cursor: at(0) });
    const first = envelopesIn(connections.posts[0]?.body ?? "").at(-1);
    expect(sent()).to.equal(first?.type === "message" ? first.seq : undefined);
  });
});
