import { expect } from "chai";
import { type Index, type Item, itemBytes, readUnits, writeUnits } from "../../bench/capacity";

const item = (bodyBytes: number, more: Item = {}): Item => ({
  session: { S: "s" },
  entry: { S: "e" },
  body: { S: "x".repeat(bodyBytes) },
  ...more,
});
const due = (at: number): Item => ({ expiry_shard: { S: "0" }, due_at: { N: String(at) } });
const expiry: Index = { keys: ["expiry_shard", "due_at"], projected: ["seq"] };
const keys = ["session", "entry"];

describe("units of capacity", () => {
  it("count names and values in bytes, and about two digits of a number as one", () => {
    expect(itemBytes({ ab: { S: "é" }, n: { N: "1234" } })).to.equal(2 + 2 + 1 + 3);
  });

  it("count what maps, lists and sets hold, and three bytes for a map or list and one for each of its elements", () => {
    expect(itemBytes({ m: { M: { ab: { N: "12" }, c: { BOOL: true } } } })).to.equal(1 + 3 + 2 + (2 + 2) + (1 + 1));
    expect(itemBytes({ l: { L: [{ S: "abc" }, { B: new Uint8Array(5) }] } })).to.equal(1 + 3 + 2 + 3 + 5);
    expect(itemBytes({ s: { SS: ["a", "bc"] }, n: { NS: ["1", "234"] } })).to.equal(1 + 3 + 1 + 2 + 3);
  });

  it("are not counted for an attribute of another type", () => {
    expect(() => itemBytes({ n: { NULL: true } })).to.throw("unexpected attribute: NULL");
  });

  const reads: [number, number][] = [
    [1, 1],
    [4_000, 1],
    [4_200, 2],
  ];
  for (const [bytes, units] of reads) {
    it(`are ${units} for a read of ${bytes} bytes`, () => {
      expect(readUnits(item(bytes))).to.equal(units);
    });
  }

  it("are one for a read without a result", () => {
    expect(readUnits(undefined)).to.equal(1);
  });

  const writes: [string, Item | undefined, Item | undefined, number][] = [
    ["one for a small item without a line in the index", undefined, item(10), 1],
    ["one more for its line in the index", undefined, item(10, due(1)), 2],
    ["one per KB, and those of the index line", undefined, item(1_100, due(1)), 3],
    ["the larger of before and after", item(3_000), item(10), 3],
    ["none in the index if its line does not change", item(10, due(1)), item(20, due(1)), 1],
    ["two in the index if the key of its line changes", item(10, due(1)), item(10, due(2)), 3],
    ["one in the index if its line is deleted", item(10, due(1)), item(10), 2],
    ["the same for a deletion as for the write", item(1_100, due(1)), undefined, 3],
    ["one for a condition that failed on a small item", item(10), item(10), 1],
    ["one for a deletion of nothing", undefined, undefined, 1],
  ];
  for (const [name, before, after, units] of writes) {
    it(`are, for a write, ${name}`, () => {
      expect(writeUnits(before, after, [expiry], keys)).to.equal(units);
    });
  }
});
