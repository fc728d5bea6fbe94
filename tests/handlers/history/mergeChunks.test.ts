import { expect } from "chai";
import { MAX_MERGED_BYTES, mergeChunks, numbersOf } from "../../../handlers/history/mergeChunks";
import { messageEnvelopeOf } from "../../../handlers/history/messageEnvelope";
import { entriesOf } from "../../../handlers/history/segment";
import { type MessageEnvelope, parseStreamChunk } from "../../../protocol";
import { mulberry32 } from "../../support/mulberry32";
import { problemsOf } from "../../support/schemas";
import { chunkBodies, chunkBody } from "../../support/streams";
import { now, segmentOf } from "./segments";

const envelope = { type: "message", epoch: "e1" } as const;

/** The message `m{seq}`. */
function message(seq: number, body: string): MessageEnvelope {
  return { ...envelope, seq, id: `m${seq}`, body };
}

/** What was merged: the numbers of each envelope. */
const covered = (envelopes: readonly MessageEnvelope[]) => mergeChunks(envelopes).map(numbersOf);

describe("mergeChunks", () => {
  it("joins a stream's chunks into one envelope, with the number and the ID of the last", () => {
    const merged = mergeChunks([
      message(4, chunkBody(3, "ab")),
      message(5, chunkBody(5, "")),
      message(6, chunkBody(5, "c")),
    ]);
    expect(merged).to.deep.equal([{ ...envelope, first: 4, seq: 6, id: "m6", body: chunkBody(3, "abc") }]);
    expect(problemsOf("MessageEnvelope", merged[0])).to.deep.equal([]);
  });

  it("keeps the end of a stream and its reason", () => {
    const end = { end: "aborted", reason: "overloaded" } as const;
    const [merged] = mergeChunks([message(1, chunkBody(0, "ab")), message(2, chunkBody(2, "c", end))]);
    expect(merged?.body).to.equal(chunkBody(0, "abc", end));
  });

  it("leaves an envelope that is joined with none exactly as it is", () => {
    const odd = message(1, `{ "type": "websocket-relay.stream", "id": "s1", "offset": 0, "text": "ab", "note": 1 }`);
    expect(mergeChunks([odd])[0]).to.equal(odd);
  });

  it("counts offsets in UTF-16 code units", () => {
    const [merged, ...others] = mergeChunks([message(1, chunkBody(0, "é😀")), message(2, chunkBody(3, "x"))]);
    expect(merged?.body).to.equal(chunkBody(0, "é😀x"));
    expect(others).to.deep.equal([]);
  });

  for (const [name, envelopes] of [
    [
      "other messages between them",
      [message(1, chunkBody(0, "a")), message(2, "hello"), message(3, chunkBody(1, "b"))],
    ],
    ["a missing number between them", [message(1, chunkBody(0, "a")), message(3, chunkBody(1, "b"))]],
    ["another stream's", [message(1, chunkBody(0, "a")), message(2, chunkBody(1, "b", { id: "s2" }))]],
    ["missing text between them", [message(1, chunkBody(0, "a")), message(2, chunkBody(2, "c"))]],
    ["text in both", [message(1, chunkBody(0, "ab")), message(2, chunkBody(1, "b"))]],
    ["the order of their offsets reversed", [message(1, chunkBody(1, "b")), message(2, chunkBody(0, "a"))]],
    [
      "the stream's end in the first",
      [message(1, chunkBody(0, "a", { end: "closed" })), message(2, chunkBody(1, "b"))],
    ],
    ["the second expired", [message(1, chunkBody(0, "a")), { ...envelope, seq: 2, id: "m2", expired: true }]],
    ["the first expired", [{ ...envelope, seq: 1, id: "m1", expired: true }, message(2, chunkBody(0, "a"))]],
    ["different epochs", [message(1, chunkBody(0, "a")), { ...message(2, chunkBody(1, "b")), epoch: "e2" }]],
    ["bodies that are none of chunks", [message(1, "websocket-relay.stream"), message(2, "websocket-relay.stream")]],
  ] as [string, MessageEnvelope[]][]) {
    it(`joins no envelopes with ${name}`, () => expect(mergeChunks(envelopes)).to.deep.equal(envelopes));
  }

  it("goes on after a stream's end with the next stream", () => {
    const end = { end: "closed" } as const;
    const bodies = [
      chunkBody(0, "a"),
      chunkBody(1, "", end),
      chunkBody(0, "b", { id: "s2" }),
      chunkBody(1, "c", { id: "s2" }),
    ];
    expect(covered(bodies.map((body, i) => message(i + 1, body)))).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
  });

  for (const [name, text] of [
    ["ASCII", "x".repeat(1_000)],
    ["text that JSON escapes twice", '"\n\\'.repeat(100)],
    ["text of several bytes a character", "日本😀".repeat(100)],
  ] as const) {
    it(`fills an envelope up to 30 KB, and not above: ${name}`, () => {
      const bodies = chunkBodies(Array<string>(100).fill(text));
      const merged = mergeChunks(bodies.map((body, i) => message(i + 1, body)));
      expect(merged.flatMap(numbersOf)).to.deep.equal(bodies.map((_, i) => i + 1));
      const sizes = merged.map((each) => Buffer.byteLength(JSON.stringify(each)));
      const one = Buffer.byteLength(JSON.stringify(JSON.stringify(text)));
      for (const size of sizes) expect(size).to.be.at.most(MAX_MERGED_BYTES);
      for (const size of sizes.slice(0, -1)) expect(size).to.be.above(MAX_MERGED_BYTES - one - 10);
    });
  }

  it("counts the reason of an abort", () => {
    const end = { end: "aborted", reason: "r".repeat(MAX_MERGED_BYTES) } as const;
    expect(covered([message(1, chunkBody(0, "a")), message(2, chunkBody(1, "b", end))])).to.deep.equal([[1], [2]]);
  });

  it("leaves a chunk that is larger than that alone", () => {
    const large = "x".repeat(MAX_MERGED_BYTES);
    const bodies = chunkBodies(["a", large, "b"]);
    expect(covered(bodies.map((body, i) => message(i + 1, body)))).to.deep.equal([[1], [2], [3]]);
  });

  it("changes no text and no number, however messages are interleaved and cut into segments and pages", () => {
    let mergedCount = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const log = randomLog(mulberry32(seed));
      const pages = log.pages.map(mergeChunks);
      const envelopes = pages.flat();
      const why = `seed ${seed}`;
      expect(envelopes.flatMap(numbersOf), why).to.deep.equal(log.single.map(({ seq }) => seq));
      expect(reconstructed(envelopes), why).to.deep.equal(reconstructed(log.single));
      mergedCount += log.single.length - envelopes.length;
    }
    expect(mergedCount, "the logs have something to join").to.be.above(1_000);
  });
});

