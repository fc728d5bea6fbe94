import { expect } from "chai";
import type { Segment } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { MIN_VISIT_GAP_MS, REPORT_GRACE_MS, ttlSlackMs } from "../../../handlers/history/retention";
import { isSealed } from "../../../handlers/history/segment";
import { visitSession } from "../../../handlers/sweepers/visitSession";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { MemoryHistory } from "../../support/memoryHistory";
import { mulberry32 } from "../../support/mulberry32";
import { refusal } from "../../support/refusal";
import { MemoryReceipts } from "../receipts/memoryReceipts";
import { dynamoDbHistory } from "../../support/realTables";
import { key, messagesOf, now } from "../history/segments";
import { appendTo, segmentOf } from "./segments";

const retentionMs = 3_600_000;
const slackMs = ttlSlackMs(retentionMs);

/** Stored so long ago that its messages are to be reported now. */
const endedAt = now - retentionMs - REPORT_GRACE_MS;
const never = new AbortController().signal;

function setUp({ waitingAfterMs }: { waitingAfterMs?: number } = {}) {
  const history = new MemoryHistory();
  const [queue, receipts, clock] = [new MemoryQueue(), new MemoryReceipts(), { now }];
  const dependencies = {
    history,
    receipts,
    deadLetters: queue,
    metrics: new RecordedMetrics(),
    log: new RecordedLog(),
    retentionMs,
    waitingAfterMs,
    now: () => clock.now,
  };
  return {
    history,
    queue,
    receipts,
    clock,
    dependencies,
    store: async (...segments: Segment[]) => {
      for (const segment of segments) await history.put(key, segment);
      history.calls.length = 0;
    },
    visit: (first: number) => visitSession({ key, first }, dependencies, never),
    reported: () => receipts.published.map(({ seq, reason }) => `${seq} ${reason}`),
    /** By first number: the due time of each marked segment, from now, and whether it is sealed. */
    marks: () =>
      history.segments(key).map(({ first, isMarked, dueAtMs, ttlMs }) => ({
        first,
        ...(isMarked && { dueInMs: Number(dueAtMs) - now }),
        ...(ttlMs === undefined && { isSealed: true }),
      })),
    append: (messages = messagesOf(1, 1)) =>
      appendTo(key, messages, { history, retentionMs, waitingAfterMs, now: () => clock.now, newEpoch: () => "new" }),
    /** The numbers of the receipts `waiting` since the last call. */
    waiting: () =>
      receipts.published.splice(0).map(({ status, seq }) => {
        expect(status).to.equal("waiting");
        return seq;
      }),
    /** Makes the visits that are due, as a run of the sweeper does; returns how many. */
    sweep: async () => {
      const due = history.segments(key).filter(({ isMarked, dueAtMs = Infinity }) => isMarked && dueAtMs <= clock.now);
      for (const { first } of due) await visitSession({ key, first }, dependencies, never);
      return due.length;
    },
  };
}

const unmarked = { isMarked: false, dueAtMs: now };
const visited = { outcome: "visited", reported: 0, waiting: 0, isSealed: false };

