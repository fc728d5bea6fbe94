import { expect } from "chai";
import type { History } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { dynamoDbHistory } from "./historySetUp";
import { entryOf, headOf, key, now } from "./entries";
import { MemoryHistory } from "../../support/memoryHistory";

const retentionMs = 3_600_000;
const graceMs = 120_000;
const other = { callerId: "user#43", context: "chat#7" };

for (const [name, start] of [
  ["in DynamoDB", () => dynamoDbHistory(retentionMs)],
  ["in memory", () => Promise.resolve({ history: new MemoryHistory(retentionMs), close: () => Promise.resolve() })],
] as [string, () => Promise<{ history: History; close: () => Promise<void> }>][]) {
  describe(`a history ${name}`, () => {
    let history: History;
    let close: () => Promise<void>;
    beforeEach(async () => ({ history, close } = await start()));
    afterEach(() => close());

    const store = async (...seqs: number[]) => {
      for (const seq of seqs) await history.put(key, entryOf(seq));
    };
    const due = async (nowMs: number) => {
      const pages = [];
      for await (const page of history.findDue(historyShard(key), nowMs)) pages.push(...page);
      return pages;
    };

    it("has nothing of a session that never had a message", async () => {
      await history.put(other, entryOf(1));
      expect(await history.readTail(key)).to.equal(undefined);
      expect(await history.readEntry(key, 1)).to.equal(undefined);
      expect(await history.readAfter(key, 0, 10)).to.deep.equal([]);
      expect(await history.readOldest(key, 0)).to.equal(undefined);
      expect(await history.readClaim(key, "m1")).to.equal(undefined);
      expect(await history.readAcknowledged(key)).to.equal(undefined);
    });

    it("keeps all of an entry", async () => {
      const attributes = {
        trace: { dataType: "String" as const, stringValue: "t-1" },
        bytes: { dataType: "Binary" as const, binaryValue: "AAE=" },
      };
      const entry = entryOf(7, { expiresAtMs: now + 5, attributes, body: 'Grüße "\u{1F600}"\n' });
      expect(await history.put(key, entry)).to.equal("stored");
      expect(await history.readEntry(key, 7)).to.deep.equal(entry);
      expect(await history.readAfter(key, 6, 1)).to.deep.equal([entry]);
    });

    it("never stores a second entry on a number", async () => {
      await store(1);
      expect(await history.put(key, entryOf(1, { messageId: "another" }))).to.equal("taken");
      expect(await history.readEntry(key, 1)).to.deep.equal(entryOf(1));
    });

    it("has the largest number as its tail, of any age, and in the order of numbers", async () => {
      await store(9, 10, 2);
      expect(await history.readTail(key)).to.deep.equal(headOf(10));
      await history.claim(key, "zzz", { seq: 99, claimedAtMs: now }, 0);
      await history.acknowledge(key, { epoch: "e1", seq: 99 });
      expect((await history.readTail(key))?.seq).to.equal(10);
    });

    it("reads what comes after a number in order, as many as are asked for", async () => {
      await store(1, 2, 3, 9, 10, 11);
      const seqs = async (afterSeq: number, limit: number) =>
        (await history.readAfter(key, afterSeq, limit)).map(({ seq }) => seq);
      expect(await seqs(0, 2)).to.deep.equal([1, 2]);
      expect(await seqs(2, 3)).to.deep.equal([3, 9, 10]);
      expect(await seqs(11, 3)).to.deep.equal([]);
    });

    it("reads no more at once than a megabyte", async () => {
      for (let seq = 1; seq <= 12; seq++) await history.put(key, entryOf(seq, { body: "x".repeat(100_000) }));
      expect(await history.readAfter(key, 0, 100)).to.have.lengthOf.within(9, 11);
    });

    it("finds the oldest that was stored after a time, over any number of older ones", async () => {
      for (let seq = 1; seq <= 130; seq++) await history.put(key, entryOf(seq, { storedAtMs: now + seq }));
      for (const [after, seq] of [
        [0, 1],
        [now + 1, 2],
        [now + 12, 13],
        [now + 129, 130],
      ] as const) {
        expect((await history.readOldest(key, after))?.seq, `after ${after}`).to.equal(seq);
      }
      expect(await history.readOldest(key, now + 130)).to.equal(undefined);
    });

    it("gives one claim to a message, until it is void", async () => {
      expect(await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, now - 5)).to.equal("claimed");
      expect(await history.claim(key, "m1", { seq: 2, claimedAtMs: now + 1 }, now)).to.equal("taken");
      expect(await history.readClaim(key, "m1")).to.deep.equal({ seq: 1, claimedAtMs: now });
      expect(await history.claim(other, "m1", { seq: 3, claimedAtMs: now }, now)).to.equal("claimed");
      expect(await history.claim(key, "m1", { seq: 4, claimedAtMs: now + 1 }, now + 1)).to.equal("claimed");
      expect(await history.readClaim(key, "m1")).to.deep.equal({ seq: 4, claimedAtMs: now + 1 });
    });

    it("moves a claim from where it is, and from nowhere else", async () => {
      await history.claim(key, "m1", { seq: 1, claimedAtMs: now }, now);
      expect(await history.moveClaim(key, "m1", 1, { seq: 3, claimedAtMs: now + 1 })).to.equal("moved");
      expect(await history.moveClaim(key, "m1", 1, { seq: 9, claimedAtMs: now + 2 })).to.equal("lost");
      expect(await history.moveClaim(key, "m2", 1, { seq: 9, claimedAtMs: now + 2 })).to.equal("lost");
      expect(await history.readClaim(key, "m1")).to.deep.equal({ seq: 3, claimedAtMs: now + 1 });
      expect(await history.readClaim(key, "m2")).to.equal(undefined);
    });

    it("moves what is acknowledged forward only, and into another epoch", async () => {
      expect(await history.acknowledge(key, { epoch: "e1", seq: 9 })).to.equal("acknowledged");
      expect(await history.acknowledge(key, { epoch: "e1", seq: 9 })).to.equal("stale");
      expect(await history.acknowledge(key, { epoch: "e1", seq: 8 })).to.equal("stale");
      expect(await history.acknowledge(key, { epoch: "e1", seq: 10 })).to.equal("acknowledged");
      expect(await history.readAcknowledged(key)).to.deep.equal({ epoch: "e1", seq: 10 });
      expect(await history.acknowledge(key, { epoch: "e2", seq: 1 })).to.equal("acknowledged");
      expect(await history.readAcknowledged(key)).to.deep.equal({ epoch: "e2", seq: 1 });
    });

    it("finds an entry once it may be deleted, or has expired of itself", async () => {
      await history.put(key, entryOf(1));
      await history.put(key, entryOf(2, { expiresAtMs: now + 5 }));
      await history.put(key, entryOf(3, { expiresAtMs: now + retentionMs + graceMs + 5 }));
      expect(await due(now + 4)).to.deep.equal([]);
      expect(await due(now + 5)).to.deep.equal([{ key, seq: 2 }]);
      expect(await due(now + retentionMs + graceMs - 1)).to.deep.equal([{ key, seq: 2 }]);
      expect(await due(now + retentionMs + graceMs)).to.have.deep.members([1, 2, 3].map((seq) => ({ key, seq })));
    });

    it("takes a body away, and has the entry due again", async () => {
      await history.put(key, entryOf(1, { attributes: { trace: { dataType: "String", stringValue: "t" } } }));
      await history.strip(key, 1, now + 7);
      expect(await history.readEntry(key, 1)).to.deep.equal(entryOf(1, { body: undefined }));
      expect(await due(now + 6)).to.deep.equal([]);
      expect(await due(now + 7)).to.deep.equal([{ key, seq: 1 }]);
    });

    it("takes a body away, and has the entry never due again", async () => {
      await store(1);
      await history.strip(key, 1, undefined);
      expect((await history.readTail(key))?.seq).to.equal(1);
      expect(await due(now * 2)).to.deep.equal([]);
    });

    it("postpones and deletes entries, and makes none of one that is gone", async () => {
      await store(1);
      await history.postpone(key, 1, now + 9);
      expect(await due(now + 8)).to.deep.equal([]);
      expect(await due(now + 9)).to.deep.equal([{ key, seq: 1 }]);
      await history.delete(key, 1);
      await history.delete(key, 1);
      await history.strip(key, 1, now);
      await history.postpone(key, 1, now);
      expect(await history.readEntry(key, 1)).to.equal(undefined);
      expect(await due(now * 2)).to.deep.equal([]);
    });
  });
}

