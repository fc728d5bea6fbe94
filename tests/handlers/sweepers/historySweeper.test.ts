import { expect } from "chai";
import { METRICS } from "../../../handlers/metrics";
import { historySweeper } from "../../../handlers/sweepers/historySweeper";
import type { Entry } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { GRACE_MS } from "../../../handlers/history/retention";
import type { SessionKey } from "../../../handlers/sessions/sessionKey";
import { EXPIRY_SHARDS } from "../../../handlers/connections/connectionItems";
import { refusal } from "../../support/refusal";
import { entriesOf, entryOf, key, now, store } from "../history/storedEntries";
import { frameParts, retentionMs } from "../frames/frameSetUp";

/** Stored so long ago that it is deleted now. */
const ripe = now - retentionMs - GRACE_MS;
const none = { reported: 0, deleted: 0, stripped: 0, postponed: 0, failed: 0 };

function setUp(options?: Parameters<typeof frameParts>[0]) {
  const parts = frameParts(options);
  const handle = historySweeper(parts.dependencies);
  return {
    ...parts,
    run: (remainingMs = 50_000) => handle({}, { getRemainingTimeInMillis: () => remainingMs }),
    left: (of: SessionKey = key) => parts.history.entries(of).map(({ seq, body }) => [seq, body]),
    receiptSeqs: () => parts.receipts.published.map(({ seq }) => seq),
  };
}

