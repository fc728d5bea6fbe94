import { expect } from "chai";
import type { Item } from "../../bench/capacity";
import { TableMeter } from "../../bench/tableMeter";

const shape = { keys: ["session", "entry"], indexes: [{ keys: ["shard", "due"], projected: [] }] };
const keyOf = (entry: string): Item => ({ session: { S: "s" }, entry: { S: entry } });
const due: Item = { shard: { S: "0" }, due: { N: "1" } };
const requested = { method: "POST", url: "/", headers: { "x-amz-target": "DynamoDB_20120810.Any" } };

/** A table that the meter asks: items by their sort key, changed by `write`. */
async function metered(operation: string, body: object, items: Record<string, Item>, write: () => object = () => ({})) {
  const answerTo = (text: object) => ({ status: 200, headers: {}, body: JSON.stringify(text) });
  const ask = (request: typeof requested, asked: Buffer) => {
    const isRead = String(request.headers["x-amz-target"]).endsWith("GetItem");
    if (!isRead) return Promise.resolve(answerTo(write()));
    const { Key } = JSON.parse(asked.toString()) as { Key: Item };
    return Promise.resolve(answerTo({ Item: items[Key.entry?.S ?? ""] }));
  };
  const meter = TableMeter.with({ history: shape });
  return meter.ask(ask as never, requested as never, operation, Buffer.from(JSON.stringify(body)));
}

describe("the meter of a table", () => {
  it("counts each item of a BatchWriteItem, with the indexes of their table", async () => {
    const items: Record<string, Item> = { deleted: { ...keyOf("deleted"), ...due } };
    const put = { ...keyOf("put"), body: { S: "x".repeat(1_500) } };
    const RequestItems = {
      history: [{ PutRequest: { Item: put } }, { DeleteRequest: { Key: keyOf("deleted") } }],
    };
    const { write, read } = await metered("BatchWriteItem", { RequestItems }, items, () => {
      items.put = put;
      delete items.deleted;
      return {};
    });
    // Two KB without a line in the index; one KB with its line.
    expect({ write, read }).to.deep.equal({ write: 2 + 2, read: 0 });
  });

  it("marks a query of an index that finds nothing, which does not depend on the number of messages", async () => {
    const query = { TableName: "history", IndexName: "due" };
    const answer = (Count: number) => () => ({ Count, ConsumedCapacity: { CapacityUnits: Count } });
    expect(await metered("Query", query, {}, answer(0))).to.include({ read: 0.5, empty: true });
    expect(await metered("Query", query, {}, answer(2)))
      .to.include({ read: 2 })
      .and.not.have.property("empty");
  });

  it("refuses an operation that it cannot count", async () => {
    let refused: Error | undefined;
    await metered("TransactWriteItems", {}, {}).catch((error: Error) => (refused = error));
    expect(refused?.message).to.match(/TransactWriteItems.*Fix/);
  });
});
