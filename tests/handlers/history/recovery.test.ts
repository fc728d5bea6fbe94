import { expect } from "chai";
import {
  entriesBetween,
  isCovered,
  isDone,
  MAX_ANSWER,
  seqIn,
  startOf,
  throughOf,
  withoutGap,
} from "../../../handlers/history/recovery";
import { type GivenSegment, segmentOf, segmentsOf } from "./segments";

const at = (seq: number, epoch = "e1") => ({ epoch, seq });

describe("startOf", () => {
  const log = { epoch: "e1", oldest: 4, newest: 9 };
  const whole = { epoch: "e1", oldest: 1, newest: 9 };
  const gone = { epoch: "e1", oldest: 10, newest: 9 };
  const none = { epoch: undefined, oldest: 1, newest: 0 };

  for (const [name, asked, available, acknowledged, expected] of [
    ["a cursor within", { cursor: at(5) }, log, undefined, { first: 6, seen: 5 }],
    ["a cursor at the newest", { cursor: at(9) }, log, undefined, { first: 10, seen: 9 }],
    ["more that has arrived", { cursor: at(5), after: 7 }, log, undefined, { first: 8, seen: 7 }],
    ["less that has arrived", { cursor: at(5), after: 4 }, log, undefined, { first: 6, seen: 5 }],
    [
      "a cursor that has expired, and more that has arrived",
      { cursor: at(1), after: 4 },
      log,
      undefined,
      { first: 5, seen: 4 },
    ],
    ["both expired", { cursor: at(1), after: 2 }, log, undefined, { first: 4, lost: "expired", seen: 1 }],
    ["more that has arrived, ahead", { cursor: at(5), after: 10 }, log, at(5), { first: 4, lost: "ahead", seen: 5 }],
    [
      "more that has arrived, of another epoch",
      { cursor: at(5, "d"), after: 7 },
      log,
      undefined,
      { first: 4, lost: "epoch", seen: 0 },
    ],
    ["a cursor just before the oldest", { cursor: at(3) }, log, undefined, { first: 4, seen: 3 }],
    ["a cursor before what has expired", { cursor: at(2) }, log, undefined, { first: 4, lost: "expired", seen: 2 }],
    ["the same, acknowledged elsewhere", { cursor: at(2) }, log, at(3), { first: 4, lost: "expired", seen: 3 }],
    ["a cursor of nothing, of a log that is whole", { cursor: at(0) }, whole, undefined, { first: 1, seen: 0 }],
    ["a cursor at the newest, all expired", { cursor: at(9) }, gone, undefined, { first: 10, seen: 9 }],
    ["a cursor before, all expired", { cursor: at(8) }, gone, undefined, { first: 10, lost: "expired", seen: 8 }],
    ["a cursor ahead", { cursor: at(10) }, log, at(5), { first: 4, lost: "ahead", seen: 5 }],
    ["a cursor of another epoch", { cursor: at(5, "d") }, log, at(2), { first: 4, lost: "epoch", seen: 2 }],
    [
      "the same, further than the newest",
      { cursor: at(99, "d") },
      log,
      undefined,
      { first: 4, lost: "epoch", seen: 0 },
    ],
    ["a cursor where there is no history", { cursor: at(5) }, none, undefined, { first: 1, lost: "epoch", seen: 0 }],
    ["no cursor and no history", {}, none, undefined, { first: 1, seen: 0 }],
    ["no cursor, nothing acknowledged", {}, whole, undefined, { first: 1, seen: 0 }],
    ["no cursor, nothing acknowledged, 1 expired", {}, log, undefined, { first: 4, lost: "expired", seen: 0 }],
    ["no cursor, acknowledged within", { from: "acknowledged" }, log, at(6), { first: 7, seen: 6 }],
    ["no cursor, all acknowledged", {}, log, at(9), { first: 10, seen: 9 }],
    ["no cursor, acknowledged before what expired", {}, log, at(2), { first: 4, lost: "expired", seen: 2 }],
    ["no cursor, acknowledged in another epoch", {}, whole, at(6, "d"), { first: 1, seen: 0 }],
    ["no cursor, acknowledged between the reads", {}, log, at(11), { first: 12, seen: 11 }],
    ["from the oldest", { from: "oldest" }, log, at(6), { first: 4, seen: 6 }],
    ["from the oldest, nothing acknowledged", { from: "oldest" }, log, undefined, { first: 4, seen: 0 }],
    ["from the oldest, all expired", { from: "oldest" }, gone, undefined, { first: 10, seen: 0 }],
    ["from the oldest, no history", { from: "oldest" }, none, undefined, { first: 1, seen: 0 }],
    ["a cursor and from the oldest", { cursor: at(5), from: "oldest" }, log, undefined, { first: 6, seen: 5 }],
  ] as const) {
    it(`is ${JSON.stringify(expected)} for ${name}`, () => {
      expect(startOf(asked, available, acknowledged)).to.deep.equal(expected);
    });
  }
});