describe("a visit", () => {
  it("of a session where everything is acknowledged makes three reads and moves the mark: nothing is settled", async () => {
    const { history, store, visit, marks, receipts } = setUp();
    await store(segmentOf(1, 10, endedAt, retentionMs), segmentOf(11, 1, now, retentionMs, unmarked));
    await history.acknowledge(key, { epoch: "e1", seq: 11 });
    history.calls.length = 0;
    expect(await visit(1)).to.deep.equal(visited);
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "mark", "unmark"]);
    expect(marks()).to.deep.equal([{ first: 1 }, { first: 11, dueInMs: retentionMs + REPORT_GRACE_MS }]);
    expect(receipts.calls).to.deep.equal([]);
  });

  it("of an idle session reports its last ten messages, settles them and seals the segment, in six calls of the table", async () => {
    const { history, store, visit, marks, reported } = setUp();
    await store(segmentOf(1, 10, endedAt, retentionMs));
    expect(await visit(1)).to.deep.equal({ outcome: "visited", reported: 10, waiting: 0, isSealed: true });
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "settle", "seal", "readBack", "unmark"]);
    expect(reported()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seq) => `${seq} retention`));
    expect(marks()).to.deep.equal([{ first: 1, isSealed: true }]);
    expect(await history.readCursor(key)).to.deep.equal({ settled: { epoch: "e1", seq: 10 }, oldestSeq: 11 });
  });

  it("seals an idle session where everything is acknowledged, in five calls of the table", async () => {
    const { history, store, visit, marks } = setUp();
    await store(segmentOf(1, 10, endedAt, retentionMs));
    await history.acknowledge(key, { epoch: "e1", seq: 10 });
    history.calls.length = 0;
    expect(await visit(1)).to.deep.equal({ ...visited, isSealed: true });
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "seal", "readBack", "unmark"]);
    expect(marks()).to.deep.equal([{ first: 1, isSealed: true }]);
  });

  it("reports what is neither acknowledged nor reported, in order, and comes again for the next", async () => {
    const { history, store, visit, marks, reported } = setUp();
    await store(
      segmentOf(1, 3, endedAt - 9, retentionMs),
      segmentOf(4, 2, endedAt - 1, retentionMs, { ...unmarked, reported: [1] }),
      segmentOf(6, 2, endedAt, retentionMs, unmarked),
      segmentOf(8, 2, endedAt + 90_000, retentionMs, unmarked),
      segmentOf(10, 2, now, retentionMs, unmarked),
    );
    await history.acknowledge(key, { epoch: "e1", seq: 2 });
    expect(await visit(1)).to.include({ reported: 4 });
    expect(reported()).to.deep.equal(["3 retention", "4 retention", "6 retention", "7 retention"]);
    expect(await history.readCursor(key)).to.deep.include({ settled: { epoch: "e1", seq: 7 }, oldestSeq: 8 });
    expect(marks()).to.deep.equal([
      { first: 1 },
      { first: 4 },
      { first: 6 },
      { first: 8, dueInMs: 90_000 },
      { first: 10 },
    ]);
  });

  it("reports by its publisher's expiresAt what expired so first, also where the retention is over", async () => {
    const { store, visit, reported, queue } = setUp();
    const messages = [...messagesOf(1, 1), ...messagesOf(2, 1, { expiresAtMs: endedAt + 1 })];
    await store(segmentOf(1, 2, endedAt, retentionMs, { messages }));
    await visit(1);
    expect(reported()).to.deep.equal(["1 retention", "2 expires-at"]);
    expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["body of m1", "body of m2"]);
  });

  it("reports in its own segment what has expired by expiresAt, notes it there, and comes again for the rest", async () => {
    const { history, store, visit, marks, reported, clock } = setUp();
    const messages = [1, 2, 3, 4].flatMap((seq) =>
      messagesOf(seq, 1, seq === 4 ? {} : { expiresAtMs: now + (seq - 2) * 300_000 - REPORT_GRACE_MS }),
    );
    await store(
      segmentOf(1, 4, now, retentionMs, { messages, dueAtMs: now }),
      segmentOf(5, 1, now, retentionMs, { isMarked: false }),
    );
    expect(await visit(1)).to.include({ reported: 2 });
    expect(reported()).to.deep.equal(["1 expires-at", "2 expires-at"]);
    expect(history.segments(key)[0]?.reported).to.deep.equal([0, 1]);
    expect(marks()).to.deep.equal([{ first: 1, dueInMs: 300_000 }, { first: 5 }]);
    clock.now = now + 300_000;
    await visit(1);
    expect(reported()).to.deep.equal(["1 expires-at", "2 expires-at", "3 expires-at"]);
    expect(await history.readCursor(key)).to.deep.equal({ oldestSeq: 1 });
  });

  it("never reports what is acknowledged by its own expiry", async () => {
    const { history, store, visit, reported } = setUp();
    const messages = messagesOf(1, 3, { expiresAtMs: now - REPORT_GRACE_MS });
    await store(segmentOf(1, 3, now, retentionMs, { messages, dueAtMs: now }));
    await history.acknowledge(key, { epoch: "e1", seq: 2 });
    await visit(1);
    expect(reported()).to.deep.equal(["3 expires-at"]);
  });

  it("does not report a message by its expiresAt before the grace is over", async () => {
    const { store, visit, reported, clock } = setUp();
    const messages = messagesOf(1, 1, { expiresAtMs: now - 500 });
    await store(segmentOf(1, 1, now - 60_000, retentionMs, { messages, dueAtMs: now }));

    await visit(1);
    expect(reported()).to.deep.equal([]);

    clock.now = now - 500 + REPORT_GRACE_MS + MIN_VISIT_GAP_MS;
    await visit(1);
    expect(reported()).to.deep.equal(["1 expires-at"]);
  });

  it("does nothing where the index is behind: the segment is gone, unmarked or marked later", async () => {
    const { history, store, visit } = setUp();
    const notDue = { outcome: "not-due", reported: 0, waiting: 0, isSealed: false };
    expect(await visit(1)).to.deep.equal(notDue);
    await store(
      segmentOf(1, 1, endedAt, retentionMs, { isMarked: false }),
      segmentOf(2, 1, endedAt, retentionMs, { dueAtMs: now + 1 }),
    );
    for (const first of [1, 2, 3]) expect(await visit(first)).to.deep.equal(notDue);
    expect(new Set(history.calls)).to.deep.equal(new Set(["readBack", "readCursor"]));
  });

  it("does not go by a cursor of a log that is gone, and does by one of an earlier epoch of this log", async () => {
    for (const [settled, expected] of [
      [{ epoch: "gone", seq: 2 }, ["1 retention", "2 retention", "3 retention"]],
      [{ epoch: "e1", seq: 1 }, ["2 retention", "3 retention"]],
      [{ epoch: "e2", seq: 2 }, ["3 retention"]],
    ] as const) {
      const { history, store, visit, reported } = setUp();
      await store(
        segmentOf(1, 1, endedAt, retentionMs),
        segmentOf(2, 2, endedAt, retentionMs, { ...unmarked, epoch: "e2" }),
      );
      await history.settle(key, { settled });
      await visit(1);
      expect(reported()).to.deep.equal(expected);
    }
  });

  it("writes its progress every hundred messages, and leaves the rest to the next visit when time is up", async () => {
    const { history, store, visit, receipts, clock } = setUp();
    const count = 1_000;
    await store(
      ...Array.from({ length: count }, (_, i) => segmentOf(i + 1, 1, endedAt, retentionMs, i === 0 ? {} : unmarked)),
    );
    const publish = receipts.publish.bind(receipts);
    // A slow topic.
    receipts.publish = async (given) => {
      clock.now += 6_000;
      await publish(given);
    };
    // The first segment is at hand, and is a slice of its own.
    expect(await visit(1)).to.deep.equal({ outcome: "unfinished", reported: 301, waiting: 0, isSealed: false });
    expect(history.segments(key)[0]).to.deep.include({ isMarked: true, dueAtMs: now });
    expect((await history.readCursor(key)).settled).to.deep.equal({ epoch: "e1", seq: 301 });
    expect(await visit(1)).to.include({ outcome: "unfinished", reported: 301 });
    expect(await visit(1)).to.include({ outcome: "unfinished", reported: 301 });
    expect(await visit(1)).to.include({ outcome: "visited", reported: 97 });
    expect(receipts.published.map(({ seq }) => seq)).to.deep.equal(Array.from({ length: count }, (_, i) => i + 1));
    expect(Math.max(...receipts.calls)).to.equal(100);
  });

  it("does not report what is acknowledged while it reads on", async () => {
    const { history, store, visit, reported } = setUp();
    await store(
      ...Array.from({ length: 300 }, (_, i) => segmentOf(i + 1, 1, endedAt, retentionMs, i === 0 ? {} : unmarked)),
    );
    history.afterCall = async (name) => {
      if (name === "settle") await history.acknowledge(key, { epoch: "e1", seq: 290 });
    };
    await visit(1);
    expect(reported().at(0)).to.equal("1 retention");
    expect(reported().slice(-10)).to.deep.equal(Array.from({ length: 10 }, (_, i) => `${291 + i} retention`));
    expect(reported()).to.have.length(111);
  });

  it("ends with the invocation", async () => {
    const { history, dependencies } = setUp();
    const signals: (AbortSignal | undefined)[] = [];
    history.readBack = (_of, _through, _limit, signal?: AbortSignal) => {
      signals.push(signal);
      return Promise.resolve([]);
    };
    await visitSession({ key, first: 1 }, dependencies, AbortSignal.abort());
    await visitSession({ key, first: 1 }, dependencies, never);
    expect(signals.map((signal) => signal?.aborted)).to.deep.equal([true, false]);
  });

  it("does not settle what may not have been reported", async () => {
    for (const failing of ["topic", "queue"]) {
      const { history, store, visit, receipts, queue, marks } = setUp();
      await store(segmentOf(1, 2, endedAt, retentionMs));
      Object.assign(failing === "topic" ? receipts : queue, { fails: true, deadLetterFails: true });
      expect(await refusal(visit(1))).to.be.instanceOf(Error);
      expect(await history.readCursor(key)).to.deep.equal({ oldestSeq: 1 });
      expect(marks()).to.deep.equal([{ first: 1, dueInMs: 0 }]);
    }
  });

  for (const name of ["readBack", "readCursor", "settle", "seal", "unmark", "addReported", "mark"]) {
    it(`that fails before or after ${name} leaves its segment in the index, and is made again`, async () => {
      for (const when of ["beforeCall", "afterCall"] as const) {
        const { history, store, visit, marks, receipts, clock } = setUp();
        const isOwn = name === "addReported" || name === "mark";
        const messages = messagesOf(1, 2, isOwn ? { expiresAtMs: now - REPORT_GRACE_MS } : {});
        await store(segmentOf(1, 2, isOwn ? now : endedAt, retentionMs, { messages, dueAtMs: now }));
        history[when] = (called) => (called === name ? Promise.reject(new Error("fails")) : Promise.resolve());
        expect((await refusal(visit(1))).message).to.equal("fails");
        history[when] = () => Promise.resolve();
        for (; history.segments(key)[0]?.isMarked; clock.now += MIN_VISIT_GAP_MS) await visit(1);
        expect(marks()).to.deep.equal([{ first: 1, isSealed: true }]);
        expect(new Set(receipts.published.map(({ seq }) => seq))).to.deep.equal(new Set([1, 2]));
      }
    });
  }
});