describe("expire", () => {
  it("reports messages that no client acknowledged within the retention, and deletes them", async () => {
    const { run, history, left, receipts, queue, metrics, log } = setUp();
    await store(history, ...entriesOf(1, 3, { storedAtMs: ripe }), entryOf(4));
    await history.acknowledge(key, { epoch: "e", seq: 2 });
    expect(await run()).to.deep.equal({ ...none, reported: 1, deleted: 3 });
    expect(left()).to.deep.equal([[4, "body 4"]]);
    expect(receipts.published.map(({ status, reason, seq }) => [status, reason, seq])).to.deep.equal([
      ["expired", "retention", 3],
    ]);
    expect(queue.deadLetters.map(({ body }) => body)).to.deep.equal(["body 3"]);
    expect(metrics.flushes).to.deep.equal([
      [
        { name: METRICS.expired, value: 1, reason: "retention" },
        { name: METRICS.deadLettered, value: 1, reason: "expired" },
      ],
    ]);
    expect(log.lines.map(({ event }) => event)).to.deep.equal(["expired", "history swept"]);
    expect(log.lines.at(-1)).to.include({ ...none, reported: 1, deleted: 3, outOfTime: false });
  });

  it("keeps the newest number without its body, for good", async () => {
    const { run, history, left, clock } = setUp();
    await store(history, ...entriesOf(1, 3, { storedAtMs: ripe }));
    expect(await run()).to.deep.equal({ ...none, reported: 3, deleted: 2, stripped: 1 });
    expect(left()).to.deep.equal([[3, undefined]]);
    expect([...history.log(key).due]).to.deep.equal([]);
    clock.now += 100 * retentionMs;
    expect(await run()).to.deep.equal(none);
    expect(left()).to.deep.equal([[3, undefined]]);
  });

  it("deletes a number that was the newest of an earlier time, once a later one is deletable", async () => {
    const { run, history, left, clock } = setUp();
    await store(history, entryOf(1, { storedAtMs: ripe }));
    await run();
    await store(history, entryOf(2, { storedAtMs: now }));
    clock.now += retentionMs + GRACE_MS;
    expect(await run()).to.deep.equal({ ...none, reported: 1, deleted: 1, stripped: 1 });
    expect(left()).to.deep.equal([[2, undefined]]);
  });

  it("leaves alone what is within the retention and the grace", async () => {
    const { run, history, left } = setUp();
    await store(history, entryOf(1, { storedAtMs: ripe + 1 }), entryOf(2, { expiresAtMs: now + 1 }));
    expect(await run()).to.deep.equal(none);
    expect(left()).to.have.length(2);
  });

  it("takes the body of what its publisher's own time has passed for, and looks at it again when the retention is over", async () => {
    const { run, history, left, receipts, clock } = setUp();
    await store(history, entryOf(1), entryOf(2, { expiresAtMs: now }), entryOf(3));
    expect(await run()).to.deep.equal({ ...none, reported: 1, stripped: 1 });
    expect(left()).to.deep.equal([
      [1, "body 1"],
      [2, undefined],
      [3, "body 3"],
    ]);
    expect(receipts.published.map(({ reason, seq }) => [reason, seq])).to.deep.equal([["expires-at", 2]]);
    expect(history.log(key).due.get(2)).to.equal(now - 1_000 + retentionMs + GRACE_MS);
    // What comes before an entry that is not deletable is not read.
    expect(history.calls).not.to.include("readAfter");
    clock.now += retentionMs + GRACE_MS;
    expect(await run()).to.deep.equal({ ...none, reported: 2, deleted: 2, stripped: 1 });
    expect(left()).to.deep.equal([[3, undefined]]);
  });

  it("postpones what is due by a shorter retention than today's", async () => {
    const { run, history, left } = setUp();
    await store(history, ...entriesOf(1, 2, { storedAtMs: ripe + 60_000 }));
    history.log(key).due.set(1, now - 1);
    expect(await run()).to.deep.equal({ ...none, postponed: 1 });
    expect(history.log(key).due.get(1)).to.equal(now + 60_000);
    expect(left()).to.have.length(2);
  });

  it("does both in one session: deletes a prefix, and takes the body of a later one", async () => {
    const { run, history, left } = setUp();
    await store(
      history,
      ...entriesOf(1, 2, { storedAtMs: ripe, expiresAtMs: now - 1 }),
      ...[entryOf(3), entryOf(4, { expiresAtMs: now - 2 }), entryOf(5)],
    );
    expect(await run()).to.deep.equal({ ...none, reported: 3, deleted: 2, stripped: 1 });
    expect(left()).to.deep.equal([
      [3, "body 3"],
      [4, undefined],
      [5, "body 5"],
    ]);
  });

  it("is content where the index shows what is not there any more", async () => {
    const { run, history } = setUp();
    await store(history, entryOf(1, { storedAtMs: ripe }), entryOf(2));
    history.log(key).entries.delete(1);
    expect(await run()).to.deep.equal(none);
  });

  it("goes over the sessions of every shard, and over many messages of one", async () => {
    const { run, history, left, receiptSeqs } = setUp();
    const keys = Array.from({ length: 40 }, (_, i) => ({ callerId: `user#${i}`, context: "chat#7" }));
    expect(new Set(keys.map(historyShard)).size).to.equal(EXPIRY_SHARDS.length);
    for (const each of keys) await history.put(each, entryOf(1, { storedAtMs: ripe }));
    await store(history, ...entriesOf(1, 350, { storedAtMs: ripe }), entryOf(351));
    expect(await run()).to.deep.equal({ ...none, reported: 390, deleted: 350, stripped: 40 });
    for (const each of keys) expect(left(each)).to.deep.equal([[1, undefined]]);
    expect(left()).to.deep.equal([[351, "body 351"]]);
    expect(receiptSeqs()).to.have.length(390);
  });

  it("dead-letters nothing where the stack does not ask for that", async () => {
    const { run, history, queue, metrics } = setUp({ hasQueue: false });
    await store(history, ...entriesOf(1, 2, { storedAtMs: ripe }));
    expect(await run()).to.include({ reported: 2 });
    expect(queue.deadLetters).to.deep.equal([]);
    expect(metrics.flushes[0]?.map(({ name }) => name)).to.deep.equal([METRICS.expired, METRICS.expired]);
  });

  for (const [name, given, expected] of [
    ["deleted", { storedAtMs: ripe }, { reported: 2, deleted: 1, stripped: 1 }],
    ["stripped", { expiresAtMs: now }, { reported: 2, stripped: 2 }],
  ] as [string, Partial<Entry>, object][]) {
    it(`leaves what is to be ${name} as it is where it may not have been reported, and does it the next time`, async () => {
      for (const part of ["deadLetterFails", "fails"] as const) {
        const { run, history, left, queue, receipts, metrics, log } = setUp();
        await store(history, ...entriesOf(1, 2, given));
        const failing = part === "fails" ? receipts : queue;
        Object.assign(failing, { [part]: true });
        expect(await run()).to.deep.equal({ ...none, failed: 1 });
        expect(left()).to.deep.equal([
          [1, "body 1"],
          [2, "body 2"],
        ]);
        expect(metrics.flushes).to.deep.equal([[]]);
        expect(log.lines[0]).to.include({ level: "error", event: "session not swept", ...key });
        Object.assign(failing, { [part]: false });
        expect(await run()).to.deep.equal({ ...none, ...expected });
      }
    });
  }

  for (const method of ["readTail", "readAcknowledged", "readEntry", "readAfter", "delete", "strip"]) {
    it(`goes on with the other sessions where ${method} fails for one, and does that one the next time`, async () => {
      const { run, history, left, events } = setUp();
      const other = { callerId: "user#43", context: "chat#7" };
      await store(history, ...entriesOf(1, 2, { storedAtMs: ripe }));
      for (const entry of entriesOf(1, 2, { storedAtMs: ripe })) await history.put(other, entry);
      history.beforeCall = (name, of) =>
        name === method && of?.callerId === key.callerId ? Promise.reject(new Error("fails")) : Promise.resolve();
      expect(await run()).to.include({ failed: 1 });
      expect(left(other)).to.deep.equal([[2, undefined]]);
      expect(events()).to.include("session not swept");
      history.beforeCall = () => Promise.resolve();
      expect(await run()).to.include({ failed: 0 });
      expect(left()).to.deep.equal([[2, undefined]]);
    });
  }

  it("throws where a part of the index cannot be read, once it has done the rest", async () => {
    const { run, history, left, metrics, log } = setUp();
    await store(history, ...entriesOf(1, 2, { storedAtMs: ripe }));
    const another = EXPIRY_SHARDS.find((shard) => shard !== historyShard(key));
    history.beforeCall = (name) =>
      name === `findDue ${another}` ? Promise.reject(new Error("index fails")) : Promise.resolve();
    expect((await refusal(run())).message).to.equal(`the index by expiry could not be read: shards ${another}`);
    expect(left()).to.deep.equal([[2, undefined]]);
    expect(metrics.flushes).to.have.length(1);
    expect(log.lines.find(({ event }) => event === "shard not read")).to.include({ level: "error", shard: another });
  });

  it("touches nothing where its time is up, and leaves it to the next time", async () => {
    const { run, history, left, log } = setUp();
    await store(history, ...entriesOf(1, 2, { storedAtMs: ripe }));
    expect(await run(2_000)).to.deep.equal(none);
    expect(left()).to.have.length(2);
    expect(log.lines).to.have.length(1);
    expect(log.lines[0]).to.include({ event: "history swept", outOfTime: true });
  });

  it("logs no payload", async () => {
    const { run, history, log } = setUp();
    await store(history, entryOf(1, { storedAtMs: ripe, body: "secret" }));
    await run();
    expect(log.lines).to.have.length(2);
    expect(log.text).not.to.contain("secret");
  });
});
