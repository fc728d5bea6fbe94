import { inflateRawSync } from "node:zlib";
import { expect } from "chai";
import type { Segment } from "../../../handlers/history/history";
import { markAttributes } from "../../../handlers/history/historyItems";
import { historyShard, partitionKeyOf } from "../../../handlers/history/historyKey";
import { itemBytes, writeUnitsOf } from "../../../handlers/history/itemSize";
import { itemOfSegment, segmentOfItem } from "../../../handlers/history/segmentItems";
import type { Item } from "../../../handlers/tableClient";
import { mulberry32 } from "../../support/mulberry32";
import { refusal } from "../../support/refusal";
import { key, messageOf, now, segmentOf } from "./segments";

const groups = (count: number, hashes = [1]) =>
  Array.from({ length: count }, (_, i) => ({ storedAtMs: now - count + i, hashes }));
const recentOf = (count: number, hashes?: number[]) => ({ coveredFromMs: 0, groups: groups(count, hashes) });
const withBody = (body: string, given: Partial<Segment> = {}) =>
  segmentOf(1, { messages: [messageOf("m", { body })], ...given });
const markBytes = itemBytes(markAttributes(key));
const draw = mulberry32(12);
const random = (length: number) =>
  Buffer.from(Array.from({ length }, () => draw() * 256))
    .toString("base64")
    .slice(0, length);
const row = (n: number) => JSON.stringify({ id: n, title: `Report ${n}`, state: "finished", url: `/reports/${n}` });

