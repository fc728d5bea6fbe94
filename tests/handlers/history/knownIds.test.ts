import { expect } from "chai";
import { KnownIds, KnownSessions } from "../../../handlers/history/knownIds";
import { hashOfId } from "../../../handlers/history/recentIds";
import { segmentOf, messageOf } from "./segments";

const user = (n: number) => ({ callerId: `user#${n}`, context: "chat#7" });
const messages = (count: number) => Array.from({ length: count }, (_, i) => messageOf(`m${i + 1}`));

describe("KnownIds", () => {
  it("knows the ids of the last segment and those that it carries, by their numbers", () => {
    const known = new KnownIds();
    const groups = [{ storedAtMs: 5, hashes: ["m2", "m3"].map(hashOfId) }];
    known.addTail(segmentOf(4, { messages: [messageOf("m4"), messageOf("m2")], recent: { coveredFromMs: 5, groups } }));
    expect(["m1", "m2", "m3", "m4"].map((id) => known.candidates(id))).to.deep.equal([[], [2, 5], [3], [4]]);
    expect([known.before, known.reaches(5), known.reaches(4)]).to.deep.equal([1, true, false]);
  });

  it("joins what follows each other, forwards and backwards", () => {
    const known = new KnownIds();
    const recent = { coveredFromMs: 5, groups: [] };
    known.addTail(segmentOf(5, { recent }));
    known.addTail(segmentOf(6, { recent: { coveredFromMs: 6, groups: [] } }));
    known.addEarlier(
      segmentOf(2, {
        messages: [messageOf("m2"), messageOf("m3"), messageOf("m4")],
        recent: { ...recent, coveredFromMs: 2 },
      }),
    );
    expect([2, 3, 4, 5, 6].map((n) => known.candidates(`m${n}`))).to.deep.equal([[2], [3], [4], [5], [6]]);
    expect([known.before, known.reaches(2), known.size]).to.deep.equal([1, true, 5]);
  });

  for (const [name, tail] of [
    ["some in between are unknown", segmentOf(7, { recent: { coveredFromMs: 9, groups: [] } })],
    ["the epoch is another one", segmentOf(6, { epoch: "e2", recent: { coveredFromMs: 9, groups: [] } })],
    ["the log is shorter than it was", segmentOf(4, { recent: { coveredFromMs: 9, groups: [] } })],
  ] as const) {
    it(`begins anew if ${name}`, () => {
      const known = new KnownIds();
      known.addTail(segmentOf(5));
      known.addTail(tail);
      expect([known.size, known.before, known.reaches(8)]).to.deep.equal([1, tail.first - 1, false]);
    });
  }

  it("begins anew with the last segment, once it has grown large", () => {
    const known = new KnownIds();
    known.addTail(segmentOf(1, { messages: messages(5_001) }));
    known.addTail(segmentOf(5_002));
    expect(known.size).to.equal(1);
  });
});

describe("KnownSessions", () => {
  it("keeps the ids of the sessions that were used last, as many as fit", () => {
    const sessions = new KnownSessions({ sessions: 2, ids: 100 });
    const [first, second] = [sessions.of(user(1)), sessions.of(user(2))];
    expect(sessions.of(user(1))).to.equal(first);
    sessions.of(user(3));
    expect(sessions.of(user(1))).to.equal(first);
    expect(sessions.of(user(2))).to.not.equal(second);
  });

  it("drops sessions that have many ids", () => {
    const sessions = new KnownSessions({ sessions: 10, ids: 100 });
    const [first, second] = [sessions.of(user(1)), sessions.of(user(2))];
    first.addTail(segmentOf(1, { messages: messages(101) }));
    second.addTail(segmentOf(1, { messages: messages(99) }));
    sessions.of(user(3));
    expect(sessions.of(user(2))).to.equal(second);
    expect(sessions.of(user(1))).to.not.equal(first);
  });
});
