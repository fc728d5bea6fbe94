import { expect } from "chai";
import { parseStreamChunk } from "../../../protocol";
import type { ReadDependencies } from "../../../handlers/read/read";
import { expired, store } from "../frames/frameSetUp";
import { messageOf as envelopeOf, range } from "../frames/resumeSetUp";
import { key, messageOf, messagesOf, now, retentionMs, segmentOf, segmentsOf } from "../history/segments";
import { chunkBodies, chunkBody } from "../../support/streams";
import { offsetAt, setUp } from "./readSetUp";

describe("a read over HTTP", () => {
  it("answers the session's messages from the oldest on, in envelopes, and where to read on", async () => {
    const { ask, history, log, metrics } = setUp();
    await store(history, segmentOf(1, { count: 2, messages: messagesOf(1, 2) }), segmentOf(3));
    const { statusCode, headers, body } = await ask();
    expect(statusCode).to.equal(200);
    expect(JSON.parse(body)).to.deep.equal([1, 2, 3].map(envelopeOf));
    const { ETag, ...others } = headers;
    expect(ETag).to.match(/^"[\w-]{22}"$/);
    expect(others).to.deep.equal({
      "Content-Type": "application/json",
      "Stream-Next-Offset": offsetAt(3),
      "Stream-Up-To-Date": "true",
      "Cache-Control": "private, no-cache",
      "X-Content-Type-Options": "nosniff",
      "Cross-Origin-Resource-Policy": "same-origin",
      "Access-Control-Allow-Origin": "*",
      "Access-Control-Expose-Headers": "ETag, Retry-After, Stream-Next-Offset, Stream-Up-To-Date",
    });
    expect(log.lines).to.deep.equal([
      { level: "info", event: "read", requestId: "r1", ...key, items: 3, through: 3, isUpToDate: true },
    ]);
    expect(metrics.flushes).to.deep.equal([[{ name: "HttpReads", value: 1, reason: undefined }]]);
  });

  it("writes nothing: messages are neither acknowledged nor reported", async () => {
    const { page, history } = setUp();
    await store(history, segmentOf(1, { expiresAtMs: now }), segmentOf(2));
    await page();
    await page({ offset: offsetAt(1) });
    expect(new Set(history.calls)).to.deep.equal(new Set(["readOn", "readBack", "readCursor"]));
  });

  it("reads on after an offset, in the middle of what was stored together, too", async () => {
    const { page, history } = setUp();
    await store(history, segmentOf(1, { messages: messagesOf(1, 4) }), ...segmentsOf(5, 7));
    for (let seq = 0; seq <= 7; seq++) {
      const { seqs, next, isUpToDate } = await page({ offset: offsetAt(seq) });
      expect(seqs, `after ${seq}`).to.deep.equal(range(seq + 1, 7));
      expect([next, isUpToDate]).to.deep.equal([offsetAt(7), true]);
    }
  });

  it("takes -1 for the beginning, and now for the end", async () => {
    const { page, history } = setUp();
    await store(history, ...segmentsOf(1, 3));
    expect((await page({ offset: "-1" })).seqs).to.deep.equal([1, 2, 3]);
    const { items, next, isUpToDate, headers } = await page({ offset: "now" });
    expect([items, next, isUpToDate]).to.deep.equal([[], offsetAt(3), true]);
    expect(headers).to.include({ "Cache-Control": "no-store" }).and.not.to.have.property("ETag");
  });

  it("answers a session that never had a message with an empty array, and later what came since", async () => {
    const { page, history } = setUp();
    const empty = await page();
    expect([empty.items, empty.next, empty.isUpToDate]).to.deep.equal([[], "0000000000000000_", true]);
    expect((await page({ offset: empty.next })).items).to.deep.equal([]);
    await store(history, segmentOf(1));
    expect((await page({ offset: empty.next })).seqs).to.deep.equal([1]);
  });

  it("tells the end of the log by HEAD, without a body", async () => {
    const { ask, history } = setUp();
    await store(history, ...segmentsOf(1, 3));
    const { statusCode, headers, body } = await ask({ method: "HEAD", offset: offsetAt(1) });
    expect([statusCode, body]).to.deep.equal([200, ""]);
    expect(headers).to.include({
      "Content-Type": "application/json",
      "Stream-Next-Offset": offsetAt(3),
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
    });
  });

  it("answers in pages of a megabyte, of which the last says that nothing follows", async () => {
    const { page, history } = setUp();
    await store(history, ...segmentsOf(1, 50, { body: "x".repeat(100_000) }));
    const sizes: number[] = [];
    const seqs: number[] = [];
    for (let [offset, isUpToDate] = ["-1", false]; !isUpToDate;) {
      const answered = await page({ offset });
      sizes.push(answered.seqs.length);
      seqs.push(...answered.seqs);
      ({ next: offset, isUpToDate } = answered);
    }
    expect(seqs).to.deep.equal(range(1, 50));
    expect(sizes).to.deep.equal([10, 10, 10, 10, 10]);
  });

  it("skips what has expired by the retention, and shows without its body what has expired by itself", async () => {
    const { page, history } = setUp();
    await store(
      history,
      ...segmentsOf(1, 3, { storedAtMs: expired }),
      segmentOf(4, {
        messages: [messageOf("m4", { expiresAtMs: now }), messageOf("m5"), messageOf("m6")],
        reported: [2],
      }),
    );
    expect((await page()).items).to.deep.equal([
      { type: "message", epoch: "e1", seq: 4, id: "m4", expired: true },
      envelopeOf(5),
      { type: "message", epoch: "e1", seq: 6, id: "m6", expired: true },
    ]);
  });

  it("answers an empty page where all messages have expired, and reads on from there", async () => {
    const { page, history } = setUp();
    await store(history, ...segmentsOf(1, 3, { storedAtMs: expired }));
    const { items, next, isUpToDate } = await page();
    expect([items, next, isUpToDate]).to.deep.equal([[], offsetAt(3), true]);
    await store(history, segmentOf(4));
    expect((await page({ offset: next })).seqs).to.deep.equal([4]);
  });

  it("names all messages by the log's present epoch, as the WebSocket does", async () => {
    const { page, history } = setUp();
    await store(history, segmentOf(1), segmentOf(2, { epoch: "e2" }));
    const { items, next } = await page();
    expect(items.map(({ epoch, seq }) => `${epoch} ${seq}`)).to.deep.equal(["e2 1", "e2 2"]);
    expect(next).to.equal(offsetAt(2, "e2"));
  });

  it("joins the chunks of a stream to one envelope, from wherever it reads", async () => {
    const { page, history } = setUp();
    const bodies = chunkBodies(["a", "b", "c", "d"]);
    await store(history, ...bodies.map((body, i) => segmentOf(i + 1, { body })), segmentOf(5));
    const { items, next, isUpToDate } = await page();
    expect(items).to.deep.equal([{ ...envelopeOf(4), first: 1, body: chunkBody(0, "abcd") }, envelopeOf(5)]);
    expect([next, isUpToDate]).to.deep.equal([offsetAt(5), true]);
    const later = await page({ offset: offsetAt(2) });
    expect(later.items).to.deep.equal([{ ...envelopeOf(4), first: 3, body: chunkBody(2, "cd") }, envelopeOf(5)]);
  });

  it("reads a stream that is larger than a page to its end, without a gap", async () => {
    const { page, history } = setUp();
    const texts = range(1, 300).map((i) => `${i} `.repeat(2_000));
    const segments = chunkBodies(texts).map((body, i) => segmentOf(i + 1, { body }));
    await store(history, ...segments);
    let [text, offset, pages] = ["", "-1", 0];
    for (let isUpToDate = false; !isUpToDate; pages++) {
      const answered = await page({ offset });
      for (const { body = "" } of answered.items) text += parseStreamChunk(body)?.text;
      ({ next: offset, isUpToDate } = answered);
    }
    expect(text === texts.join("")).to.equal(true);
    expect(pages).to.be.above(1);
  });

  describe("answers 410, and from where messages are available", () => {
    const gone = async (given: ReturnType<typeof setUp>, offset: string) => {
      const { statusCode, body } = await given.ask({ offset });
      const { reason, offset: readOn } = JSON.parse(body) as { reason: string; offset: string };
      expect(statusCode).to.equal(410);
      return { reason, readOn };
    };

    it("for messages that have expired", async () => {
      const parts = setUp();
      await store(parts.history, ...segmentsOf(1, 3, { storedAtMs: expired }), ...segmentsOf(4, 6));
      for (const seq of [0, 1, 2]) {
        expect(await gone(parts, offsetAt(seq))).to.deep.equal({ reason: "offset-expired", readOn: offsetAt(3) });
      }
      expect((await parts.page({ offset: offsetAt(3) })).seqs).to.deep.equal([4, 5, 6]);
    });

    it("for messages that are deleted", async () => {
      const parts = setUp();
      await store(parts.history, ...segmentsOf(4, 6));
      expect(await gone(parts, offsetAt(1))).to.deep.equal({ reason: "offset-expired", readOn: offsetAt(3) });
      expect(await gone(parts, "0000000000000000_")).to.deep.equal({ reason: "offset-expired", readOn: offsetAt(3) });
    });

    it("for messages of a log that has none left", async () => {
      const parts = setUp();
      await store(parts.history, segmentOf(3, { storedAtMs: expired, isSealed: true }));
      expect(await gone(parts, offsetAt(1))).to.deep.equal({ reason: "offset-expired", readOn: "-1" });
    });

    it("for messages that an operator deleted from the middle, after which it reads on", async () => {
      const parts = setUp();
      await store(parts.history, ...segmentsOf(1, 6));
      await parts.history.delete(key, 3);
      const { seqs, next, isUpToDate } = await parts.page();
      expect([seqs, next, isUpToDate]).to.deep.equal([[1, 2], offsetAt(2), false]);
      expect(await gone(parts, next)).to.deep.equal({ reason: "offset-expired", readOn: offsetAt(3) });
      expect((await parts.page({ offset: offsetAt(3) })).seqs).to.deep.equal([4, 5, 6]);
    });

    it("for an epoch that is gone, with the log or without", async () => {
      const parts = setUp();
      expect(await gone(parts, offsetAt(0))).to.deep.equal({ reason: "offset-unknown", readOn: "-1" });
      await store(parts.history, segmentOf(1, { epoch: "e2" }));
      expect(await gone(parts, offsetAt(1))).to.deep.equal({ reason: "offset-unknown", readOn: "-1" });
    });

    it("for a number that the log has not reached", async () => {
      const parts = setUp();
      await store(parts.history, segmentOf(1));
      expect(await gone(parts, offsetAt(2))).to.deep.equal({ reason: "offset-unknown", readOn: "-1" });
    });

    it("but not because messages are stored while it reads", async () => {
      const { page, history } = setUp();
      await store(history, segmentOf(1));
      // The read looks for number 2 before it is there, and for number 3 after.
      history.beforeCall = async (name) => {
        if (name !== "readOn") return;
        await new Promise(setImmediate);
        for (const each of segmentsOf(2, 4)) history.log(key).segments.set(each.first, each);
      };
      expect((await page({ offset: offsetAt(1) })).seqs).to.deep.equal([2, 3, 4]);
      expect(history.calls).to.deep.equal(["readBack", "readBack", "readOn", "readBack", "readOn"]);
    });
  });

  describe("has an entity tag", () => {
    const tagged = async (parts: ReturnType<typeof setUp>, tag: string) =>
      await parts.ask({ headers: { "if-none-match": tag } });

    it("by which an unchanged page is answered 304 without a body", async () => {
      const parts = setUp();
      await store(parts.history, segmentOf(1));
      const { ETag = "" } = (await parts.ask()).headers;
      for (const given of [ETag, `W/${ETag}`, `"other", ${ETag}`, "*"]) {
        const { statusCode, headers, body } = await tagged(parts, given);
        expect([statusCode, body], given).to.deep.equal([304, ""]);
        expect(headers).to.include({ ETag, "Stream-Next-Offset": offsetAt(1), "Stream-Up-To-Date": "true" });
      }
      expect((await tagged(parts, '"other"')).statusCode).to.equal(200);
    });

    it("that changes with a further message, with an expired body, and once the page is not the last", async () => {
      const parts = setUp();
      const full = { body: "x".repeat(100_000) };
      await store(parts.history, segmentOf(1, { ...full, expiresAtMs: now + 1 }), ...segmentsOf(2, 9, full));
      const tag = async () => (await parts.ask()).headers.ETag;
      const tags = [await tag()];
      await store(parts.history, segmentOf(10, full));
      tags.push(await tag());
      await store(parts.history, segmentOf(11, full));
      tags.push(await tag());
      parts.clock.now += 1;
      tags.push(await tag());
      expect(new Set(tags)).to.have.property("size", 4);
    });
  });

  it("shortens the retention of what is stored, if the relay's has become shorter", async () => {
    const shorter: Partial<ReadDependencies> = { retentionMs: retentionMs / 2 };
    const { page, history } = setUp(shorter);
    await store(history, segmentOf(1, { storedAtMs: now - retentionMs / 2 }), segmentOf(2));
    expect((await page()).seqs).to.deep.equal([2]);
  });
});
