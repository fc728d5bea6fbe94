import { expect } from "chai";
import type { Segment } from "../../../handlers/history/history";
import { isEnvelopeTooLarge } from "../../../handlers/history/messageEnvelope";
import { itemBytes } from "../../../handlers/history/itemSize";
import { hashOfId } from "../../../handlers/history/recentIds";
import { itemOfSegment } from "../../../handlers/history/segmentItems";
import { callDepths, expired, store } from "../frames/frameSetUp";
import { range } from "../frames/resumeSetUp";
import { key, messagesOf, now, segmentOf, segmentsOf } from "../history/segments";
import { offsetAt, setUp } from "./readSetUp";

describe("what a read over HTTP takes", () => {
  describe("for 1,000 messages, in service calls one after the other", () => {
    const batch = (first: number) => segmentOf(first, { messages: messagesOf(first, 10) });
    for (const [name, calls, offset, segments, oldestSeq] of [
      ["that were stored one by one, from an offset", 1, offsetAt(0), segmentsOf(1, 1_000), 1],
      ["that were stored one by one, from the beginning", 2, "-1", segmentsOf(1, 1_000), 1],
      ["that were stored ten at a time, from the beginning", 2, "-1", range(0, 99).map((i) => batch(10 * i + 1)), 1],
      ["before which as many are deleted", 3, "-1", segmentsOf(1_001, 2_000), 1_001],
      [
        "before which as many have expired",
        3,
        "-1",
        [...segmentsOf(1, 1_000, { storedAtMs: expired }), ...segmentsOf(1_001, 2_000)],
        1_001,
      ],
    ] as [string, number, string, Segment[], number][]) {
      it(`are ${calls}: messages ${name}`, async () => {
        const parts = setUp();
        await store(parts.history, ...segments);
        // As the sweeper leaves it.
        await parts.history.settle(key, { oldestSeq });
        const depths = callDepths(parts);
        const { seqs, isUpToDate } = await parts.page({ offset });
        expect([seqs.length, isUpToDate]).to.deep.equal([1_000, true]);
        expect(Math.max(...depths.map(([, depth]) => depth))).to.equal(calls);
      });
    }

    it("fit into one response of DynamoDB, as full as their items are", () => {
      const groups = range(1, 90).map((seq) => ({ storedAtMs: now, hashes: [hashOfId(`m${seq}`)] }));
      const segments = segmentsOf(1, 1_000, { recent: { coveredFromMs: 0, groups } });
      const bytes = segments.map((segment) => itemBytes(itemOfSegment(key, segment)));
      expect(Math.min(...bytes)).to.be.above(900);
      // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
      expect(bytes.reduce((sum, each) => sum + each)).to.be.at.most(1024 * 1024);
    });
  });

  describe("of Lambda's 6 MB for an answer, is less than half, whatever the bodies have", () => {
    for (const [name, text] of [
      ["quotes", '"'],
      ["backslashes", "\\"],
      ["control characters", "\u0001"],
      ["unpaired surrogates", "\ud800"],
      ["line separators", "\u2028"],
      ["emoji", "😀"],
      ["letters", "a"],
      ["nothing", ""],
    ] as const) {
      it(name, async () => {
        const { history, ask } = setUp();
        const body = largestBody(text);
        await store(history, ...(text === "" ? range(0, 199).map(manyEmpty) : segmentsOf(1, 20, { body })));
        let [offset, largest, pages] = ["-1", 0, 0];
        for (let isUpToDate = false; !isUpToDate; pages++) {
          const answer = await ask({ offset });
          expect(answer.statusCode).to.equal(200);
          largest = Math.max(largest, Buffer.byteLength(JSON.stringify(answer)));
          offset = answer.headers["Stream-Next-Offset"] ?? "";
          isUpToDate = answer.headers["Stream-Up-To-Date"] === "true";
        }
        expect(pages, "more than one page").to.be.above(1);
        expect(largest).to.be.within(1_000_000, 3 * 1024 * 1024);
      });
    }
  });
});

/** The largest body that the relay stores of this text alone. */
function largestBody(text: string): string {
  const isTooLarge = (count: number) => isEnvelopeTooLarge({ messageId: "m1000", body: text.repeat(count) });
  let [fits, tooLarge] = [0, 131_072];
  while (text !== "" && tooLarge - fits > 1) {
    const middle = Math.floor((fits + tooLarge) / 2);
    if (isTooLarge(middle)) tooLarge = middle;
    else fits = middle;
  }
  return text.repeat(fits);
}

/** A full segment of messages that are nothing but an envelope. */
function manyEmpty(index: number): Segment {
  const first = 100 * index + 1;
  return segmentOf(first, { messages: messagesOf(first, 100, { body: "" }) });
}
