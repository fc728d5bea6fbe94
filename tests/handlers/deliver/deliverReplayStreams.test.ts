import { expect } from "chai";
import type { RawPost } from "../../../handlers/raw/postToRaw";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { MAX_PAYLOAD_BYTES } from "../../../protocol";
import { sqsRecord } from "../../support/events";
import { chunkBodies, chunkBody } from "../../support/streams";
import { key, now } from "../history/segments";
import { row, setUp as setUpReplay } from "./deliverReplaySetUp";

const envelope = { type: "message", epoch: "e1" };

/** `m1`, `m2`, …: the chunks of a stream whose text comes in these pieces. */
function chunks(texts: readonly string[], given: Parameters<typeof sqsRecord>[0] = {}) {
  return chunkBodies(texts).map((body, i) => sqsRecord({ messageId: `m${i + 1}`, body, ...given }));
}

/** With `connections: "all"`, and with the connections in its table. */
function setUp(live: readonly Session[] = [row]) {
  const raw: RawPost[] = [];
  const postToRaw = (post: RawPost) => {
    raw.push(post);
    const accepted = post.entries.map(() => ({ kind: "accepted" }) as const);
    return Promise.resolve(new Map(post.connections.map(({ connectionId }) => [connectionId, accepted])));
  };
  const relay = setUpReplay(30_000, { connectionsOfSession: "all", postToRaw });
  relay.sessions.sessionRows.clear();
  for (const each of live) relay.sessions.put(each, "all");
  return { ...relay, raw };
}

const c2 = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 2 };

