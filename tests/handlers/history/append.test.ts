import { expect } from "chai";
import { append, HistoryContendedError } from "../../../handlers/history/append";
import type { NewMessage } from "../../../handlers/history/findStored";
import type { Segment } from "../../../handlers/history/history";
import { KnownIds } from "../../../handlers/history/knownIds";
import { hashOfId } from "../../../handlers/history/recentIds";
import { REPORT_GRACE_MS } from "../../../handlers/history/retention";
import { refusal } from "../../support/refusal";
import { MemoryHistory } from "../../support/memoryHistory";
import { key, now, segmentOf, messageOf } from "./segments";

const retentionMs = 3_600_000;
const DAY_MS = 86_400_000;
const slackMs = 3 * DAY_MS;

interface Given {
  maxRecentGroups?: number;
  retention?: number;
  generation?: number;
  reportsOwnExpiry?: boolean;
  waitingAfterMs?: number;
}

function setUp(given: Given = {}) {
  const {
    maxRecentGroups = 20,
    retention = retentionMs,
    generation = 0,
    reportsOwnExpiry = true,
    waitingAfterMs,
  } = given;
  const history = new MemoryHistory(maxRecentGroups);
  const clock = { now };
  const pauses: number[] = [];
  let epochs = 0;
  const message = (id: string, given: Partial<Omit<NewMessage, "stored">> & Partial<NewMessage["stored"]> = {}) => {
    const { sentAtMs = clock.now, copySinceMs = sentAtMs, ...stored } = given;
    return { stored: { id, body: `body of ${id}`, ...stored }, sentAtMs, copySinceMs };
  };
  const run = async (messages: NewMessage[], signal = new AbortController().signal, known?: KnownIds) => {
    const dependencies = {
      history,
      retentionMs: retention,
      generation,
      reportsOwnExpiry,
      waitingAfterMs,
      now: () => clock.now,
      random: () => 1,
      newEpoch: () => `e${(epochs += 1)}`,
      pause: (ms: number) => Promise.resolve(void pauses.push(ms)),
    };
    const appended = await append(key, messages, dependencies, signal, known);
    return messages.map((one) => {
      const stored = appended.get(one);
      return (
        stored && `${stored.entry.epoch} ${stored.entry.seq} ${stored.entry.body}${stored.isCopy ? " (copy)" : ""}`
      );
    });
  };
  return {
    history,
    clock,
    pauses,
    message,
    run,
    segments: () => history.segments(key),
    stored: () => history.entries(key).map(({ seq, messageId }) => `${seq} ${messageId}`),
    put: async (...segments: Segment[]) => {
      for (const segment of segments) await history.put(key, segment);
      history.calls.length = 0;
    },
    /** Runs before the n-th call of that name. */
    before: (name: string, work: () => unknown, nth = 1) => {
      let calls = 0;
      history.beforeCall = async (called) => {
        if (called !== name || (calls += 1) !== nth) return;
        const { beforeCall } = history;
        history.beforeCall = () => Promise.resolve();
        await work();
        history.beforeCall = beforeCall;
      };
    },
  };
}

