import { expect } from "chai";
import { type Index, type Item, itemBytes, readUnits, writeUnits } from "../../bench/capacity";

const item = (bodyBytes: number, more: Item = {}): Item => ({
  session: { S: "s" },
  entry: { S: "e" },
  body: { S: "x".repeat(bodyBytes) },
  ...more,
});
const due = (at: number): Item => ({ due_shard: { S: "0" }, due_at: { N: String(at) } });
const expiry: Index = { keys: ["due_shard", "due_at"], projected: ["seq"] };
const keys = ["session", "entry"];

describe("units of capacity", () => {
  it("count names and values in bytes, and about two digits of a number as one", () => {
    expect(itemBytes({ ab: { S: "é" }, n: { N: "1234" } })).to.equal(2 + 2 + 1 + 3);
  });

  const values: [string, Item[string], number][] = [
    ["a binary value, which a request has as base64", { B: Buffer.from("12345").toString("base64") as never }, 5],
    ["bytes", { B: new Uint8Array(5) }, 5],
    ["a boolean", { BOOL: true }, 1],
    ["a null", { NULL: true }, 1],
    ["a set of strings", { SS: ["ab", "c"] }, 3],
    ["a set of numbers", { NS: ["12", "1234"] }, 2 + 3],
    ["a set of binary values", { BS: [new Uint8Array(2), new Uint8Array(3)] }, 5],
    ["a list: three, and one for each member", { L: [{ S: "ab" }, { BOOL: true }] }, 3 + (1 + 2) + (1 + 1)],
    ["a map: three, and one for each member", { M: { ab: { S: "c" }, d: { M: {} } } }, 3 + (2 + 1 + 1) + (1 + 3 + 1)],
  ];
  for (const [name, value, bytes] of values) {
    it(`count ${name}`, () => {
      expect(itemBytes({ a: value })).to.equal(1 + bytes);
    });
  }

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
    ["none in the index for an item that lacks one of its keys", undefined, item(10, { due_at: { N: "1" } }), 1],
    ["one in the index when an item gets its keys", item(10), item(10, due(1)), 2],
    ["one for a condition that failed on a small item", item(10), item(10), 1],
    ["one for a deletion of nothing", undefined, undefined, 1],
  ];
  for (const [name, before, after, units] of writes) {
    it(`are, for a write, ${name}`, () => {
      expect(writeUnits(before, after, [expiry], keys)).to.equal(units);
    });
  }
});