/** Streams and other messages, some expired and some stored twice, in segments that are read in pages. */
function randomLog(random: () => number) {
  const upTo = (limit: number) => Math.floor(random() * limit);
  const streams = Array.from({ length: 1 + upTo(3) }, (_, i) => ({ id: `s${i}`, offset: 0, isOver: false }));
  const bodies = Array.from({ length: 1 + upTo(40) }, (): { body: string; expiresAtMs?: number } => {
    const stream = streams[upTo(streams.length)];
    if (!stream || stream.isOver || random() < 0.1) return { body: `plain ${upTo(1_000)}` };
    const text = "aé😀".repeat(upTo(3));
    const isRepeated = random() < 0.05;
    const end = random() < 0.05 ? ({ end: random() < 0.5 ? "closed" : "aborted" } as const) : {};
    const body = chunkBody(stream.offset, text, { id: stream.id, ...end });
    if (!isRepeated) stream.offset += text.length;
    stream.isOver = !isRepeated && "end" in end;
    return { body, ...(random() < 0.05 && { expiresAtMs: now }) };
  });
  const segments = [];
  for (let first = 1; first <= bodies.length;) {
    const count = Math.min(1 + upTo(6), bodies.length - first + 1);
    const messages = bodies.slice(first - 1, first - 1 + count).map((each, i) => ({ id: `m${first + i}`, ...each }));
    segments.push(segmentOf(first, { messages }));
    first += count;
  }
  const pages: MessageEnvelope[][] = [];
  while (segments.length > 0) {
    const page = segments.splice(0, 1 + upTo(5));
    pages.push(page.flatMap(entriesOf).map((entry) => messageEnvelopeOf(entry, now)));
  }
  return { pages, single: pages.flat() };
}

/** What a client has at the end: of each stream its text and its end, and all other messages. */
function reconstructed(envelopes: readonly MessageEnvelope[]) {
  const streams = new Map<string, { text: string; end?: string; missing?: true }>();
  const others: MessageEnvelope[] = [];
  for (const each of envelopes) {
    const chunk = each.body === undefined ? undefined : parseStreamChunk(each.body);
    if (!chunk) {
      others.push(each);
      continue;
    }
    const { text = "", ...rest } = streams.get(chunk.id) ?? {};
    // The text in between has expired: it would be held until the stream times out.
    const isMissing = chunk.offset > text.length;
    streams.set(chunk.id, {
      ...rest,
      text: isMissing ? text : text + chunk.text.slice(text.length - chunk.offset),
      ...(isMissing && { missing: true }),
      ...(chunk.end && { end: chunk.end }),
    });
  }
  return { streams, others };
}