describe("a history in DynamoDB, unlike one in memory,", () => {
  it("stores an entry without the publisher's attributes where the table could not hold them", async () => {
    const { history, rawEntry, close } = await dynamoDbHistory(retentionMs);
    const attributes = (length: number) => ({ x: { dataType: "String" as const, stringValue: "x".repeat(length) } });
    try {
      await history.put(key, entryOf(1, { attributes: attributes(200_000), body: "b".repeat(131_072) }));
      await history.put(key, entryOf(2, { attributes: attributes(300_000), body: "b".repeat(131_072) }));
      expect((await history.readEntry(key, 1))?.attributes).to.deep.equal(attributes(200_000));
      expect((await history.readEntry(key, 2))?.attributes).to.deep.equal({});
      expect(await rawEntry(2)).to.not.have.property("attributes");
    } finally {
      await close();
    }
  });
});

describe("a history in memory, unlike one in DynamoDB,", () => {
  it("may show a page with a hole, of what is written while it is read", async () => {
    const history = new MemoryHistory();
    for (const seq of [1, 2]) await history.put(key, entryOf(seq));
    history.beforeCall = async (name) => {
      if (name !== "readAfter: meanwhile") return;
      history.beforeCall = () => Promise.resolve();
      for (const seq of [3, 4]) await history.put(key, entryOf(seq));
      await history.delete(key, 1);
    };
    const answers = [true, false, true];
    history.seesMeanwhile = () => answers.shift() ?? expect.fail("asked of what had not changed");
    expect((await history.readAfter(key, 0, 10)).map(({ seq }) => seq)).to.deep.equal([2, 4]);
  });
});
