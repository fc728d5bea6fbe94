import { expect } from "chai";
import { INDEX_SHARDS } from "../../../handlers/connections/connectionItems";
import { historyShard } from "../../../handlers/history/historyKey";
import { REPORT_GRACE_MS } from "../../../handlers/history/retention";
import { METRICS } from "../../../handlers/metrics";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { historySweeper } from "../../../handlers/sweepers/historySweeper";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { MemoryHistory } from "../../support/memoryHistory";
import { refusal } from "../../support/refusal";
import { MemoryReceipts } from "../receipts/memoryReceipts";
import { key, messagesOf, now } from "../history/segments";
import { segmentOf } from "./segments";

const retentionMs = 3_600_000;
const endedAt = now - retentionMs - REPORT_GRACE_MS;
const nothing = { visited: 0, unfinished: 0, failed: 0, reported: 0, waiting: 0, sealed: 0 };

function setUp({ hasQueue = true } = {}) {
  const history = new MemoryHistory();
  const [queue, receipts, clock] = [new MemoryQueue(), new MemoryReceipts(), { now }];
  const [metrics, log] = [new RecordedMetrics(), new RecordedLog()];
  const handle = historySweeper({
    history,
    receipts,
    deadLetters: hasQueue ? queue : undefined,
    metrics,
    log,
    retentionMs,
    now: () => clock.now,
  });
  return {
    history,
    queue,
    receipts,
    metrics,
    log,
    clock,
    /** One idle session each, whose only message is to be reported so many milliseconds ago. */
    store: async (keys: readonly SessionKey[], overdueMs = 0) => {
      for (const each of keys) await history.put(each, segmentOf(1, 1, endedAt - overdueMs, retentionMs));
      history.calls.length = 0;
    },
    run: (event: unknown = { shard: Number(historyShard(key)) }, remainingMs = 50_000) =>
      handle(event, { getRemainingTimeInMillis: () => remainingMs }),
    lag: () => metrics.flushes.at(-1)?.filter(({ name }) => name === METRICS.historySweepLag),
  };
}

const keys = Array.from({ length: 60 }, (_, i) => ({ callerId: `user#${i}`, context: "chat#7" }));
const ofShard = keys.filter((each) => historyShard(each) === historyShard(key));

