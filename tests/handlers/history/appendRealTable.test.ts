import { expect } from "chai";
import { append, type Appended } from "../../../handlers/history/append";
import { entriesOf } from "../../../handlers/history/segment";
import { dynamoDbHistory } from "../../support/realTables";
import { key } from "./segments";

const retentionMs = 3_600_000;
const WORKERS = 8;

describe("append, on a real table", () => {
  let table: Awaited<ReturnType<typeof dynamoDbHistory>>;
  before(async () => {
    table = await dynamoDbHistory(retentionMs);
  });
  after(() => table.close());

  it("gives each message one number, though workers store all of them twice at the same time", async () => {
    const { history } = table;
    const nowMs = Date.now();
    const ids = Array.from({ length: 24 }, (_, i) => `m${i}`);
    const batchesOf = (size: number) =>
      Array.from({ length: ids.length / size }, (_, i) => ids.slice(i * size, (i + 1) * size));
    const dependencies = { history, retentionMs, generation: 0, now: Date.now, random: Math.random };
    const store = async (batch: string[]): Promise<[string, Appended][]> => {
      const messages = batch.map((id) => ({
        stored: { id, body: `body of ${id}` },
        sentAtMs: nowMs,
        copySinceMs: nowMs,
      }));
      const appended = await append(key, messages, dependencies, AbortSignal.timeout(20_000));
      return messages.map((message) => [message.stored.id, appended.get(message) as Appended]);
    };
    const batches = [...batchesOf(2), ...batchesOf(3)];
    const work = async (worker: number) => {
      const mine = batches.filter((_, i) => i % WORKERS === worker);
      const stored: [string, Appended][] = [];
      for (const batch of mine) {
        stored.push(...(await store(batch)));
      }
      return stored;
    };
    const given = (await Promise.all(Array.from({ length: WORKERS }, (_, i) => work(i)))).flat();

    const log = (await history.readOn(key, 1, 100)).flatMap(entriesOf);
    expect(log.map(({ seq }) => seq)).to.deep.equal(ids.map((_, i) => i + 1));
    expect(log.map(({ messageId }) => messageId).sort()).to.deep.equal([...ids].sort());
    expect(new Set(log.map(({ epoch }) => epoch)).size).to.equal(1);
    const seqOf = new Map(log.map(({ messageId, seq }) => [messageId, seq]));
    expect(given).to.have.length(48);
    for (const [id, { entry }] of given) expect(entry.seq, id).to.equal(seqOf.get(id));
  });
});