describe("a visit, where messages wait for five minutes,", () => {
  const waitingAfterMs = 300_000;
  const ids = (...given: number[]) => given.flatMap((seq) => messagesOf(seq, 1));

  it("publishes a receipt for each open message that is old enough, and comes again for the others", async () => {
    const { history, append, sweep, clock, waiting, marks, receipts } = setUp({ waitingAfterMs });
    await append(ids(1, 2));
    clock.now += 100_000;
    await append(ids(3));
    await history.acknowledge(key, { epoch: "new", seq: 1 });

    clock.now = now + waitingAfterMs - 1;
    expect(await sweep()).to.equal(0);
    clock.now += 1;
    expect(await sweep()).to.equal(1);
    expect(receipts.published).to.deep.equal([
      {
        status: "waiting",
        messageId: "m2",
        user: "42",
        context: "chat",
        contextId: "7",
        epoch: "new",
        seq: 2,
        at: new Date(clock.now).toISOString(),
      },
    ]);
    expect(waiting()).to.deep.equal([2]);
    expect(marks()).to.deep.equal([{ first: 1 }, { first: 3, dueInMs: 400_000 }]);
    clock.now = now + 400_000;
    expect(await sweep()).to.equal(1);
    expect(waiting()).to.deep.equal([3]);
    expect((await history.readCursor(key)).waited).to.deep.equal({ epoch: "new", seq: 3 });
  });

  it("publishes none for what is acknowledged, reported or past its own expiresAt", async () => {
    const { history, store, visit, waiting } = setUp({ waitingAfterMs });
    const messages = [...ids(1, 2, 3), ...messagesOf(4, 1, { expiresAtMs: now }), ...ids(5)];
    await store(segmentOf(1, 5, now - waitingAfterMs, retentionMs, { messages, reported: [2], dueAtMs: now }));
    await history.acknowledge(key, { epoch: "e1", seq: 1 });
    expect(await visit(1)).to.include({ waiting: 2, reported: 0 });
    expect(waiting()).to.deep.equal([2, 5]);
  });

  it("publishes none for what the gateway has accepted if that has moved what is acknowledged, and one if it has not", async () => {
    for (const acknowledges of [true, false]) {
      const { history, store, visit, waiting } = setUp({ waitingAfterMs });
      await store(segmentOf(1, 2, now - waitingAfterMs, retentionMs, { dueAtMs: now }));
      await history.leaseRaw(key, { owner: "o", untilMs: now + 1 }, now);
      await history.releaseRaw(key, "o", { accepted: { epoch: "e1", seq: 2 }, acknowledges });
      await visit(1);
      expect(waiting()).to.deep.equal(acknowledges ? [] : [1, 2]);
    }
  });

  it("publishes first and moves what is waited for then: a receipt comes at least once", async () => {
    const { history, store, visit, receipts, waiting, marks } = setUp({ waitingAfterMs });
    await store(segmentOf(1, 2, now - waitingAfterMs, retentionMs, { dueAtMs: now }));
    receipts.fails = true;
    await refusal(visit(1));
    expect(await history.readCursor(key)).to.deep.equal({ oldestSeq: 1 });
    receipts.fails = false;
    for (const when of ["beforeCall", "afterCall"] as const) {
      history[when] = (name) => (name === "moveWaited" ? Promise.reject(new Error("fails")) : Promise.resolve());
      expect((await refusal(visit(1))).message).to.equal("fails");
      history[when] = () => Promise.resolve();
      expect(waiting()).to.deep.equal([1, 2]);
      expect(marks()).to.deep.equal([{ first: 1, dueInMs: 0 }]);
    }
    await visit(1);
    expect(waiting()).to.deep.equal([]);
  });

  it("writes its progress every hundred receipts, and leaves the rest to the next visit when time is up", async () => {
    const { history, store, visit, receipts, clock, waiting } = setUp({ waitingAfterMs });
    const stored = now - waitingAfterMs;
    await store(
      ...Array.from({ length: 600 }, (_, i) =>
        segmentOf(i + 1, 1, stored, retentionMs, i === 0 ? { dueAtMs: now } : unmarked),
      ),
    );
    const publish = receipts.publish.bind(receipts);
    receipts.publish = async (given) => {
      clock.now += 6_000;
      await publish(given);
    };
    expect(await visit(1)).to.deep.equal({ outcome: "unfinished", reported: 0, waiting: 301, isSealed: false });
    expect((await history.readCursor(key)).waited).to.deep.equal({ epoch: "e1", seq: 301 });
    expect(await visit(1)).to.include({ outcome: "visited", waiting: 299 });
    expect(waiting()).to.deep.equal(Array.from({ length: 600 }, (_, i) => i + 1));
  });

  it("comes once for a burst that is acknowledged in time, with three reads and a write, and seals as without receipts", async () => {
    const { history, append, sweep, clock, receipts, marks } = setUp({ waitingAfterMs });
    const burst = async () => {
      for (let i = 0; i < 10; i++, clock.now += 20_000) await append(ids(history.entries(key).length + 1));
      await history.acknowledge(key, { epoch: "new", seq: history.entries(key).length });
      clock.now += waitingAfterMs;
      history.calls.length = 0;
    };
    await burst();
    expect(await sweep()).to.equal(1);
    // Once within the retention: the visit that reports and seals.
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "mark", "unmark"]);
    for (let i = 0; i < 4; i++) {
      await burst();
      expect(await sweep()).to.equal(1);
      expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "unmark"]);
    }
    expect(receipts.published).to.deep.equal([]);
    const next = marks().filter(({ dueInMs }) => dueInMs !== undefined);
    expect(next.map(({ first }) => first)).to.deep.equal([10]);
    let visits = 0;
    for (let minute = 0; minute < 130; minute++, clock.now += 60_000) visits += await sweep();
    expect(visits).to.equal(2);
    expect(marks().at(-1)).to.deep.equal({ first: 50, isSealed: true });
  });

  it("comes once a minute at most while messages for a user who is away keep coming", async () => {
    const { history, append, sweep, clock, waiting } = setUp({ waitingAfterMs });
    let visits = 0;
    for (let second = 0; second < 3_000; second++, clock.now += 1_000) {
      if (second % 7 === 0) await append(ids(history.entries(key).length + 1));
      if (second % 60 === 0) visits += await sweep();
    }
    expect(visits).to.be.lessThan(55);
    const numbers = waiting();
    expect(numbers).to.deep.equal(Array.from({ length: numbers.length }, (_, i) => i + 1));
    expect(numbers.length).to.be.greaterThan(340);
  });

  it("publishes receipts of messages that were stored before the setting once a later message waits long enough", async () => {
    const { history, append, sweep, clock, waiting } = setUp({ waitingAfterMs });
    await appendTo(key, ids(1, 2), { history, retentionMs, now: () => clock.now, newEpoch: () => "new" });
    clock.now += 1_000_000;
    expect(await sweep()).to.equal(0);
    await append(ids(3));
    clock.now += waitingAfterMs;
    await sweep();
    expect(waiting()).to.deep.equal([1, 2, 3]);
  });

  it("has the calls of a relay without such receipts where the option is off", async () => {
    const { history, store, visit, receipts } = setUp();
    await store(
      segmentOf(1, 1, endedAt, retentionMs),
      segmentOf(2, 3, now - waitingAfterMs, retentionMs, unmarked),
      segmentOf(5, 1, now, retentionMs, unmarked),
    );
    await history.acknowledge(key, { epoch: "e1", seq: 1 });
    history.calls.length = 0;
    await visit(1);
    expect(history.calls).to.deep.equal(["readBack", "readCursor", "readBack", "readBack", "mark", "unmark"]);
    expect(receipts.calls).to.deep.equal([]);
  });
});