describe("append: a segment", () => {
  it("begins a sequence at 1, in an epoch of its own", async () => {
    const { run, message, segments } = setUp();
    const attributes = { trace: { dataType: "String" as const, stringValue: "t" } };
    expect(await run([message("m1", { attributes }), message("m2")])).to.deep.equal([
      "e1 1 body of m1",
      "e1 2 body of m2",
    ]);
    expect(segments()).to.deep.equal([
      segmentOf(1, { messages: [messageOf("m1", { attributes }), messageOf("m2")], isMarked: true }),
    ]);
  });

  it("costs one read and one write, whatever the number of messages", async () => {
    const { run, message, history } = setUp();
    await run(Array.from({ length: 100 }, (_, i) => message(`m${i}`)));
    // The first one also asks whether the log was always empty.
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "put"]);
    await run([message("n")]);
    expect(history.calls.slice(4)).to.deep.equal(["readBack", "put"]);
  });

  it("finds what others store and clients acknowledge while the cursor of an empty log is read", async () => {
    const { run, message, history, before, stored } = setUp();
    before("readCursor", async () => {
      await history.put(key, segmentOf(1, { epoch: "e9" }));
      await history.acknowledge(key, { epoch: "e9", seq: 1 });
    });
    expect(await run([message("m1"), message("m2")])).to.deep.equal(["e9 1 body of m1 (copy)", "e9 2 body of m2"]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  for (const [what, remember] of [
    ["acknowledged", (history) => history.acknowledge(key, { epoch: "e0", seq: 7 })],
    ["settled", (history) => history.settle(key, { settled: { epoch: "e0", seq: 7 } })],
    ["known as no longer available", (history) => history.settle(key, { oldestSeq: 8 })],
  ] as [string, (history: MemoryHistory) => Promise<unknown>][]) {
    it(`begins after the last number that was ${what} if the log was deleted, in an epoch of its own`, async () => {
      const { run, message, history, segments } = setUp();
      await remember(history);
      expect(await run([message("m1"), message("m2")])).to.deep.equal(["e1 8 body of m1", "e1 9 body of m2"]);
      expect(segments().map(({ first, count, epoch }) => [first, count, epoch])).to.deep.equal([[8, 2, "e1"]]);
    });
  }

  it("continues after the last one, and carries the ids of those before", async () => {
    const { run, message, segments } = setUp();
    await run([message("m1"), message("m2")]);
    await run([message("m3")]);
    await run([message("m4")]);
    expect(segments().map(({ first, count, epoch }) => [first, count, epoch])).to.deep.equal([
      [1, 2, "e1"],
      [3, 1, "e1"],
      [4, 1, "e1"],
    ]);
    expect(segments()[2]?.recent).to.deep.equal({
      coveredFromMs: 0,
      groups: [
        { storedAtMs: now, hashes: [hashOfId("m1"), hashOfId("m2")] },
        { storedAtMs: now, hashes: [hashOfId("m3")] },
      ],
    });
  });

  it("names each sequence by 12 characters that JSON does not escape, and no two alike", async () => {
    const epochs = [1, 2].map(async () => {
      const { history, message } = setUp();
      const dependencies = { history, retentionMs, generation: 0, now: () => now, random: () => 0 };
      await append(key, [message("m1")], dependencies, new AbortController().signal);
      return history.segments(key)[0]?.epoch;
    });
    const [first = "", second = ""] = await Promise.all(epochs);
    expect(first).to.match(/^[\w-]{12}$/);
    expect(second)
      .to.match(/^[\w-]{12}$/)
      .and.not.equal(first);
  });

  it("is never older than the one before it, nor expires or goes before it, although clock and retention say so", async () => {
    const { run, message, segments, clock, put } = setUp();
    const before = { storedAtMs: now + 5_000, untilMs: now + DAY_MS, ttlMs: now + 9 * DAY_MS };
    await put(segmentOf(1, before));
    clock.now -= 5_000;
    await run([message("m2")]);
    expect(segments()[1]).to.include(before);
  });

  it("is never older than its messages: the clocks of queue and function differ", async () => {
    const { run, message, segments } = setUp();
    await run([message("m1", { sentAtMs: now + 700 }), message("m2", { sentAtMs: now + 300 })]);
    expect(segments()[0]).to.include({ storedAtMs: now + 700, untilMs: now + 700 + retentionMs });
  });

  it("is kept for a quarter of a long retention after its messages have expired", async () => {
    const { run, message, segments } = setUp({ retention: 20 * DAY_MS });
    await run([message("m1")]);
    expect(segments()[0]?.ttlMs).to.equal(now + 25 * DAY_MS);
  });

  it("has no message that has expired before it has a number", async () => {
    const { run, message, stored, history } = setUp();
    expect(await run([message("m1", { expiresAtMs: now }), message("m2", { expiresAtMs: now + 1 })])).to.deep.equal([
      undefined,
      "e1 1 body of m2",
    ]);
    expect(stored()).to.deep.equal(["1 m2"]);
    history.calls.length = 0;
    expect(await run([message("m3", { expiresAtMs: now })])).to.deep.equal([undefined]);
    expect(history.calls).to.deep.equal(["readBack"]);
  });
});

describe("append: when the sweeper comes", () => {
  const endMs = now + retentionMs + 30_000;

  for (const [name, before, expected] of [
    ["no visit is pending", { dueAtMs: now }, { dueAtMs: endMs, isMarked: true }],
    ["the pending visit may be under way", { dueAtMs: now + 60_000 }, { dueAtMs: endMs, isMarked: true }],
    ["the last segment is sealed", { dueAtMs: undefined }, { dueAtMs: endMs, isMarked: true }],
    ["a visit is pending", { dueAtMs: now + 60_001 }, { dueAtMs: now + 60_001, isMarked: false }],
    ["a visit is pending at its own end", { dueAtMs: endMs }, { dueAtMs: endMs, isMarked: false }],
    ["a visit is pending after its end", { dueAtMs: endMs + 1 }, { dueAtMs: endMs, isMarked: true }],
  ] as const) {
    it(`${expected.isMarked ? "brings it" : "leaves it to an earlier segment"} if ${name}`, async () => {
      const { run, message, segments, put } = setUp();
      await put(segmentOf(1, before));
      await run([message("m2")]);
      expect(segments()[1]).to.include(expected);
    });
  }

  it("does not bring it for an expiresAt that is reported with the retention", async () => {
    const { run, message, segments, put } = setUp({ reportsOwnExpiry: false });
    await put(segmentOf(1, { dueAtMs: now + 100_000 }));
    await run([message("m2", { expiresAtMs: now + 10 })]);
    expect(segments()[1]).to.include({ dueAtMs: now + 100_000, isMarked: false });
  });

  it("goes by the retention of today once it has become shorter", async () => {
    const { run, message, segments, put } = setUp({ retention: 600_000 });
    await put(segmentOf(1, { storedAtMs: now - 60_000, untilMs: now + retentionMs, dueAtMs: now + retentionMs }));
    await run([message("m2")]);
    expect(segments()[1]).to.include({ dueAtMs: now + 600_000 + REPORT_GRACE_MS, isMarked: true });
  });

  for (const [name, expiresAtMs, dueAtMs, isMarked] of [
    ["before the pending visit", now + 10, now + 10 + REPORT_GRACE_MS, true],
    ["after the pending visit", now + 200_000, now + 100_000, true],
    ["with the retention", now + retentionMs, now + 100_000, false],
  ] as const) {
    it(`${isMarked ? "brings it" : "does not bring it"} for a message that expires ${name}`, async () => {
      const { run, message, segments, put } = setUp();
      await put(segmentOf(1, { dueAtMs: now + 100_000 }));
      await run([message("m2"), message("m3", { expiresAtMs })]);
      expect(segments()[1]).to.include({ dueAtMs, isMarked });
    });
  }
});

describe("append: when the sweeper comes for receipts", () => {
  const reportMs = now + retentionMs + REPORT_GRACE_MS;
  const waitingAfterMs = 300_000;

  for (const [name, before, expected] of [
    ["no visit is pending", { dueAtMs: now }, { dueAtMs: now + 300_000, isMarked: true }],
    ["the pending visit may be under way", { dueAtMs: now + 60_000 }, { dueAtMs: now + 300_000, isMarked: true }],
    [
      "a visit is pending for an earlier receipt",
      { dueAtMs: now + 60_001 },
      { dueAtMs: now + 60_001, isMarked: false },
    ],
    [
      "the pending visit is for a report",
      { dueAtMs: reportMs - 5 },
      { dueAtMs: now + 300_000, laterDueAtMs: reportMs - 5, isMarked: true },
    ],
    [
      "the pending visit is too late for a report",
      { dueAtMs: reportMs + 1 },
      { dueAtMs: now + 300_000, isMarked: true },
    ],
    [
      "a visit for a receipt and one for a report are pending",
      { dueAtMs: now + 299_000, laterDueAtMs: reportMs - 5 },
      { dueAtMs: now + 299_000, laterDueAtMs: reportMs - 5, isMarked: false },
    ],
    [
      "the visit for a receipt is over, and the one for a report pending",
      { dueAtMs: now - 1, laterDueAtMs: reportMs - 5 },
      { dueAtMs: now + 300_000, laterDueAtMs: reportMs - 5, isMarked: true },
    ],
  ] as const) {
    it(`${expected.isMarked ? "brings it" : "leaves it to an earlier segment"} if ${name}`, async () => {
      const { run, message, segments, put } = setUp({ waitingAfterMs });
      await put(segmentOf(1, before));
      await run([message("m2")]);
      const { dueAtMs, laterDueAtMs, isMarked } = segments()[1] as Segment;
      expect({ dueAtMs, ...(laterDueAtMs !== undefined && { laterDueAtMs }), isMarked }).to.deep.equal(expected);
    });
  }

  it("brings it a minute and a half later at the earliest, so that it serves a burst of half a minute", async () => {
    const { run, message, segments, clock } = setUp({ waitingAfterMs: 30_000 });
    for (const atMs of [0, 29_999, 30_000]) {
      clock.now = now + atMs;
      await run([message(`m${atMs}`)]);
    }
    expect(segments().map(({ dueAtMs, isMarked }) => [Number(dueAtMs) - now, isMarked])).to.deep.equal([
      [90_000, true],
      [90_000, false],
      [120_000, true],
    ]);
  });

  it("brings it for an own expiry that comes first, and knows of the visit after it", async () => {
    const { run, message, segments, put } = setUp({ waitingAfterMs });
    await put(segmentOf(1, { dueAtMs: now + 200_000 }));
    await run([message("m2", { expiresAtMs: now + 90_000 })]);
    expect(segments()[1]).to.include({ dueAtMs: now + 120_000, laterDueAtMs: now + 200_000, isMarked: true });
  });
});

describe("append: a last segment that may be deleted", () => {
  const renewedTtlMs = now + retentionMs + slackMs;

  for (const [name, ttlMs] of [
    ["whose TTL has passed", now],
    ["whose TTL is within a day", now + DAY_MS],
  ] as const) {
    it(`gets another TTL and names a new epoch, if it is one ${name}`, async () => {
      const { run, message, segments, put, history } = setUp();
      await put(segmentOf(4, { epoch: "e0", ttlMs, storedAtMs: now - 9 * DAY_MS, untilMs: now - 8 * DAY_MS }));
      expect(await run([message("m5")])).to.deep.equal(["e1 5 body of m5"]);
      expect(history.calls).to.deep.equal(["readBack", "renew", "readBack", "put"]);
      expect(segments()[0]).to.include({ ttlMs: renewedTtlMs, nextEpoch: "e1" });
      expect(segments()[1]).to.include({ ttlMs: renewedTtlMs });
    });
  }

  it("is left as it is, if its TTL is farther away", async () => {
    const { run, message, put, history } = setUp();
    await put(segmentOf(4, { ttlMs: now + DAY_MS + 1 }));
    await run([message("m5")]);
    expect(history.calls).to.deep.equal(["readBack", "put"]);
  });

  it("gets a TTL again and keeps its epoch, if it is sealed; of its ids nothing is known", async () => {
    const { run, message, segments, put } = setUp();
    await put(segmentOf(4, { messages: [], count: 3, ttlMs: undefined, dueAtMs: undefined }));
    expect(await run([message("m7")])).to.deep.equal(["e1 7 body of m7"]);
    expect(segments()[0]).to.include({ ttlMs: renewedTtlMs }).and.not.have.property("nextEpoch");
    expect(segments()[1]?.recent).to.deep.equal({ coveredFromMs: now + 1, groups: [] });
  });

  it("is read again if it has changed meanwhile", async () => {
    const { run, message, put, before, history, stored } = setUp();
    await put(segmentOf(4, { ttlMs: now }));
    before("renew", () => history.put(key, segmentOf(5)));
    expect(await run([message("m6")])).to.deep.equal(["e1 6 body of m6"]);
    expect(stored()).to.deep.equal(["4 m4", "5 m5", "6 m6"]);
  });

  it("is followed by another epoch if the table was restored", async () => {
    const { run, message, put, segments } = setUp({ generation: 1 });
    await put(segmentOf(4, { epoch: "e0" }));
    expect(await run([message("m5")])).to.deep.equal(["e1 5 body of m5"]);
    expect(await run([message("m6")])).to.deep.equal(["e1 6 body of m6"]);
    expect(segments().map(({ generation }) => generation)).to.deep.equal([0, 1, 1]);
  });

  it("keeps its epoch if a function of the setting before the restore stores a message", async () => {
    const { run, message, put, segments } = setUp({ generation: 0 });
    await put(segmentOf(4, { epoch: "e0", generation: 1 }));
    expect(await run([message("m5")])).to.deep.equal(["e0 5 body of m5"]);
    expect(segments()[1]?.generation).to.equal(1);
  });
});

describe("append: copies", () => {
  it("gives a copy the number and the body of the first one, and writes nothing", async () => {
    const { run, message, history } = setUp();
    await run([message("m1")]);
    await run([message("m2")]);
    history.calls.length = 0;
    const copies = [message("m1", { body: "another body" }), message("m2")];
    expect(await run(copies)).to.deep.equal(["e1 1 body of m1 (copy)", "e1 2 body of m2 (copy)"]);
    expect(history.calls).to.deep.equal(["readBack", "readBack"]);
  });

  it("stores a message once that comes twice in one batch, with the first body", async () => {
    const { run, message, stored } = setUp();
    expect(await run([message("m1"), message("m1", { body: "another" }), message("m2")])).to.deep.equal([
      "e1 1 body of m1",
      "e1 1 body of m1 (copy)",
      "e1 2 body of m2",
    ]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("does not take another message with the same hash for a copy", async () => {
    const { run, message, put, stored } = setUp();
    // Found by trying: their hashes are alike.
    const [first, second] = ["m13553", "m23864"] as const;
    expect(hashOfId(first)).to.equal(hashOfId(second));
    await put(segmentOf(1, { messages: [{ id: first, body: "b" }] }), segmentOf(2, { recent: recentOf([first]) }));
    expect(await run([message(second)])).to.deep.equal([`e1 3 body of ${second}`]);
    expect(stored()).to.deep.equal([`1 ${first}`, "2 m2", `3 ${second}`]);
  });

  it("recognizes a copy whose body is gone", async () => {
    const { run, message, put } = setUp();
    await put(segmentOf(1, { reported: [0] }));
    expect(await run([message("m1")])).to.deep.equal(["e1 1 undefined (copy)"]);
  });

  it("reads back only as far as a copy may be, and once for several messages", async () => {
    const { run, message, history, clock, put } = setUp();
    const at = (first: number, coveredFromMs: number): Segment => {
      const storedAtMs = now + first * 1_000;
      return segmentOf(first, { storedAtMs, recent: { coveredFromMs, groups: [] } });
    };
    await put(at(1, 0), at(2, now + 1_001), at(3, now + 2_001), at(4, now + 3_001));
    clock.now += 10_000;
    expect(await run([message("n1", { copySinceMs: now + 3_001 })])).to.deep.equal(["e1 5 body of n1"]);
    expect(history.calls).to.deep.equal(["readBack", "put"]);

    history.calls.length = 0;
    // Between the third and the fourth: the third was stored too early.
    await history.delete(key, 5);
    history.calls.length = 0;
    await run([message("n1", { copySinceMs: now + 3_000 })]);
    expect(history.calls).to.deep.equal(["readBack", "readBack", "put"]);

    await history.delete(key, 5);
    history.calls.length = 0;
    const copies = [message("m3", { copySinceMs: now + 2_500 }), message("m2", { copySinceMs: now + 1_500 })];
    expect(await run([...copies, message("n1", { copySinceMs: now + 3_000 })])).to.deep.equal([
      "e1 3 body of m3 (copy)",
      "e1 2 body of m2 (copy)",
      "e1 5 body of n1",
    ]);
    // The tail, the third and the second to read back, and both to confirm.
    expect(history.calls).to.deep.equal([...Array<string>(5).fill("readBack"), "put"]);
  });

  it("stops reading back where the table has deleted what was before", async () => {
    const { run, message, put, history } = setUp();
    await put(segmentOf(5, { recent: { coveredFromMs: now, groups: [] } }));
    expect(await run([message("m4", { copySinceMs: 0 })])).to.deep.equal(["e1 6 body of m4"]);
    expect(history.calls).to.deep.equal(["readBack", "readBack", "put"]);
  });

  it("takes the number that the message itself got, where its id was used for another one before", async () => {
    const { run, message, put, clock } = setUp();
    const later = { storedAtMs: now + 100_000, messages: [messageOf("m1", { body: "later" })] };
    await put(segmentOf(1), segmentOf(2, { ...later, recent: recentOf(["m1"]) }));
    clock.now += 100_000;
    expect(await run([message("m1", { copySinceMs: now + 1 })])).to.deep.equal(["e1 2 later (copy)"]);
    expect(await run([message("m1", { copySinceMs: now })])).to.deep.equal(["e1 1 body of m1 (copy)"]);
    // Known by chance, and older than it would have to be: one message all the same.
    expect(await run([message("m1", { copySinceMs: now + 100_001 })])).to.deep.equal(["e1 2 later (copy)"]);
  });

  it("does not count what has expired by the retention, unless this very message was stored", async () => {
    const { run, message, put, clock } = setUp();
    await put(segmentOf(1));
    clock.now += retentionMs;
    expect(await run([message("m1", { copySinceMs: now })])).to.deep.equal(["e1 1 body of m1 (copy)"]);
    expect(await run([message("m1", { copySinceMs: now + 1 })])).to.deep.equal(["e1 2 body of m1"]);
  });

  it("does not take a redriven message for its own copy that has expired since", async () => {
    const { run, message, put, clock } = setUp();
    await put(segmentOf(1, { storedAtMs: now - 3_000_000, untilMs: now - 1_200_000 }));
    clock.now += 1;
    const redriven = { ...message("m1", { copySinceMs: now - retentionMs }), isRedriven: true };

    expect(await run([redriven])).to.deep.equal(["e1 2 body of m1"]);
  });

  it("finds the number of a message that has expired since it was stored", async () => {
    const { run, message, put } = setUp();
    await put(segmentOf(1, { messages: [messageOf("m1", { expiresAtMs: now })] }));
    expect(await run([message("m1", { expiresAtMs: now })])).to.deep.equal(["e1 1 body of m1 (copy)"]);
  });
});

describe("append: races and failures", () => {
  it("takes the next numbers after a lost race, in the epoch of the first", async () => {
    const { run, message, before, history, pauses } = setUp();
    before("put", () =>
      history.put(key, segmentOf(1, { epoch: "first", messages: [messageOf("m8"), messageOf("m9")] })),
    );
    expect(await run([message("m1"), message("m2")])).to.deep.equal(["first 3 body of m1", "first 4 body of m2"]);
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "put", "put", "readBack", "put"]);
    expect(pauses).to.deep.equal([20]);
  });

  it("stores only the rest if another worker has stored some of the same messages", async () => {
    const { run, message, before, history, stored } = setUp();
    before("put", () => history.put(key, segmentOf(1)));
    expect(await run([message("m1"), message("m2")])).to.deep.equal(["e1 1 body of m1 (copy)", "e1 2 body of m2"]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("takes its own put for none by another, if the SDK has repeated it after a lost answer", async () => {
    const { run, message, history, stored } = setUp();
    const { put } = history;
    history.put = async (of, segment) => {
      await put.call(history, of, segment);
      return await put.call(history, of, segment);
    };
    expect(await run([message("m1"), message("m2")])).to.deep.equal(["e1 1 body of m1", "e1 2 body of m2"]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("pauses for longer after each lost race, and stores the message however many there are in time", async () => {
    const { run, message, history, pauses } = setUp();
    let others = 0;
    history.beforeCall = async (name) => {
      if (name !== "put" || others === 50) return;
      const { beforeCall } = history;
      history.beforeCall = () => Promise.resolve();
      others += 1;
      await history.put(key, segmentOf(others, { messages: [{ id: `other ${others}`, body: "b" }] }));
      history.beforeCall = beforeCall;
    };
    expect(await run([message("m1")])).to.deep.equal(["e1 51 body of m1"]);
    expect(pauses.slice(0, 5)).to.deep.equal([20, 40, 80, 160, 160]);
    expect(pauses).to.have.lengthOf(50);
  });

  it("does not read back again, after a lost race, what it has read", async () => {
    const { run, message, history, put, before } = setUp();
    const old = { storedAtMs: now - 10, recent: { coveredFromMs: now, groups: [] } };
    await put(segmentOf(1, { storedAtMs: now - 10 }), segmentOf(2, old));
    before("put", () => history.put(key, segmentOf(3, { recent: recentOf(["m2"], now - 10) })));
    await run([message("n", { copySinceMs: now - 10 })]);
    expect(history.calls).to.deep.equal(["readBack", "readBack", "put", "put", "readBack", "put"]);
  });

  it("gives up once half a minute has passed, and puts nothing then", async () => {
    const { run, message, history, clock, stored } = setUp();
    history.afterCall = (name) => Promise.resolve(void (name === "readBack" && (clock.now += 30_000)));
    const error = await refusal(run([message("m1")]));
    expect(error).to.be.instanceOf(HistoryContendedError);
    expect(error.message).to.equal("not stored in 30 s: other messages of the session were faster 0 times");
    expect(stored()).to.deep.equal([]);
  });

  it("passes its callers' signal to every call", async () => {
    const { message, history, run } = setUp();
    const ending = new AbortController();
    const seen: (boolean | undefined)[] = [];
    const { readBack } = history;
    history.readBack = (of, through, limit, signal?: AbortSignal) => {
      ending.abort();
      seen.push(signal?.aborted);
      return readBack.call(history, of, through, limit);
    };
    await run([message("m1")], ending.signal);
    expect(seen).to.deep.equal([true, true]);
  });

  for (const name of ["readBack", "renew", "put"]) {
    for (const moment of ["before", "after"] as const) {
      it(`throws if ${name} fails ${moment} it has done its work, and is done the next time`, async () => {
        const { run, message, history, put, stored } = setUp();
        await put(segmentOf(1, { ttlMs: now }));
        history[`${moment}Call`] = (called) =>
          called === name ? Promise.reject(new Error(`${name} fails`)) : Promise.resolve();
        expect((await refusal(run([message("m2"), message("m3")]))).message).to.equal(`${name} fails`);
        history[`${moment}Call`] = () => Promise.resolve();
        await run([message("m2"), message("m3")]);
        expect(stored()).to.deep.equal(["1 m1", "2 m2", "3 m3"]);
      });
    }
  }
});

function recentOf(ids: readonly string[], storedAtMs = now) {
  return { coveredFromMs: 0, groups: [{ storedAtMs, hashes: ids.map(hashOfId) }] };
}

describe("append: the segment that the append before has stored", () => {
  const never = new AbortController().signal;

  async function warm(given: Parameters<typeof setUp>[0] = {}) {
    const relay = setUp(given);
    const known = new KnownIds();
    const run = (messages: NewMessage[]) => relay.run(messages, never, known);
    await run([relay.message("m1")]);
    relay.history.calls.length = 0;
    return { ...relay, run };
  }

  it("is not read again, for half of the time that anything read may be acted on", async () => {
    const { clock, run, message, history } = await warm();
    for (const [id, passedMs] of [
      ["m2", 0],
      ["m3", 15_000],
    ] as const) {
      clock.now += passedMs;
      await run([message(id)]);
    }
    expect(history.calls).to.deep.equal(["put", "put"]);
    clock.now += 15_001;
    await run([message("m4")]);
    expect(history.calls.slice(2)).to.deep.equal(["readBack", "put"]);
  });

  it("is only a lost race if another worker has stored since", async () => {
    const { run, message, history, stored, pauses } = await warm();
    await setUpOn(history).run([message("other")]);
    history.calls.length = 0;
    expect(await run([message("m2")])).to.deep.equal(["e1 3 body of m2"]);
    expect(history.calls).to.deep.equal(["put", "readBack", "put"]);
    expect([stored(), pauses.length]).to.deep.equal([["1 m1", "2 other", "3 m2"], 1]);
  });

  it("is read again if a copy comes: its message may have been reported", async () => {
    const { run, message, history } = await warm();
    await history.addReported(key, 1, [0]);
    history.calls.length = 0;
    expect(await run([message("m1"), message("m2")])).to.deep.equal(["e1 1 undefined (copy)", "e1 2 body of m2"]);
    expect(history.calls.slice(0, 2)).to.deep.equal(["readBack", "put"]);
  });

  it("finds the copy that another worker has stored since, by the lost race", async () => {
    const { run, message, history, stored } = await warm();
    await setUpOn(history).run([message("m2")]);
    const given = [message("m2"), message("m3")];
    expect(await run(given)).to.deep.equal(["e1 2 body of m2 (copy)", "e1 3 body of m3"]);
    expect(stored()).to.deep.equal(["1 m1", "2 m2", "3 m3"]);
  });

  it("is forgotten by an append that fails, which may have stored its own", async () => {
    const { run, message, history, before, stored } = await warm();
    before("put", () => {
      throw new Error("unavailable");
    });
    await run([message("m2")]).catch(() => undefined);
    history.calls.length = 0;
    await run([message("m3")]);
    expect(history.calls).to.deep.equal(["readBack", "put"]);
    expect(stored()).to.deep.equal(["1 m1", "2 m3"]);
  });

  it("is remembered only if its messages are small, and with as many ids as fit into an item", async () => {
    const { run, message, history, segments } = await warm({ maxRecentGroups: 1_000 });
    await run([message("m2", { body: "x".repeat(16_385) })]);
    await run([message("m3")]);
    expect(history.calls).to.deep.equal(["put", "readBack", "put"]);
    for (let n = 4; n <= 150; n++) await run([message(`m${n}`)]);
    // 92 groups of 11 bytes, and one of the segment itself.
    expect(segments().at(-1)?.recent.groups).to.have.lengthOf(93);
  });

  it("leaves the rest of the time that anything read may be acted on: then the messages go back to the queue", async () => {
    const { clock, run, message, history, stored } = await warm();
    clock.now += 15_000;
    const { beforeCall } = history;
    history.beforeCall = async (name) => {
      await beforeCall(name);
      if (name !== "put") return;
      history.beforeCall = beforeCall;
      await setUpOn(history).run([message("other")]);
      clock.now += 15_000;
    };
    const error: unknown = await run([message("m2")]).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(HistoryContendedError);
    expect(stored()).to.deep.equal(["1 m1", "2 other"]);
  });

  /** Another worker, whose environment knows nothing of the session. */
  function setUpOn(history: MemoryHistory) {
    const dependencies = { history, retentionMs, generation: 0, now: () => now, random: () => 1 };
    return { run: (messages: NewMessage[]) => append(key, messages, dependencies, never) };
  }
});