describe("expire", () => {
  it("visits the due sessions of its shard, and no others", async () => {
    const { run, history, store, receipts, log } = setUp();
    await store(keys);
    expect(ofShard.length).to.be.greaterThan(3);
    expect(await run()).to.deep.equal({
      ...nothing,
      visited: ofShard.length,
      reported: ofShard.length,
      sealed: ofShard.length,
    });
    expect(receipts.published.map(({ user }) => `user#${user}`)).to.have.members(
      ofShard.map(({ callerId }) => callerId),
    );
    expect(history.calls.filter((name) => name.startsWith("findDue"))).to.deep.equal([`findDue ${historyShard(key)}`]);
    expect(log.lines.at(-1)).to.deep.include({ event: "history swept", shard: historyShard(key), outOfTime: false });
  });

  it("visits every session, in an invocation for each shard, also where two of a shard run at once", async () => {
    const { run, history, store, receipts } = setUp();
    await store(keys);
    await Promise.all(INDEX_SHARDS.flatMap((shard) => [run({ shard: Number(shard) }), run({ shard: Number(shard) })]));
    for (const each of keys) {
      expect(history.segments(each).map(({ isMarked, ttlMs }) => [isMarked, ttlMs])).to.deep.equal([
        [false, undefined],
      ]);
    }
    expect(new Set(receipts.published.map(({ user }) => user)).size).to.equal(keys.length);
  });

  it("reports an expired message as its dead letter, receipt, metric and log line", async () => {
    const { run, store, queue, receipts, metrics, log } = setUp();
    await store([key], 7);
    await run();
    expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["body of m1"]);
    expect(receipts.published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
      ["expired", "retention", 1],
    ]);
    expect(metrics.flushes).to.deep.equal([
      [
        { name: METRICS.expired, value: 1, reason: "retention" },
        { name: METRICS.deadLettered, value: 1, reason: "expired" },
        { name: METRICS.deadLetteredUserAway, value: 1, reason: undefined },
        { name: METRICS.historySweepLag, value: 7, reason: undefined },
      ],
    ]);
    expect(log.lines.map(({ event }) => event)).to.deep.equal(["expired", "history swept"]);
    expect(log.text).not.to.contain("body of m1");
  });

  it("dead-letters nothing where the stack does not ask for that", async () => {
    const { run, store, queue, metrics } = setUp({ hasQueue: false });
    await store([key]);
    expect(await run()).to.include({ reported: 1 });
    expect(queue.deadLetters).to.deep.equal([]);
    expect(metrics.flushes[0]?.map(({ name }) => name)).to.deep.equal([METRICS.expired, METRICS.historySweepLag]);
  });

  it("says how many receipts of waiting messages it has published", async () => {
    const history = new MemoryHistory();
    const [receipts, log] = [new MemoryReceipts(), new RecordedLog()];
    const handle = historySweeper({
      history,
      receipts,
      deadLetters: undefined,
      metrics: new RecordedMetrics(),
      log,
      retentionMs,
      waitingAfterMs: 60_000,
      now: () => now,
    });
    await history.put(key, segmentOf(1, 3, now - 60_000, retentionMs, { dueAtMs: now }));
    const result = await handle({ shard: Number(historyShard(key)) }, { getRemainingTimeInMillis: () => 50_000 });
    expect(result).to.deep.equal({ ...nothing, visited: 1, waiting: 3 });
    expect(receipts.published.map(({ status, seq }) => [status, seq])).to.deep.equal([
      ["waiting", 1],
      ["waiting", 2],
      ["waiting", 3],
    ]);
    expect(log.lines).to.deep.include({ ...log.lines.at(-1), event: "history swept", waiting: 3 });
  });

  it("says how late the most overdue session was when it began", async () => {
    const { run, store, lag } = setUp();
    await store(ofShard.slice(0, 1), 5_000);
    await store(ofShard.slice(1, 2), 90_000);
    await store(ofShard.slice(2, 3), 10);
    await run();
    expect(lag()).to.deep.equal([{ name: METRICS.historySweepLag, value: 90_000, reason: undefined }]);
  });

  it("says that nothing is late where nothing is due, and logs nothing then", async () => {
    const { run, lag, log } = setUp();
    expect(await run()).to.deep.equal(nothing);
    expect(lag()).to.deep.equal([{ name: METRICS.historySweepLag, value: 0, reason: undefined }]);
    expect(log.lines).to.deep.equal([]);
  });

  it("makes the visits of one session one after the other", async () => {
    const { run, history, log } = setUp();
    const own = (seq: number) => ({
      messages: messagesOf(seq, 1, { expiresAtMs: now - REPORT_GRACE_MS - seq }),
      dueAtMs: now - seq,
    });
    for (const seq of [1, 2, 3]) await history.put(key, segmentOf(seq, 1, now - 60_000, retentionMs, own(seq)));
    let [parallel, most] = [0, 0];
    history.beforeCall = async (name) => {
      if (name !== "addReported") return;
      most = Math.max(most, (parallel += 1));
      await new Promise(setImmediate);
      parallel -= 1;
    };
    expect(await run()).to.include({ visited: 3, reported: 3 });
    expect(most).to.equal(1);
    expect(log.lines.filter(({ event }) => event === "expired").map(({ seq }) => seq)).to.deep.equal([3, 2, 1]);
  });

  it("goes on with the other sessions where one fails, and visits that one the next time", async () => {
    const { run, history, store, log } = setUp();
    const [failing, ...others] = ofShard;
    await store(ofShard);
    history.beforeCall = (name, of) =>
      name === "readCursor" && of?.callerId === failing?.callerId
        ? Promise.reject(new Error("fails"))
        : Promise.resolve();
    expect(await run()).to.include({ failed: 1, visited: others.length });
    expect(log.lines.find(({ event }) => event === "session not swept")).to.include({ level: "error", ...failing });
    history.beforeCall = () => Promise.resolve();
    expect(await run()).to.deep.equal({ ...nothing, visited: 1, reported: 1, sealed: 1 });
  });

  it("throws and logs why where the index cannot be read, after its metrics, and does not call the sweeper on time", async () => {
    const { run, history, metrics, log, lag } = setUp();
    const cause = new Error("index fails");
    history.beforeCall = (name) => (name.startsWith("findDue") ? Promise.reject(cause) : Promise.resolve());
    const refused = await refusal(run());
    expect(refused.message).to.equal(`shard ${historyShard(key)} of the index by due time could not be read`);
    expect(refused.cause).to.equal(cause);
    expect(log.lines.find(({ event }) => event === "shard not read")).to.include({
      level: "error",
      shard: historyShard(key),
      errorMessage: "index fails",
    });
    expect(metrics.flushes).to.have.length(1);
    expect(lag()).to.deep.equal([]);
  });

  it("touches nothing where its time is up, and leaves it to the next time", async () => {
    const { run, history, store, log } = setUp();
    await store([key]);
    expect(await run(undefined, 2_000)).to.deep.equal(nothing);
    expect(history.segments(key)[0]).to.include({ isMarked: true });
    expect(log.lines.at(-1)).to.include({ event: "history swept", outOfTime: true });
  });

  for (const event of [
    {},
    undefined,
    { shard: 8 },
    { shard: "1" },
    { shard: null },
    { "detail-type": "Scheduled Event" },
  ]) {
    it(`refuses the event ${JSON.stringify(event)}: it would sweep nothing`, async () => {
      const { message } = await refusal(setUp().run(event ?? null));
      expect(message).to.include('allowed: { "shard": 0 } to { "shard": 7 }').and.to.include("Fix:");
    });
  }
});