describe("visits of a session in DynamoDB", () => {
  it("report, come again for the newer message, and leave the last segment, sealed", async () => {
    const { dependencies, reported, clock } = setUp();
    const { history, close } = await dynamoDbHistory(retentionMs);
    const shard = historyShard(key);
    const due = async () => {
      const found = [];
      for await (const page of history.findDue(shard, clock.now)) found.push(...page);
      return found.map(({ first }) => first);
    };
    const visit = (first: number) => visitSession({ key, first }, { ...dependencies, history }, never);
    try {
      await history.put(key, segmentOf(1, 2, endedAt, retentionMs));
      await history.put(key, segmentOf(3, 1, endedAt + 90_000, retentionMs, unmarked));
      expect(await due()).to.deep.equal([1]);
      expect(await visit(1)).to.deep.equal({ ...visited, reported: 2 });
      expect(await due()).to.deep.equal([]);
      clock.now += 90_000;
      expect(await due()).to.deep.equal([3]);
      expect(await visit(3)).to.deep.equal({ outcome: "visited", reported: 1, waiting: 0, isSealed: true });
      clock.now += 100 * retentionMs;
      expect(await due()).to.deep.equal([]);
      expect(reported()).to.deep.equal(["1 retention", "2 retention", "3 retention"]);
      const [tail] = await history.readBack(key, Number.MAX_SAFE_INTEGER, 1);
      expect(tail).to.deep.include({ first: 3, count: 1, isMarked: false, ttlMs: undefined, messages: [] });
    } finally {
      await close();
    }
  });
});