describe("a segment's item", () => {
  it("is readable: of a small segment, every attribute is a name, a number or JSON", () => {
    const messages = [messageOf("a", { body: '{"n":1}' }), messageOf("b", { expiresAtMs: now + 5 })];
    expect(itemOfSegment(key, segmentOf(3, { messages }))).to.deep.equal({
      session: { S: partitionKeyOf(key) },
      entry: { S: "log#0000000000000003" },
      epoch: { S: "e1" },
      stored_at: { N: "1700000000000" },
      until: { N: "1700003600000" },
      count: { N: "2" },
      messages: { S: `[["a","{\\"n\\":1}"],["b","body of b",${now + 5}]]` },
      recent: { B: Buffer.alloc(6) },
      due_at: { N: "1700003630000" },
      expiration_date: { N: "1700262800" },
    });
  });

  it("has what the sweeper needs only while it is marked, and what is rare only where it applies", () => {
    const rare = { generation: 3, nextEpoch: "e2", reported: [0], isMarked: true };
    const item = itemOfSegment(key, segmentOf(3, { count: 2, ...rare }));
    const usual = itemOfSegment(key, segmentOf(3, { count: 2 }));
    expect(item).to.deep.equal({
      ...usual,
      generation: { N: "3" },
      next_epoch: { S: "e2" },
      reported: { NS: ["0"] },
      due_shard: { S: historyShard(key) },
      caller_id: { S: "user#42" },
      context: { S: "chat#7" },
    });
  });

  it("has its messages deflated where that saves a write unit, and only there", () => {
    for (let rows = 1; rows <= 60; rows++) {
      const segment = withBody(`[${Array.from({ length: rows }, (_, n) => row(n)).join()}]`);
      const item = itemOfSegment(key, segment);
      const json = JSON.stringify([["m", segment.messages[0]?.body]]);
      const plainBytes = itemBytes({ ...item, messages: { S: json }, recent: { B: Buffer.alloc(6) } });
      const { S, B } = item.messages ?? {};
      if (plainBytes <= 1024) expect(S, `${rows} rows`).to.equal(json);
      else {
        expect(inflateRawSync(B ?? "").toString(), `${rows} rows`).to.equal(json);
        expect(writeUnitsOf(itemBytes(item))).to.be.below(writeUnitsOf(plainBytes));
      }
    }
    expect(itemOfSegment(key, withBody(random(3_000))).messages).to.have.property("B");
    // Of these, deflating leaves three quarters: of two units as many.
    expect(itemOfSegment(key, withBody(random(1_700))).messages).to.have.property("S");
  });

  it("costs no write unit more for the ids that it carries, and wastes no room for them", () => {
    for (let length = 0; length < 2_300; length += 7) {
      const body = random(length);
      const bare = itemBytes(itemOfSegment(key, withBody(body)));
      const item = itemOfSegment(key, withBody(body, { recent: recentOf(300) }));
      expect(writeUnitsOf(itemBytes(item)), `${length} bytes`).to.equal(writeUnitsOf(bare));
      const free = -itemBytes(item) & 1023;
      // A group has 11 bytes; 16 stay free, and what a mark takes.
      if (item.recent) expect(free, `${length} bytes`).to.be.within(16 + markBytes, 16 + markBytes + 11 - 1);
      else expect(free, `${length} bytes`).to.be.below(16 + markBytes + 12);
    }
  });

  it("costs no write unit more to mark, whatever ids it carries: of an item that is marked, they fill the rest", () => {
    const recent = recentOf(300);
    for (let length = 0; length < 2_300; length += 7) {
      const item = itemOfSegment(key, withBody(random(length), { recent }));
      if (!item.recent) continue;
      const marked = { ...item, ...markAttributes(key) };
      expect(writeUnitsOf(itemBytes(marked)), `${length} bytes`).to.equal(writeUnitsOf(itemBytes(item)));
    }
    expect(-itemBytes(itemOfSegment(key, segmentOf(1, { recent, isMarked: true }))) & 1023).to.be.within(16, 26);
  });

  it("drops the oldest ids first, all of a segment at a time", () => {
    const recent = {
      coveredFromMs: 7,
      groups: groups(
        20,
        Array.from({ length: 100 }, (_, i) => i),
      ),
    };
    const { recent: kept } = segmentOfItem(itemOfSegment(key, segmentOf(1, { recent })));
    expect(kept).to.deep.equal({ coveredFromMs: now - 1, groups: recent.groups.slice(-1) });
  });

  it("covers nothing before it where not one id has room", () => {
    const lengths = Array.from({ length: 1_024 }, (_, i) => i);
    const full = lengths.map((length) => itemOfSegment(key, withBody("x".repeat(length), { recent: recentOf(5) })));
    const without = full.filter((item) => !item.recent);
    expect(without).to.not.be.empty;
    for (const item of without) {
      expect(segmentOfItem(item).recent).to.deep.equal({ coveredFromMs: now + 1, groups: [] });
    }
  });

  it("stays below DynamoDB's 400 KB with 256 KB of messages that cannot be deflated, and the longest keys", () => {
    const longest = { callerId: "u".repeat(2048), context: "c".repeat(1024) };
    const parts = Array.from({ length: 100 }, (_, i) => messageOf(`${i}`.padEnd(128, "-"), { body: random(2_490) }));
    const item = itemOfSegment(longest, segmentOf(1, { messages: parts, recent: recentOf(300), isMarked: true }));
    expect(itemBytes(item)).to.be.below(400 * 1024);
    const escaped = Array.from({ length: 256 * 1024 }, () => '"\\\n\t'.charAt(draw() * 4)).join("");
    expect(itemBytes(itemOfSegment(key, withBody(escaped)))).to.be.below(400 * 1024);
  });

  describe("that the relay cannot have written", () => {
    const usual = itemOfSegment(key, segmentOf(3, { count: 2 }));
    const big = itemOfSegment(key, withBody(row(1).repeat(100)));
    const { epoch, ...withoutEpoch } = usual;
    const cases: [string, Item, string][] = [
      ["lacks its epoch", withoutEpoch, "epoch"],
      ["has a time that is no number", { ...usual, stored_at: { S: "yesterday" } }, "stored_at"],
      ["has a TTL that is no number", { ...usual, expiration_date: { S: "never" } }, "expiration_date"],
      ["has a fraction of a count", { ...usual, count: { N: "1.5" } }, "count"],
      ["has another number of messages", { ...usual, count: { N: "3" } }, "messages"],
      ["has messages that are no JSON", { ...usual, messages: { S: "hello" } }, "messages"],
      ["has messages that are no list", { ...usual, messages: { S: "{}" } }, "messages"],
      ["has messages that are no bytes of deflate", { ...usual, messages: { B: Buffer.from("hello") } }, "messages"],
      [
        "has messages that end early",
        { ...big, messages: { B: Buffer.from(big.messages?.B ?? "").subarray(0, 50) } },
        "messages",
      ],
      ["has ids that end early", { ...usual, recent: { B: Buffer.alloc(9) } }, "recent"],
      ["has a sort key of another kind", { ...usual, entry: { S: "cursor" } }, "entry"],
    ];
    for (const [name, item, attribute] of cases) {
      it(`is refused by its key, with the attribute: ${name}`, async () => {
        const { message } = await refusal(Promise.resolve(item).then(segmentOfItem));
        expect(message).to.include(`history item {"session":"${partitionKeyOf(key)}","entry":"${item.entry?.S}"}`);
        expect(message).to.include(`: ${attribute} is not what the relay writes; allowed: `);
        expect(message).to.include("Fix: restore the item");
      });
    }

    it("is read where it has what a later version might add", () => {
      expect(epoch).to.deep.equal({ S: "e1" });
      expect(segmentOfItem({ ...usual, later: { BOOL: true } })).to.deep.equal(segmentOf(3, { count: 2 }));
    });
  });
});
