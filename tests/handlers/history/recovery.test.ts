import { expect } from "chai";
import {
  availableOf,
  isAcknowledged,
  MAX_ANSWER,
  startOf,
  throughOf,
  withoutGap,
} from "../../../handlers/history/recovery";
import { entriesOf, entryOf, headOf, now } from "./storedEntries";

const storedAfterMs = now - 60_000;
const head = (seq: number, storedAtMs = now - 1_000, epoch = "e") => headOf(entryOf(seq, { storedAtMs, epoch }));
const old = now - 60_000;

describe("availableOf", () => {
  for (const [name, tail, oldest, expected] of [
    ["no history at all", undefined, undefined, { epoch: undefined, oldest: 1, newest: 0 }],
    ["a log within the retention", head(9), head(1), { epoch: "e", oldest: 1, newest: 9 }],
    ["an expired prefix", head(9), head(4), { epoch: "e", oldest: 4, newest: 9 }],
    ["a single number", head(1), head(1), { epoch: "e", oldest: 1, newest: 1 }],
    ["a tail that has expired", head(9, old), undefined, { epoch: "e", oldest: 10, newest: 9 }],
    ["the first number appended between the reads", undefined, head(1), { epoch: "e", oldest: 1, newest: 1 }],
    [
      "a number appended to an expired log between the reads",
      head(9, old),
      head(10),
      { epoch: "e", oldest: 10, newest: 10 },
    ],
    ["two of them, of which the later read has the first", head(9), head(11), { epoch: "e", oldest: 11, newest: 11 }],
    ["a tail read after the oldest was looked for", head(11), undefined, undefined],
    ["a tail that is just within the retention, and no oldest", head(9, old + 1), undefined, undefined],
  ] as const) {
    it(`is of ${name}: ${expected ? JSON.stringify(expected) : "to be read again"}`, () => {
      expect(availableOf(tail, oldest, storedAfterMs)).to.deep.equal(expected);
    });
  }
});

describe("startOf", () => {
  const log = { epoch: "e", oldest: 4, newest: 9 };
  const whole = { epoch: "e", oldest: 1, newest: 9 };
  const gone = { epoch: "e", oldest: 10, newest: 9 };
  const none = { epoch: undefined, oldest: 1, newest: 0 };
  const at = (seq: number, epoch = "e") => ({ epoch, seq });

  for (const [name, asked, available, acknowledged, expected] of [
    ["a cursor within", { cursor: at(5) }, log, undefined, { first: 6, seen: 5 }],
    ["a cursor at the newest", { cursor: at(9) }, log, undefined, { first: 10, seen: 9 }],
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

describe("withoutGap", () => {
  const log = { epoch: "e", oldest: 1, newest: 9 };
  const seqs = (page: readonly number[], first: number) =>
    withoutGap(
      page.map((seq) => entryOf(seq)),
      log,
      first,
    ).map(({ seq }) => seq);

  for (const [page, first, expected] of [
    [[], 1, []],
    [[1, 2, 3], 1, [1, 2, 3]],
    [[1, 2, 3], 2, [2, 3]],
    [[1, 2, 4, 5], 1, [1, 2]],
    [[2, 3], 1, []],
    [[1, 3, 4], 3, [3, 4]],
    [[1, 2], 3, []],
  ] as const) {
    it(`is ${expected.join() || "nothing"} of ${page.join() || "nothing"} from ${first} on`, () => {
      expect(seqs(page, first)).to.deep.equal(expected);
    });
  }

  it("ends where another epoch begins", () => {
    const page = [entryOf(1), entryOf(2, { epoch: "d" })];
    expect(withoutGap(page, log, 1)).to.deep.equal([entryOf(1)]);
  });
});

describe("throughOf", () => {
  const large = { body: "x".repeat(100 * 1024) };
  for (const [name, entries, first, newest, expected] of [
    ["nothing follows", [], 10, 9, 9],
    ["all of it was read", entriesOf(5, 9), 5, 9, 9],
    ["more came between the reads", entriesOf(5, 12), 5, 9, 12],
    ["the rest fits", entriesOf(1, 100), 1, 900, 900],
    ["there are too many", entriesOf(1, 100), 1, 5_000, MAX_ANSWER.messages],
    ["they are too large", entriesOf(1, 4, large), 1, 5_000, 10],
    ["those that were read are too large already", entriesOf(1, 30, large), 1, 5_000, 30],
    ["those that expired have no body", entriesOf(1, 100, { body: undefined }), 1, 5_000, 1_000],
  ] as const) {
    it(`is ${expected} where ${name}`, () => {
      expect(throughOf(entries, first, newest)).to.equal(expected);
    });
  }
});

describe("isAcknowledged", () => {
  for (const [acknowledged, expected] of [
    [undefined, false],
    [{ epoch: "e", seq: 4 }, false],
    [{ epoch: "e", seq: 5 }, true],
    [{ epoch: "e", seq: 6 }, true],
    [{ epoch: "d", seq: 6 }, false],
  ] as const) {
    it(`is ${expected} for 5 where ${JSON.stringify(acknowledged)} is`, () => {
      expect(isAcknowledged({ epoch: "e", seq: 5 }, acknowledged)).to.equal(expected);
    });
  }
});