describe("a visit that is overtaken", () => {
  /** Runs `meanwhile` once, before or after the call of that name. */
  function interrupt(
    history: MemoryHistory,
    when: "beforeCall" | "afterCall",
    name: string,
    meanwhile: () => Promise<unknown>,
  ) {
    let isDone = false;
    history[when] = async (called) => {
      if (called !== name || isDone) return;
      isDone = true;
      await meanwhile();
    };
  }

  it("leaves the tail in the index if a message was stored before it sealed the tail, and removes it the next time", async () => {
    const { history, store, visit, marks, append, clock } = setUp();
    await store(segmentOf(1, 1, endedAt, retentionMs));
    interrupt(history, "beforeCall", "seal", () => append());
    await visit(1);
    const next = { first: 2, dueInMs: retentionMs + REPORT_GRACE_MS };
    expect(marks()).to.deep.equal([{ first: 1, dueInMs: 0, isSealed: true }, next]);
    clock.now += 60_000;
    await visit(1);
    expect(marks()).to.deep.equal([next]);
  });

  it("has a sealed segment removed by the one that was stored after it", async () => {
    const { history, store, visit, marks, append, clock } = setUp();
    await store(segmentOf(1, 1, endedAt, retentionMs));
    const before = history.segments(key)[0] as Segment;
    await visit(1);
    // By a worker that had read the tail before it was sealed.
    const stale = {
      readBack: () => Promise.resolve([before]),
      put: history.put.bind(history),
      renew: history.renew.bind(history),
      readCursor: history.readCursor.bind(history),
    };
    await appendTo(key, messagesOf(2, 1), {
      history: stale,
      retentionMs,
      now: () => now,
      newEpoch: () => "new",
    });
    expect(marks()[0]).to.deep.equal({ first: 1, isSealed: true });
    clock.now += retentionMs + REPORT_GRACE_MS;
    await visit(2);
    expect(history.segments(key).map(({ first, epoch }) => [first, epoch])).to.deep.equal([[2, "e1"]]);
    await append();
    expect(history.segments(key).map(({ first, epoch }) => [first, epoch])).to.deep.equal([
      [2, "e1"],
      [3, "e1"],
    ]);
  });

  it("does not seal a segment that was given a TTL again and followed, once an earlier visit is over", async () => {
    const { history, store, visit, marks, append } = setUp();
    await store(segmentOf(1, 1, endedAt, retentionMs));
    interrupt(history, "beforeCall", "seal", async () => {
      await visit(1);
      await append();
    });
    await visit(1);
    // The renewed one brings the next visit.
    expect(marks()).to.deep.equal([{ first: 1, dueInMs: retentionMs + REPORT_GRACE_MS }, { first: 2 }]);
    expect(history.segments(key)[0]?.ttlMs).to.equal(now + retentionMs + slackMs);
  });

  it("does not take a segment out of the index that an older visit, for which it was the tail, seals meanwhile", async () => {
    const { history, store, visit, marks, append } = setUp();
    await store(segmentOf(1, 1, endedAt, retentionMs));
    const [seen] = history.segments(key) as [Segment];
    await append();
    interrupt(history, "beforeCall", "unmark", () => history.seal(key, seen));
    await visit(1);
    const next = { first: 2, dueInMs: retentionMs + REPORT_GRACE_MS };
    expect(marks()).to.deep.equal([{ first: 1, dueInMs: 0, isSealed: true }, next]);
    await visit(1);
    expect(marks()).to.deep.equal([next]);
  });

  it("does not take a segment out of the index that another visit has marked again", async () => {
    const { history, store, visit, marks } = setUp();
    await store(segmentOf(1, 1, endedAt, retentionMs));
    interrupt(history, "beforeCall", "unmark", async () => {
      await history.mark(key, history.segments(key)[0] as Segment, now + 90_000);
    });
    await visit(1);
    expect(marks()).to.deep.equal([{ first: 1, dueInMs: 90_000, isSealed: true }]);
  });

  it("begins a new epoch after a tail whose TTL has passed: what followed it may be deleted", async () => {
    const { history, store, visit, append, clock } = setUp();
    await store(segmentOf(1, 2, endedAt, retentionMs));
    clock.now += slackMs;
    await visit(1);
    expect(history.segments(key).map(isSealed)).to.deep.equal([true]);
    await append();
    const [, { first, epoch } = { first: 0, epoch: "" }] = history.segments(key);
    expect(first).to.equal(3);
    expect(epoch).to.match(/^[\w-]{12}$/);
  });

  it("leaves the tail to the next visit if a worker gives it a TTL again meanwhile", async () => {
    const { history, store, visit, append, clock, marks } = setUp();
    await store(segmentOf(1, 2, endedAt, retentionMs));
    clock.now += slackMs;
    interrupt(history, "beforeCall", "renew", () => append());
    await visit(1);
    expect(marks().map(({ first, isSealed = false }) => [first, isSealed])).to.deep.equal([
      [1, false],
      [3, false],
    ]);
    expect(marks()[0]).to.have.property("dueInMs");
    expect(history.segments(key)[1]?.epoch).to.equal("new");
  });
});

