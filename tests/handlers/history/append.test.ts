import { expect } from "chai";
import { append, HistoryContendedError, type NewEntry } from "../../../handlers/history/append";
import type { EntryHead } from "../../../handlers/history/history";
import { refusal } from "../../support/refusal";
import { dynamoDbHistory } from "./historySetUp";
import { entryOf, headOf, key, now } from "./entries";
import { MemoryHistory } from "../../support/memoryHistory";

const retentionMs = 3_600_000;
const graceMs = 120_000;

function setUp() {
  const history = new MemoryHistory(retentionMs);
  const clock = { now };
  let epochs = 0;
  return {
    history,
    clock,
    run: (messageId: string, tail?: EntryHead, given: Partial<NewEntry> = {}) =>
      append(key, { messageId, body: `body of ${messageId}`, expiresAtMs: undefined, attributes: {}, ...given }, tail, {
        history,
        retentionMs,
        now: () => clock.now,
        newEpoch: () => `e${(epochs += 1)}`,
      }),
    stored: () => history.entries(key).map(({ seq, messageId }) => `${seq} ${messageId}`),
    claimedSeq: (messageId: string) => history.log(key).claims.get(messageId)?.seq,
    /** Runs once, before the n-th call of that name. */
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

describe("append", () => {
  it("begins a sequence at 1, in an epoch of its own", async () => {
    const { run, history } = setUp();
    const attributes = { trace: { dataType: "String" as const, stringValue: "t" } };
    const entry = entryOf(1, { expiresAtMs: now + 5, attributes });
    expect(await run("m1", undefined, { expiresAtMs: now + 5, attributes })).to.deep.equal({ entry, tail: entry });
    expect(history.entries(key)).to.deep.equal([entry]);
    expect(history.log(key).claims.get("m1")).to.deep.equal({ seq: 1, claimedAtMs: now });
  });

  it("costs two writes and one read, and of the session's next messages two writes alone", async () => {
    const { run, history } = setUp();
    const { tail } = await run("m1");
    expect(history.calls).to.deep.equal(["readTail", "claim", "put"]);
    const second = await run("m2", tail);
    await run("m3", second.tail);
    expect(history.calls.slice(3)).to.deep.equal(["claim", "put", "claim", "put"]);
    expect(history.entries(key)).to.deep.equal([entryOf(1), entryOf(2), entryOf(3)]);
  });

  it("names each sequence by 12 characters that JSON does not escape, and no two alike", async () => {
    const epochs = [1, 2].map(async () => {
      const message = { messageId: "m1", body: "b", expiresAtMs: undefined, attributes: {} };
      const history = new MemoryHistory(retentionMs);
      return (await append(key, message, undefined, { history, retentionMs, now: () => now })).entry.epoch;
    });
    const [first = "", second = ""] = await Promise.all(epochs);
    expect(first).to.match(/^[\w-]{12}$/);
    expect(second)
      .to.match(/^[\w-]{12}$/)
      .and.not.equal(first);
  });

  it("finds a message that is stored, with the first one's body", async () => {
    const { run, stored } = setUp();
    await run("m1");
    await run("m2");
    const again = await run("m1", undefined, { body: "another body" });
    expect(again).to.deep.equal({ entry: entryOf(1), tail: headOf(2) });
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("is never older than what is before it, though the clock is", async () => {
    const { run, clock, history } = setUp();
    await run("m1");
    clock.now -= 5_000;
    expect((await run("m2")).entry.storedAtMs).to.equal(now);
    expect(history.log(key).claims.get("m2")).to.deep.equal({ seq: 2, claimedAtMs: now });
  });

  it("goes on where an attempt has claimed a number and stored nothing, as long as the claim would hold anew", async () => {
    const { run, history, clock, stored } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    clock.now += 1_000;
    expect((await run("m1")).entry).to.deep.equal(entryOf(1, { epoch: "e2", storedAtMs: now + 1_000 }));
    expect(history.log(key).claims.get("m1")).to.deep.equal({ seq: 1, claimedAtMs: now + 1_000 });
    expect(stored()).to.deep.equal(["1 m1"]);
  });

  it("takes the next number where another message has the one that was claimed", async () => {
    const { run, history, stored, claimedSeq } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    await history.put(key, entryOf(1, { messageId: "other" }));
    await run("m1");
    expect(stored()).to.deep.equal(["1 other", "2 m1"]);
    expect(claimedSeq("m1")).to.equal(2);
  });

  it("takes the next number where it loses a race for one", async () => {
    const { run, history, stored, claimedSeq, before } = setUp();
    before("put", () => history.put(key, entryOf(1, { messageId: "other" })));
    expect((await run("m1")).entry.epoch).to.equal("e1");
    expect(stored()).to.deep.equal(["1 other", "2 m1"]);
    expect(claimedSeq("m1")).to.equal(2);
    const rest = history.calls.slice(history.calls.lastIndexOf("readTail"));
    expect(rest).to.deep.equal(["readTail", "readEntry", "moveClaim", "put"]);
  });

  it("takes the epoch of the append that began the sequence first", async () => {
    const { run, history, before } = setUp();
    before("put", () => history.put(key, entryOf(1, { messageId: "other", epoch: "first" })));
    expect((await run("m1")).entry).to.include({ epoch: "first", seq: 2 });
  });

  it("is content where a twin has stored the message on the number that it has claimed itself", async () => {
    const { run, history, stored, before } = setUp();
    before("put", () => history.put(key, entryOf(1, { body: "the twin's" })));
    expect((await run("m1")).entry.body).to.equal("the twin's");
    expect(stored()).to.deep.equal(["1 m1"]);
  });

  it("follows a twin that has moved the claim meanwhile", async () => {
    const { run, history, stored, before } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    await history.put(key, entryOf(1, { messageId: "other" }));
    before("moveClaim", async () => {
      await history.moveClaim(key, "m1", 1, { seq: 2, claimedAtMs: now });
      await history.put(key, entryOf(2, { messageId: "m1", body: "the twin's" }));
    });
    expect((await run("m1")).entry).to.include({ seq: 2, body: "the twin's" });
    expect(stored()).to.deep.equal(["1 other", "2 m1"]);
  });

  it("puts nothing into the past: a number that was claimed, given to another and deleted is not free", async () => {
    const { run, history, stored, claimedSeq } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    for (const seq of [1, 2]) await history.put(key, entryOf(seq, { messageId: `other ${seq}` }));
    await history.delete(key, 1);
    await run("m1");
    expect(stored()).to.deep.equal(["2 other 2", "3 m1"]);
    expect(claimedSeq("m1")).to.equal(3);
  });

  it("does not take a number for deleted that a twin is just about to store", async () => {
    const { run, history, stored, before } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    // Between the look at the tail and the look at the entry, or at the claim.
    before("moveClaim", async () => {
      await history.put(key, entryOf(1));
      await history.put(key, entryOf(2));
    });
    await run("m1");
    expect(stored()).to.deep.equal(["1 m1", "2 m2"]);
  });

  it("comes a second time for good where its claim is void, and not a moment before", async () => {
    const { run, clock, stored } = setUp();
    await run("m1");
    clock.now += retentionMs + graceMs;
    await run("m1");
    expect(stored()).to.deep.equal(["1 m1"]);
    clock.now += 1;
    await run("m1");
    expect(stored()).to.deep.equal(["1 m1", "2 m1"]);
  });

  it("claims once more where the table has deleted the claim that was in the way", async () => {
    const { run, history, stored, before } = setUp();
    await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
    before("readClaim", () => history.log(key).claims.delete("m1"));
    await run("m1");
    expect(stored()).to.deep.equal(["1 m1"]);
  });

  it("gives up where others are always faster", async () => {
    const { run, history, stored } = setUp();
    let others = 0;
    history.beforeCall = async (name) => {
      if (name !== "put" || others >= 100) return;
      const { beforeCall } = history;
      history.beforeCall = () => Promise.resolve();
      others += 1;
      await history.put(key, entryOf(others, { messageId: `other ${others}` }));
      history.beforeCall = beforeCall;
    };
    expect(await refusal(run("m1"))).to.be.instanceOf(HistoryContendedError);
    expect(stored()).to.have.lengthOf(10);
  });

  for (const name of ["readTail", "claim", "put", "readClaim", "moveClaim", "readEntry"]) {
    it(`throws where ${name} fails, and is done the next time`, async () => {
      const { run, history, stored, before } = setUp();
      await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, 0);
      await history.put(key, entryOf(1, { messageId: "other" }));
      before(name, () => Promise.reject(new Error(`${name} fails`)));
      expect((await refusal(run("m1"))).message).to.equal(`${name} fails`);
      history.beforeCall = () => Promise.resolve();
      await run("m1");
      expect(stored()).to.deep.equal(["1 other", "2 m1"]);
    });
  }
});

describe("append, on a real table", () => {
  it("gives what is stored at the same time, and twice, one number each and in no holes", async () => {
    const { history, close } = await dynamoDbHistory(retentionMs);
    try {
      const store = async (messageId: string): Promise<void> => {
        const message = { messageId, body: `body of ${messageId}`, expiresAtMs: undefined, attributes: {} };
        try {
          await append(key, message, undefined, { history, retentionMs, now: () => now });
        } catch (error) {
          // As the queue would have it.
          if (!(error instanceof HistoryContendedError)) throw error;
          await store(messageId);
        }
      };
      const ids = Array.from({ length: 24 }, (_, i) => `m${i}`);
      await Promise.all([...ids, ...ids].map(store));
      const entries = await history.readAfter(key, 0, 100);
      expect(entries.map(({ seq }) => seq)).to.deep.equal(ids.map((_, i) => i + 1));
      expect(entries.map(({ messageId }) => messageId)).to.have.members(ids);
      expect(new Set(entries.map(({ epoch }) => epoch)).size).to.equal(1);
    } finally {
      await close();
    }
  });
});