describe("seqIn", () => {
  it("is the cursor's number in its own epoch, and otherwise 0", () => {
    expect([seqIn("e1", at(5)), seqIn("d", at(5)), seqIn(undefined, at(5)), seqIn("e1", undefined)]).to.deep.equal([
      ...[5, 0, 0, 0],
    ]);
  });
});

describe("withoutGap", () => {
  for (const [page, first, expected] of [
    [[], 1, []],
    [[[1, 3]], 1, [1]],
    [[[1, 3]], 3, [1]],
    [[[1, 3]], 4, []],
    [
      [
        [1, 3],
        [4, 4],
        [5, 9],
      ],
      1,
      [1, 4, 5],
    ],
    [
      [
        [1, 3],
        [4, 4],
        [5, 9],
      ],
      4,
      [4, 5],
    ],
    [
      [
        [1, 3],
        [4, 4],
        [5, 9],
      ],
      7,
      [5],
    ],
    [
      [
        [1, 3],
        [5, 9],
      ],
      2,
      [1],
    ],
    [
      [
        [1, 3],
        [5, 9],
      ],
      4,
      [],
    ],
    [
      [
        [1, 1],
        [5, 9],
      ],
      6,
      [5],
    ],
  ] as const) {
    const shown = page.map(([from, to]) => `${from}-${to}`).join() || "nothing";
    it(`has the segments ${expected.join() || "none"} of ${shown} from ${first} on`, () => {
      const segments = page.map(([from, to]) => segmentOf(from, { count: to - from + 1 }));
      expect(withoutGap(segments, first).map((segment) => segment.first)).to.deep.equal(expected);
    });
  }
});

describe("throughOf", () => {
  const large = { body: "x".repeat(100 * 1024) };
  const entries = (first: number, last: number, given: GivenSegment = {}) =>
    entriesBetween(segmentsOf(first, last, given), first, last);
  for (const [name, read, first, newest, expected] of [
    ["nothing follows", [], 10, 9, 9],
    ["all of it was read", entries(5, 9), 5, 9, 9],
    ["the rest fits", entries(1, 100), 1, 900, 900],
    ["there are too many", entries(1, 100), 1, 5_000, MAX_ANSWER.messages],
    ["too many were read already", entries(1, 1_200), 1, 1_200, MAX_ANSWER.messages],
    ["they are too large", entries(1, 4, large), 1, 5_000, 10],
    ["those that were read are too large already", entries(1, 30, large), 1, 5_000, 10],
    ["the first is larger than an answer", entries(1, 2, { body: "x".repeat(2 * 1024 * 1024) }), 1, 2, 1],
    ["those that expired have no body", entries(1, 100, { reported: [0] }), 1, 5_000, 1_000],
  ] as const) {
    it(`is ${expected} where ${name}`, () => {
      expect(throughOf(read, first, newest)).to.equal(expected);
    });
  }
});

describe("isCovered", () => {
  for (const [cursor, presentEpoch, expected] of [
    [undefined, "e1", false],
    [at(4), "e1", false],
    [at(5), "e1", true],
    [at(6), "e1", true],
    [at(6), "f", true],
    [at(6, "f"), "f", true],
    [at(4, "f"), "f", false],
    [at(6, "d"), "f", false],
    [at(6, "d"), undefined, false],
  ] as const) {
    it(`is ${expected} for 5 of "e1" where ${JSON.stringify(cursor)} is and the log is at ${presentEpoch}`, () => {
      expect(isCovered(at(5), cursor, presentEpoch)).to.equal(expected);
    });
  }
});

describe("isDone", () => {
  for (const [name, given, done, expected] of [
    ["nothing happened to", {}, {}, false],
    ["was reported", { reported: [0] }, {}, true],
    ["was acknowledged", {}, { acknowledged: at(5) }, true],
    ["is settled", {}, { settled: at(5) }, true],
    ["is after both", {}, { acknowledged: at(4), settled: at(3) }, false],
    ["is sealed", { isSealed: true }, {}, true],
  ] as const) {
    it(`is ${expected} for a message that ${name}`, () => {
      const [entry] = entriesBetween(
        [segmentOf(5, { ...given, reported: [...("reported" in given ? given.reported : [])] })],
        5,
        5,
      );
      expect(entry && isDone(entry, done, "e1")).to.equal(expected);
    });
  }
});