describe("a report", () => {
  /** As the docs promise, besides the time of a run. */
  const BOUND_MS = REPORT_GRACE_MS + MIN_VISIT_GAP_MS + 60_000;

  /** A run takes that long. */
  const RUN_MS = 5_000;

  it("comes within two and a half minutes of the retention's end, or of an expiresAt, if the sweeper runs", async () => {
    let latest = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = mulberry32(seed);
      const { history, receipts, clock, dependencies } = setUp();
      const ends = new Map<string, number>();
      const publish = receipts.publish.bind(receipts);
      receipts.publish = async (given) => {
        for (const { messageId } of given) {
          const endMs = ends.get(messageId) ?? 0;
          // A client that has just received it still acknowledges it.
          expect(clock.now).to.be.within(endMs + REPORT_GRACE_MS, endMs + BOUND_MS + RUN_MS);
          latest = Math.max(latest, (clock.now - endMs) / BOUND_MS);
          ends.delete(messageId);
        }
        await publish(given);
      };
      let nextId = 1;
      // Once a minute, at a second that the seed decides.
      const offsetMs = random() * (60_000 - RUN_MS);
      for (let minute = 0; minute < 240; minute++) {
        for (let atMs = 0; minute < 150 && random() < 0.3; atMs += random() * 10_000) {
          clock.now = now + minute * 60_000 + atMs;
          const id = `m${nextId++}`;
          const expiresAtMs = random() < 0.3 ? clock.now + random() * retentionMs * 1.2 : Infinity;
          const message = { id, body: "b", ...(expiresAtMs < Infinity && { expiresAtMs }) };
          const { untilMs } = await appendTo(key, [message], {
            history,
            retentionMs,
            now: () => clock.now,
            newEpoch: () => "e1",
          });
          ends.set(id, Math.min(expiresAtMs, untilMs));
        }
        const tail = history.segments(key).at(-1);
        if (tail && !isSealed(tail) && random() < 0.03) {
          await history.acknowledge(key, { epoch: "e1", seq: tail.first });
          ends.clear();
        }
        clock.now = now + minute * 60_000 + offsetMs;
        const due = history
          .segments(key)
          .filter(({ isMarked, dueAtMs = Infinity }) => isMarked && dueAtMs <= clock.now);
        for (const { first } of due) {
          clock.now = now + minute * 60_000 + offsetMs + random() * RUN_MS;
          await visitSession({ key, first }, dependencies, never);
        }
      }
      expect([...ends.keys()], `seed ${seed}`).to.deep.equal([]);
    }
    // The bound is not far from what happens.
    expect(latest).to.be.greaterThan(0.75);
  });
});

