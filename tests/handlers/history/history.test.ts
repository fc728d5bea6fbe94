import { randomBytes } from "node:crypto";
import { expect } from "chai";
import type { History, Segment } from "../../../handlers/history/history";
import { historyShard } from "../../../handlers/history/historyKey";
import { MemoryHistory } from "../../support/memoryHistory";
import { dynamoDbHistory } from "../../support/realTables";
import { key, messageOf, now, segmentOf } from "./segments";

const retentionMs = 3_600_000;
const other = { callerId: "user#43", context: "chat#7" };
const cleared = { messages: [], reported: [], ttlMs: undefined, recent: { coveredFromMs: now + 1, groups: [] } };

for (const [name, start] of [
  ["in DynamoDB", () => dynamoDbHistory(retentionMs)],
  ["in memory", () => Promise.resolve({ history: new MemoryHistory(), close: () => Promise.resolve() })],
] as [string, () => Promise<{ history: History; close: () => Promise<void> }>][]) {
  describe(`a history ${name}`, () => {
    let history: History;
    let close: () => Promise<void>;
    beforeEach(async () => ({ history, close } = await start()));
    afterEach(() => close());

    const store = async (...segments: Segment[]) => {
      for (const segment of segments) expect(await history.put(key, segment)).to.equal("stored");
    };
    const segmentAt = async (first: number) =>
      (await history.readBack(key, first, 1)).find((segment) => segment.first === first);
    const due = async (nowMs: number, shard = historyShard(key)) => {
      const found = [];
      for await (const page of history.findDue(shard, nowMs)) found.push(...page);
      return found;
    };

    it("has nothing of a session that never had a message", async () => {
      await history.put(other, segmentOf(1));
      expect(await history.readBack(key, Infinity, 10)).to.deep.equal([]);
      expect(await history.readOn(key, 1, 10)).to.deep.equal([]);
      expect(await history.readCursor(key)).to.deep.equal({ oldestSeq: 1 });
      expect(await history.readKeyClaim(key, "k")).to.equal(undefined);
    });

    it("keeps all of a segment", async () => {
      const attributes = {
        trace: { dataType: "String" as const, stringValue: "t-1" },
        bytes: { dataType: "Binary" as const, binaryValue: "AAE=" },
      };
      const messages = [
        messageOf("m7", { body: 'Grüße "\u{1F600}"\n' }),
        messageOf("m8", { body: "", expiresAtMs: now + 5 }),
        messageOf("m9", { attributes }),
        messageOf("m10", { expiresAtMs: 0, attributes }),
      ];
      const recent = {
        coveredFromMs: now - 9,
        groups: [
          { storedAtMs: now - 5, hashes: [0, 0xffffffff] },
          { storedAtMs: now - 5, hashes: [7] },
        ],
      };
      const full = segmentOf(7, {
        messages,
        recent,
        generation: 2,
        reported: [0, 2, 10],
        nextEpoch: "e2",
        laterDueAtMs: now + 7,
      });
      const least = segmentOf(11, { dueAtMs: undefined, ttlMs: undefined });
      await store(full, least);
      expect(await history.readOn(key, 1, 10)).to.deep.equal([full, least]);
      expect(await history.readBack(key, 11, 10)).to.deep.equal([least, full]);
    });

    it("keeps messages of any size", async () => {
      for (const [index, length] of [1, 900, 5_000, 250_000].entries()) {
        for (const body of ["x".repeat(length), randomBytes(length).toString("base64").slice(0, length)]) {
          const segment = segmentOf(1, { messages: [messageOf("a", { body }), messageOf("b")] });
          const session = { callerId: `user#${body.slice(0, 9)}`, context: `chat#${index}` };
          await history.put(session, segment);
          expect(await history.readOn(session, 1, 1)).to.deep.equal([segment]);
        }
      }
    });

    it("never stores a second segment at a number", async () => {
      await store(segmentOf(1));
      expect(await history.put(key, segmentOf(1, { count: 2, epoch: "e2" }))).to.equal("taken");
      expect(await segmentAt(1)).to.deep.equal(segmentOf(1));
    });

    it("keeps the newest ids of those before a segment, and says how far back they go", async () => {
      const groups = Array.from({ length: 200 }, (_, i) => ({ storedAtMs: now - 1_000 + i, hashes: [i, i + 1] }));
      await store(segmentOf(1, { recent: { coveredFromMs: 5, groups } }));
      const { recent } = (await segmentAt(1)) ?? segmentOf(0);
      expect(recent.groups).to.have.lengthOf.within(1, 199);
      expect(recent.groups).to.deep.equal(groups.slice(-recent.groups.length));
      expect(recent.coveredFromMs).to.equal(now - 1_000 + groups.length - recent.groups.length);
    });

    it("reads back from a number, the newest segment first", async () => {
      await store(segmentOf(1, { count: 3 }), segmentOf(4), segmentOf(5, { count: 100 }), segmentOf(105));
      const firsts = async (throughFirst: number, limit: number) =>
        (await history.readBack(key, throughFirst, limit)).map(({ first }) => first);
      expect(await firsts(Infinity, 1)).to.deep.equal([105]);
      expect(await firsts(Number.MAX_SAFE_INTEGER, 10)).to.deep.equal([105, 5, 4, 1]);
      expect(await firsts(104, 2)).to.deep.equal([5, 4]);
      expect(await firsts(3, 1)).to.deep.equal([1]);
      expect(await firsts(1, 1)).to.deep.equal([1]);
      expect(await firsts(0, 1)).to.deep.equal([]);
    });

    it("reads on from a number, the oldest segment first", async () => {
      await store(segmentOf(1, { count: 3 }), segmentOf(4), segmentOf(5, { count: 100 }), segmentOf(105));
      const firsts = async (fromFirst: number, limit: number) =>
        (await history.readOn(key, fromFirst, limit)).map(({ first }) => first);
      expect(await firsts(0, 2)).to.deep.equal([1, 4]);
      expect(await firsts(2, 10)).to.deep.equal([4, 5, 105]);
      expect(await firsts(105, 10)).to.deep.equal([105]);
      expect(await firsts(106, 10)).to.deep.equal([]);
      expect(await firsts(Number.MAX_SAFE_INTEGER, 10)).to.deep.equal([]);
    });

    it("reads no more at once than a megabyte, in either direction", async () => {
      for (let first = 1; first <= 12; first++) {
        await store(
          segmentOf(first, { messages: [messageOf("m", { body: randomBytes(105_000).toString("base64") })] }),
        );
      }
      expect(await history.readOn(key, 1, 100)).to.have.lengthOf.within(7, 10);
      expect(await history.readBack(key, 12, 100)).to.have.lengthOf.within(7, 10);
    });

    it("reads on no further than the segment whose bodies reach a size", async () => {
      // They take a twentieth of it in the table.
      for (let first = 1; first <= 5; first++) await store(segmentOf(first, { body: "x".repeat(1_000) }));
      const count = async (maxCharacters: number) =>
        (await history.readOn(key, 1, 100, undefined, maxCharacters)).length;
      expect(await Promise.all([1, 1_000, 1_001, 3_000, 1e6].map(count))).to.deep.equal([1, 1, 2, 3, 5]);
    });

    it("counts neither claims nor the cursor among the segments", async () => {
      await store(segmentOf(1));
      await history.claimKey(key, "a", { owner: "q1", claimedAtMs: now }, 0);
      await history.claimKey(key, "~", { owner: "q1", claimedAtMs: now }, 0);
      await history.acknowledge(key, { epoch: "e1", seq: 1 });
      expect(await history.readBack(key, Infinity, 10)).to.have.lengthOf(1);
      expect(await history.readOn(key, 0, 10)).to.have.lengthOf(1);
    });

    it("finds the marked segments of a shard that are due, the most overdue first", async () => {
      await store(
        segmentOf(1, { dueAtMs: now + 7, isMarked: true }),
        segmentOf(2, { dueAtMs: now + 5, isMarked: true }),
        segmentOf(3, { dueAtMs: now + 3 }),
        segmentOf(12, { dueAtMs: now + 6, isMarked: true }),
      );
      expect(await due(now + 4)).to.deep.equal([]);
      expect(await due(now + 5)).to.deep.equal([{ key, first: 2, dueAtMs: now + 5 }]);
      expect((await due(now + 7)).map(({ first }) => first)).to.deep.equal([2, 12, 1]);
      expect(await due(now + 7, historyShard(key) === "0" ? "1" : "0")).to.deep.equal([]);
    });

    it("puts a segment into the index at any due time, and takes it out again", async () => {
      await store(segmentOf(1));
      await history.mark(key, (await segmentAt(1)) as Segment, now + 9);
      expect(await segmentAt(1)).to.deep.equal(segmentOf(1, { dueAtMs: now + 9, isMarked: true }));
      expect(await due(now + 8)).to.deep.equal([]);
      expect(await due(now + 9)).to.deep.equal([{ key, first: 1, dueAtMs: now + 9 }]);
      await history.mark(key, segmentOf(1), now + 3);
      await history.unmark(key, segmentOf(1));
      await history.mark(key, (await segmentAt(1)) as Segment, now + 2);
      expect(await due(now + 9)).to.deep.equal([{ key, first: 1, dueAtMs: now + 2 }]);
      await history.unmark(key, { ...((await segmentAt(1)) as Segment), ttlMs: now });
      expect(await due(now + 9)).to.have.length(1);
      await history.unmark(key, (await segmentAt(1)) as Segment);
      await history.unmark(key, (await segmentAt(1)) as Segment);
      expect(await due(now + 9)).to.deep.equal([]);
      expect(await segmentAt(1)).to.deep.equal(segmentOf(1, { dueAtMs: now + 2 }));
    });

    it("seals a segment: it keeps its numbers and its mark, and nothing else", async () => {
      const recent = { coveredFromMs: now - 9, groups: [{ storedAtMs: now - 9, hashes: [1] }] };
      const segment = segmentOf(1, { count: 3, recent, reported: [1], dueAtMs: now, isMarked: true, nextEpoch: "e2" });
      await store(segment);
      await history.seal(key, segment);
      expect(await segmentAt(1)).to.deep.equal({ ...segment, ...cleared });
      expect(await due(now)).to.deep.equal([{ key, first: 1, dueAtMs: now }]);
    });

    it("renews a segment whose TTL is as it was read", async () => {
      const segment = segmentOf(1);
      const ttlMs = now + 900_000_000;
      await store(segment);
      expect(await history.renew(key, segment, { ttlMs, nextEpoch: "e2" })).to.equal("renewed");
      const renewed = segmentOf(1, { ttlMs, nextEpoch: "e2" });
      expect(await segmentAt(1)).to.deep.equal(renewed);
      expect(await history.renew(key, segment, { ttlMs: ttlMs + 5_000, nextEpoch: "e3" })).to.equal("changed");
      expect(await segmentAt(1)).to.deep.equal(renewed);
      expect(await history.renew(key, renewed, { ttlMs: ttlMs + 5_000 })).to.equal("renewed");
      expect(await segmentAt(1)).to.deep.equal({ ...renewed, ttlMs: ttlMs + 5_000 });
    });

    it("marks the segment that it renews, where that is asked", async () => {
      const segment = segmentOf(1);
      await history.put(key, segment);

      await history.renew(key, segment, { ttlMs: now + 9_000, dueAtMs: now + 5_000 });

      expect(await segmentAt(1)).to.deep.include({ isMarked: true, dueAtMs: now + 5_000 });
    });

    it("renews a sealed segment that is still sealed", async () => {
      const segment = segmentOf(1, { count: 3 });
      await store(segment);
      const sealed = { ...segment, ...cleared };
      expect(await history.renew(key, sealed, { ttlMs: now })).to.equal("changed");
      await history.seal(key, segment);
      expect(await history.renew(key, segment, { ttlMs: now })).to.equal("changed");
      expect(await history.renew(key, sealed, { ttlMs: now })).to.equal("renewed");
      expect(await segmentAt(1)).to.deep.equal({ ...sealed, ttlMs: now });
      expect(await history.renew(key, sealed, { ttlMs: now + 1_000 })).to.equal("changed");
    });

    it("reads a TTL that is no earlier than the one that was stored, and renews by it", async () => {
      await store(segmentOf(1, { ttlMs: now + 1 }));
      const segment = (await segmentAt(1)) ?? segmentOf(0);
      expect(segment.ttlMs).to.be.within(now + 1, now + 1_000);
      expect(await history.renew(key, segment, { ttlMs: now + 9_001 })).to.equal("renewed");
      expect((await segmentAt(1))?.ttlMs).to.be.within(now + 9_001, now + 10_000);
    });

    it("adds to what was reported", async () => {
      await store(segmentOf(1, { count: 20 }));
      await history.addReported(key, 1, [10, 2, 2]);
      await history.addReported(key, 1, []);
      await history.addReported(key, 1, [2, 1]);
      expect(await segmentAt(1)).to.deep.equal(segmentOf(1, { count: 20, reported: [1, 2, 10] }));
    });

    it("deletes a segment, and makes none of one that is gone", async () => {
      await store(segmentOf(1), segmentOf(2));
      await history.delete(key, 1);
      await history.delete(key, 1);
      await history.mark(key, segmentOf(1), now);
      await history.unmark(key, segmentOf(1));
      await history.addReported(key, 1, [0]);
      expect(await history.seal(key, segmentOf(1))).to.equal("changed");
      expect(await history.renew(key, segmentOf(1), { ttlMs: now })).to.equal("changed");
      expect(await history.renew(key, segmentOf(1, { count: 1, ...cleared }), { ttlMs: now })).to.equal("changed");
      expect(await history.readOn(key, 1, 10)).to.deep.equal([segmentOf(2)]);
      expect(await due(now)).to.deep.equal([]);
    });

    it("moves what is acknowledged forward only, and into another epoch", async () => {
      const acknowledge = (epoch: string, seq: number) => history.acknowledge(key, { epoch, seq });
      expect(await acknowledge("e1", 9)).to.equal("acknowledged");
      expect(await acknowledge("e1", 9)).to.equal("stale");
      expect(await acknowledge("e1", 8)).to.equal("stale");
      expect(await acknowledge("e1", 10)).to.equal("acknowledged");
      expect(await history.readCursor(key)).to.deep.equal({ acknowledged: { epoch: "e1", seq: 10 }, oldestSeq: 1 });
      expect(await acknowledge("e2", 1)).to.equal("acknowledged");
      expect(await history.readCursor(key)).to.deep.equal({ acknowledged: { epoch: "e2", seq: 1 }, oldestSeq: 1 });
      expect(await history.readCursor(other)).to.deep.equal({ oldestSeq: 1 });
    });

    it("moves what is settled forward only, and the oldest number with it", async () => {
      const settle = async (seq: number | undefined, oldestSeq?: number, epoch = "e1") => {
        await history.settle(key, { ...(seq !== undefined && { settled: { epoch, seq } }), oldestSeq });
        const { settled, oldestSeq: oldest } = await history.readCursor(key);
        return [settled?.epoch, settled?.seq, oldest];
      };
      expect(await settle(undefined)).to.deep.equal([undefined, undefined, 1]);
      expect(await settle(undefined, 3)).to.deep.equal([undefined, undefined, 3]);
      expect(await settle(undefined, 2)).to.deep.equal([undefined, undefined, 3]);
      expect(await settle(9)).to.deep.equal(["e1", 9, 3]);
      expect(await settle(9, 7)).to.deep.equal(["e1", 9, 3]);
      expect(await settle(8)).to.deep.equal(["e1", 9, 3]);
      expect(await settle(10, 11)).to.deep.equal(["e1", 10, 11]);
      expect(await settle(12, 6)).to.deep.equal(["e1", 12, 6]);
      expect(await settle(2, 3, "e2")).to.deep.equal(["e2", 2, 3]);
    });

    it("moves what is waited for forward only, and into another epoch, and touches nothing else", async () => {
      await history.acknowledge(key, { epoch: "e1", seq: 2 });
      const wait = async (epoch: string, seq: number) => {
        await history.moveWaited(key, { epoch, seq });
        return (await history.readCursor(key)).waited;
      };
      expect(await wait("e1", 9)).to.deep.equal({ epoch: "e1", seq: 9 });
      expect(await wait("e1", 8)).to.deep.equal({ epoch: "e1", seq: 9 });
      expect(await wait("e1", 10)).to.deep.equal({ epoch: "e1", seq: 10 });
      expect(await wait("e2", 1)).to.deep.equal({ epoch: "e2", seq: 1 });
      expect(await history.readCursor(key)).to.deep.equal({
        acknowledged: { epoch: "e1", seq: 2 },
        waited: { epoch: "e2", seq: 1 },
        oldestSeq: 1,
      });
    });

    it("moves what is acknowledged, what is settled and the oldest number without touching the others", async () => {
      const [acknowledged, settled] = [
        { epoch: "e1", seq: 5 },
        { epoch: "e2", seq: 3 },
      ];
      await history.settle(key, { settled, oldestSeq: 2 });
      await history.acknowledge(key, acknowledged);
      await history.settle(key, { oldestSeq: 4 });
      expect(await history.readCursor(key)).to.deep.equal({ acknowledged, settled, oldestSeq: 4 });
      await history.settle(key, { settled: { epoch: "e2", seq: 4 } });
      await history.acknowledge(key, { epoch: "e1", seq: 6 });
      expect(await history.readCursor(key)).to.deep.equal({
        acknowledged: { epoch: "e1", seq: 6 },
        settled: { epoch: "e2", seq: 4 },
        oldestSeq: 4,
      });
    });

    it("leases the raw connections to one invocation at a time, until it gives them back or its time has passed", async () => {
      const lease = async (owner: string, nowMs: number) => {
        const leased = await history.leaseRaw(key, { owner, untilMs: nowMs + 30 }, nowMs);
        return leased === "busy" ? leased : "leased";
      };
      expect(await lease("a", now)).to.equal("leased");
      expect(await lease("b", now + 29)).to.equal("busy");
      // The SDK has sent the call again.
      expect(await lease("a", now + 1)).to.equal("leased");
      expect(await lease("b", now + 30)).to.equal("busy");
      expect(await history.leaseRaw(other, { owner: "b", untilMs: now + 30 }, now)).to.deep.equal({ oldestSeq: 1 });
      expect(await lease("b", now + 31)).to.equal("leased");
      expect(await history.releaseRaw(key, "b", {})).to.equal("released");
      expect(await lease("c", now + 32)).to.equal("leased");
    });

    it("gives the session's cursor with the lease, and what the raw connections have accepted back", async () => {
      const [acknowledged, settled] = [
        { epoch: "e1", seq: 5 },
        { epoch: "e1", seq: 3 },
      ];
      await history.settle(key, { settled, oldestSeq: 2 });
      await history.acknowledge(key, acknowledged);
      const lease = () => history.leaseRaw(key, { owner: "a", untilMs: now + 30 }, now);
      expect(await lease()).to.deep.equal({ acknowledged, settled, oldestSeq: 2 });
      expect(await history.releaseRaw(key, "a", { accepted: { epoch: "e1", seq: 7 } })).to.equal("released");
      const accepted = { epoch: "e1", seq: 7 };
      expect(await lease()).to.deep.equal({ acknowledged, settled, accepted, oldestSeq: 2 });
      expect(await history.releaseRaw(key, "a", { accepted: { epoch: "e1", seq: 8 }, acknowledges: true })).to.equal(
        "released",
      );
      const both = { epoch: "e1", seq: 8 };
      expect(await history.readCursor(key)).to.deep.equal({
        acknowledged: both,
        settled,
        accepted: both,
        oldestSeq: 2,
      });
    });

    it("sets what is skipped with what the raw connections have accepted, or removes it", async () => {
      const lease = () => history.leaseRaw(key, { owner: "a", untilMs: now + 30 }, now);
      const release = (to: Parameters<typeof history.releaseRaw>[2]) => history.releaseRaw(key, "a", to);
      const [accepted, skipped] = [
        { epoch: "e1", seq: 7 },
        { epoch: "e1", from: 2, through: 5 },
      ];
      await lease();
      expect(await release({ accepted, skipped })).to.equal("released");
      expect(await lease()).to.deep.equal({ accepted, skipped, oldestSeq: 1 });
      expect(await release({})).to.equal("released");
      expect(await lease()).to.deep.equal({ accepted, skipped, oldestSeq: 1 });
      expect(await release({ accepted, skipped: { ...skipped, from: 4 } })).to.equal("released");
      expect(await lease()).to.deep.equal({ accepted, skipped: { ...skipped, from: 4 }, oldestSeq: 1 });
      expect(await release({ accepted, acknowledges: true })).to.equal("released");
      expect(await history.readCursor(key)).to.deep.equal({ accepted, acknowledged: accepted, oldestSeq: 1 });
    });

    it("changes nothing for an invocation that has lost its lease", async () => {
      await history.leaseRaw(key, { owner: "a", untilMs: now + 30 }, now);
      await history.leaseRaw(key, { owner: "b", untilMs: now + 60 }, now + 30);
      expect(await history.releaseRaw(key, "a", { accepted: { epoch: "e1", seq: 7 } })).to.equal("changed");
      expect(await history.releaseRaw(key, "a", {})).to.equal("changed");
      expect(await history.leaseRaw(key, { owner: "c", untilMs: now + 90 }, now + 59)).to.equal("busy");
      expect(await history.releaseRaw(key, "b", {})).to.equal("released");
      expect(await history.releaseRaw(key, "b", { accepted: { epoch: "e1", seq: 7 } })).to.equal("changed");
      expect(await history.readCursor(key)).to.deep.equal({ oldestSeq: 1 });
    });

    it("acknowledges with the raw connections' cursor unless a client has acknowledged as far, and keeps the lease then", async () => {
      await history.acknowledge(key, { epoch: "e1", seq: 7 });
      await history.leaseRaw(key, { owner: "a", untilMs: now + 30 }, now);
      const release = (epoch: string, seq: number, acknowledges: boolean) =>
        history.releaseRaw(key, "a", { accepted: { epoch, seq }, acknowledges });
      expect(await release("e1", 7, true)).to.equal("changed");
      expect(await release("e1", 6, true)).to.equal("changed");
      expect(await history.leaseRaw(key, { owner: "b", untilMs: now + 30 }, now)).to.equal("busy");
      expect(await release("e1", 6, false)).to.equal("released");
      await history.leaseRaw(key, { owner: "a", untilMs: now + 30 }, now);
      expect(await release("e2", 1, true)).to.equal("released");
      const inNext = { epoch: "e2", seq: 1 };
      expect(await history.readCursor(key)).to.deep.equal({ acknowledged: inNext, accepted: inNext, oldestSeq: 1 });
    });

    it("gives an idempotency key to one owner, until its claim is void", async () => {
      const claim = (owner: string, claimedAtMs: number, voidBeforeMs: number, session = key) =>
        history.claimKey(session, "order 7#", { owner, claimedAtMs }, voidBeforeMs);
      expect(await claim("q1", now, now - 5)).to.equal("claimed");
      expect(await claim("q2", now + 1, now)).to.equal("taken");
      expect(await claim("q1", now + 1, now)).to.equal("taken");
      expect(await history.readKeyClaim(key, "order 7#")).to.deep.equal({ owner: "q1", claimedAtMs: now });
      expect(await history.readKeyClaim(key, "order 7")).to.equal(undefined);
      expect(await claim("q3", now, now, other)).to.equal("claimed");
      expect(await claim("q4", now + 1, now + 1)).to.equal("claimed");
      expect(await history.readKeyClaim(key, "order 7#")).to.deep.equal({ owner: "q4", claimedAtMs: now + 1 });
    });
  });
}

describe("a history in memory, unlike one in DynamoDB,", () => {
  it("may show a page with a hole, of what is written while it is read", async () => {
    const history = new MemoryHistory();
    for (const first of [1, 2]) await history.put(key, segmentOf(first));
    history.beforeCall = async (name) => {
      if (name !== "readOn: meanwhile") return;
      history.beforeCall = () => Promise.resolve();
      for (const first of [3, 4]) await history.put(key, segmentOf(first));
      await history.delete(key, 1);
    };
    const answers = [true, false, true];
    history.seesMeanwhile = () => answers.shift() ?? expect.fail("asked of what had not changed");
    expect((await history.readOn(key, 0, 10)).map(({ first }) => first)).to.deep.equal([2, 4]);
  });
});