describe("deliver in replay: a stream's chunks in one batch", () => {
  it("are stored in one segment, as they were published, and posted as one envelope", async () => {
    const { run, history, envelopes, connections } = setUp();
    expect(await run(...chunks(["a", "b", "c"]))).to.deep.equal([]);
    expect(history.segments(key).map(({ count, messages }) => [count, messages.map(({ body }) => body)])).to.deep.equal(
      [[3, chunkBodies(["a", "b", "c"])]],
    );
    expect(envelopes()).to.deep.equal([{ ...envelope, first: 1, seq: 3, id: "m3", body: chunkBody(0, "abc") }]);
    // A single envelope is no array.
    expect(connections.posts[0]?.body).to.match(/^\{/);
  });

  it("each have an outcome, a log line and a metric of their own", async () => {
    const { run, outcomes, log, metrics, queue } = setUp();
    await run(...chunks(["a", "b", "c"]));
    expect(outcomes()).to.deep.equal({ m1: "delivered", m2: "delivered", m3: "delivered" });
    const lines = log.lines.filter(({ event }) => event === "delivered");
    expect(lines.map(({ seq, connectionIds }) => [seq, connectionIds])).to.deep.equal(
      [1, 2, 3].map((seq) => [seq, ["c1"]]),
    );
    expect(metrics.flushes.flat().filter(({ name }) => name === "Delivered")).to.have.lengthOf(3);
    expect(queue.visibilities).to.deep.equal([]);
  });

  it("are all retried where the post fails, each under its number, and each is named", async () => {
    const { run, connections, outcomes, envelopes, log, stored } = setUp();
    connections.answers.set("c1", "throttled");
    expect(await run(...chunks(["a", "b"]))).to.deep.equal(["m1", "m2"]);
    expect(outcomes()).to.deep.equal({ m1: "failed: throttled", m2: "failed: throttled" });
    const line = log.lines.find(({ event }) => event === "not posted");
    expect(line).to.deep.include({ messageIds: ["m1", "m2"], sqsMessageIds: ["m1", "m2"] });
    connections.answers.clear();
    connections.posts.length = 0;
    // With a chunk that came later: a client that has taken some of them drops the text that it has.
    expect(
      await run(...chunks(["a", "b"], { attempt: 2 }), sqsRecord({ messageId: "m3", body: chunkBody(2, "c") })),
    ).to.deep.equal([]);
    expect(envelopes()).to.deep.equal([{ ...envelope, first: 1, seq: 3, id: "m3", body: chunkBody(0, "abc") }]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2", "3 m3"]);
  });

  it("are posted again only to the connection that has not taken them", async () => {
    const { run, connections, partials, envelopes } = setUp([row, c2]);
    connections.answers.set("c1", "throttled");
    expect(await run(...chunks(["a", "b"]))).to.deep.equal(["m1", "m2"]);
    expect(partials.calls).to.deep.equal(["add m1 c2", "add m2 c2"]);
    connections.answers.clear();
    connections.posts.length = 0;
    expect(await run(...chunks(["a", "b"], { attempt: 2 }))).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1"]);
    expect(envelopes()).to.deep.equal([{ ...envelope, first: 1, seq: 2, id: "m2", body: chunkBody(0, "ab") }]);
  });

  it("are not joined for a connection over one that it has taken before", async () => {
    const { run, connections, partials, posted } = setUp([row, c2]);
    partials.takenBy.set("m2", new Set(["c2"]));
    await run(...chunks(["a", "b", "c"], { attempt: 2 }));
    expect(posted()).to.have.members(["c1: 3", "c2: 1,3"]);
    expect(connections.posts.find(({ connectionId }) => connectionId === "c1")?.body).to.include('"first":1');
  });

  it("go to raw clients one by one, as published", async () => {
    const rawRow = { ...c2, connectionId: "r1", subprotocol: undefined };
    const { run, raw, envelopes } = setUp([row, rawRow]);
    await run(...chunks(["a", "b"]));
    expect(raw.map(({ entries }) => entries.map(({ entry }) => entry.body))).to.deep.equal([chunkBodies(["a", "b"])]);
    expect(envelopes()).to.have.lengthOf(1);
  });

  it("are told without those whose own time has passed, which are reported", async () => {
    const { run, connections, clock, envelopes, published } = setUp();
    connections.answers.set("c1", "throttled");
    const expiresAt = new Date(now + 10).toISOString();
    const records = (attempt: number) =>
      ["x", "x", "x"].map((text, i) =>
        sqsRecord({
          messageId: `m${i + 1}`,
          body: chunkBody(i, text),
          attempt,
          attributes: { ...(i === 1 && { expiresAt }) },
        }),
      );
    await run(...records(1));
    clock.now += 10;
    connections.answers.clear();
    connections.posts.length = 0;
    await run(...records(2));
    expect(envelopes()).to.deep.equal([
      { ...envelope, seq: 1, id: "m1", body: chunkBody(0, "x") },
      { ...envelope, seq: 2, id: "m2", expired: true },
      { ...envelope, seq: 3, id: "m3", body: chunkBody(2, "x") },
    ]);
    expect(published.map(({ status, seq }) => [status, seq])).to.deep.equal([["expired", 2]]);
  });

  it("fill frames of at most 128 KB with envelopes of at most 30 KB", async () => {
    const { run, connections, envelopes, outcomes } = setUp();
    const texts = Array<string>(200).fill("x".repeat(1_000));
    await run(...chunks(texts));
    expect(connections.posts).to.have.lengthOf(2);
    for (const { body } of connections.posts) expect(Buffer.byteLength(body)).to.be.at.most(MAX_PAYLOAD_BYTES);
    expect(envelopes().length).to.equal(Math.ceil(200 / 29));
    expect(new Set(Object.values(outcomes()))).to.deep.equal(new Set(["delivered"]));
  });

  it("fail from the frame on that was not accepted", async () => {
    const { run, connections, outcomes, envelopes } = setUp();
    let posts = 0;
    connections.onPost = () => Promise.resolve({ result: (posts += 1) === 2 ? "throttled" : "delivered" });
    const texts = Array<string>(200).fill("x".repeat(1_000));
    const failed = await run(...chunks(texts));
    const [, firstOfSecond] = connections.posts.map(({ body }) => (JSON.parse(body) as { first: number }[])[0]?.first);
    expect(failed).to.deep.equal(texts.map((_, i) => `m${i + 1}`).slice((firstOfSecond ?? 0) - 1));
    expect(outcomes()[`m${(firstOfSecond ?? 0) - 1}`]).to.equal("delivered");
    expect(envelopes().at(-1)).to.include({ seq: 200 });
  });
});