describe("a receipt `waiting`", () => {
  /** As the docs promise, besides the time of a run. */
  const BOUND_MS = MIN_VISIT_GAP_MS + 60_000;

  /** A run takes that long. */
  const RUN_MS = 5_000;

  for (const waitingAfterMs of [30_000, 75_000, 300_000]) {
    it(`comes within two minutes after ${waitingAfterMs / 1000} seconds, for each message that is open by then`, async () => {
      let latest = 0;
      for (let seed = 1; seed <= 30; seed++) {
        const random = mulberry32(seed);
        const { history, receipts, clock, append, dependencies } = setUp({ waitingAfterMs });
        const readyAt = new Map<string, number>();
        const owed = new Set<string>();
        receipts.publish = async (given) => {
          for (const { messageId, status } of given) {
            if (status !== "waiting") continue;
            const lateMs = clock.now - (readyAt.get(messageId) ?? Infinity);
            expect(lateMs, messageId).to.be.within(0, BOUND_MS + RUN_MS);
            latest = Math.max(latest, lateMs / BOUND_MS);
            owed.delete(messageId);
          }
          return await Promise.resolve();
        };
        const offsetMs = random() * (60_000 - RUN_MS);
        for (let minute = 0, id = 1; minute < 150; minute++) {
          for (let atMs = 0; minute < 130 && random() < 0.5; atMs += random() * 20_000) {
            clock.now = now + minute * 60_000 + atMs;
            const expires = random() < 0.2 ? { expiresAtMs: clock.now + random() * retentionMs } : {};
            const { storedAtMs } = await append(messagesOf(id, 1, expires));
            const readyAtMs = storedAtMs + waitingAfterMs;
            readyAt.set(`m${id}`, readyAtMs);
            if ((expires.expiresAtMs ?? Infinity) > readyAtMs + BOUND_MS + RUN_MS) owed.add(`m${id}`);
            id += 1;
          }
          const tail = history.segments(key).at(-1);
          if (tail && !isSealed(tail) && random() < 0.1) {
            await history.acknowledge(key, { epoch: "new", seq: tail.first });
            owed.clear();
          }
          clock.now = now + minute * 60_000 + offsetMs;
          const due = history
            .segments(key)
            .filter(({ isMarked, dueAtMs = Infinity }) => isMarked && dueAtMs <= clock.now);
          for (const { first } of due) {
            clock.now = now + minute * 60_000 + offsetMs + random() * RUN_MS;
            await visitSession({ key, first }, dependencies, never);
          }
        }
        expect([...owed], `seed ${seed}`).to.deep.equal([]);
      }
      // The bound is not far from what happens.
      expect(latest).to.be.greaterThan(0.75);
    });
  }
});
