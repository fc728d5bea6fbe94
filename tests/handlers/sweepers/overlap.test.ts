import { expect } from "chai";
import { historyShard } from "../../../handlers/history/historyKey";
import { REPORT_GRACE_MS } from "../../../handlers/history/retention";
import { METRICS } from "../../../handlers/metrics";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { historySweeper } from "../../../handlers/sweepers/historySweeper";
import { sessionSweeper } from "../../../handlers/sweepers/sessionSweeper";
import { MemoryQueue, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { invocation } from "../../support/events";
import { Interleaving } from "../../support/interleaving";
import { MemoryHistory } from "../../support/memoryHistory";
import { MemoryTable } from "../../support/memoryTable";
import { segmentOf } from "./segments";

const RUNS = 100;
/** EventBridge may send an event twice, and a late run may overlap with the next one. */
const SWEEPS = 3;
const seeds = Array.from({ length: RUNS }, (_, index) => index + 1);

/** Runs so many sweeps at the same time, every call of each being a step that may come at any time. */
async function sweepAtOnce(steps: Interleaving, sweep: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < SWEEPS; i++) steps.start(async () => void (await sweep()));
  await steps.finish();
}

describe("session sweeps at the same time", () => {
  it(`close each connection and count it once, and leave what a single one leaves (${RUNS} random runs)`, async () => {
    for (const seed of seeds) {
      const steps = new Interleaving(seed, { chance: 0, ms: 0 });
      const { now } = steps;
      const table = new MemoryTable();
      const open = new Set<string>();
      const closed: string[] = [];
      const connection = (index: number, more: Partial<Session> = {}) => {
        const own = { connectionId: `c${index}`, connectedAt: now - 600_000, expirationDate: now / 1000 + 9_000 };
        const ending = { tokenExpiresAt: Math.floor(now / 1000), ...more };
        const key = { callerId: `user#${index % 5}`, context: "chat#7" };
        table.put({ ...key, ...own, ...ending }, "all");
        table.putLookup({ ...own, ...ending, session: key });
        open.add(own.connectionId);
      };
      for (let index = 0; index < 10; index++) connection(index);
      // Another one of the first user, whose token holds.
      connection(10, { tokenExpiresAt: Math.floor(now / 1000) + 3_600 });
      table.beforeCall = () => steps.turn();
      const metrics = new RecordedMetrics();
      const handle = sessionSweeper({
        index: table,
        lookups: table.lookups,
        sessions: table,
        connections: {
          close: async (connectionId) => {
            await steps.turn();
            if (!open.delete(connectionId)) return "gone";
            closed.push(connectionId);
            return "closed";
          },
        },
        metrics,
        log: new RecordedLog(),
        now: () => now,
      });
      const results: Awaited<ReturnType<typeof handle>>[] = [];
      await sweepAtOnce(steps, async () => results.push(await handle({}, invocation(60_000))));

      expect(closed.toSorted(), `seed ${seed}`).to.deep.equal(Array.from({ length: 10 }, (_, index) => `c${index}`));
      expect(metrics.flushes.flat().filter(({ name }) => name === METRICS.sessionsEnded)).to.have.length(10);
      expect(results.map(({ failed }) => failed)).to.deep.equal([0, 0, 0]);
      expect(results.reduce((sum, { ended }) => sum + ended, 0)).to.equal(10);
      expect([table.connectionIds(), [...table.lookupItems.keys()]]).to.deep.equal([["c10"], ["c10"]]);
    }
  });
});

describe("history sweeps at the same time", () => {
  const retentionMs = 3_600_000;
  const sessions = Array.from({ length: 40 }, (_, index) => ({ callerId: `user#${index}`, context: "chat#7" }));
  const shard = historyShard(sessions[0] ?? expect.fail());
  const keys = sessions.filter((key) => historyShard(key) === shard);

  function setUp(steps: Interleaving) {
    const [history, queue, metrics] = [new MemoryHistory(), new MemoryQueue(), new RecordedMetrics()];
    const published: string[] = [];
    const handle = historySweeper({
      history,
      receipts: {
        wanted: true,
        publish: async (receipts) => {
          await steps.turn();
          published.push(...receipts.map(({ user, status, seq }) => `${user} ${status} ${seq}`));
        },
      },
      deadLetters: queue,
      metrics,
      log: new RecordedLog(),
      retentionMs,
      now: () => steps.now,
    });
    return {
      history,
      queue,
      metrics,
      published,
      sweep: () => handle({ shard: Number(shard) }, invocation(50_000)),
      store: async () => {
        for (const key of keys) {
          await history.put(key, segmentOf(1, 3, steps.now - retentionMs - REPORT_GRACE_MS, retentionMs));
        }
        history.beforeCall = () => steps.turn();
      },
      /** What the sweeps have left of each session. */
      left: () => keys.map((key) => ({ segments: history.segments(key), cursor: history.log(key).cursor })),
    };
  }

  it(`report each message at least once and at most once each, and leave what a single one leaves (${RUNS} random runs)`, async () => {
    expect(keys.length).to.be.greaterThan(2);
    const expected = keys.flatMap(({ callerId }) => [1, 2, 3].map((seq) => `${callerId.slice(5)} expired ${seq}`));
    let repeated = 0;
    for (const seed of seeds) {
      const steps = new Interleaving(seed, { chance: 0, ms: 0 });
      const [alone, several] = [setUp(steps), setUp(steps)];
      await alone.store();
      await several.store();
      const failed: number[] = [];
      await sweepAtOnce(steps, async () => failed.push((await several.sweep()).failed));

      expect(failed, `seed ${seed}`).to.deep.equal([0, 0, 0]);
      const counts = expected.map((each) => several.published.filter((other) => other === each).length);
      expect(new Set(several.published)).to.deep.equal(new Set(expected));
      expect(Math.max(...counts)).to.be.at.most(SWEEPS);
      expect(several.queue.deadLetters).to.have.length(several.published.length);
      const metric = several.metrics.flushes.flat().filter(({ name }) => name === METRICS.expired);
      expect(metric).to.have.length(several.published.length);
      if (several.published.length > expected.length) repeated += 1;

      steps.start(async () => {
        await alone.sweep();
        const before = several.published.length;
        expect(await several.sweep()).to.include({ visited: 0, reported: 0 });
        expect(several.published).to.have.length(before);
      });
      await steps.finish();
      expect(several.left().map(({ cursor }) => cursor)).to.deep.equal(alone.left().map(({ cursor }) => cursor));
      expect(
        several.left().map(({ segments }) => segments.map(({ isMarked, ttlMs }) => [isMarked, ttlMs])),
      ).to.deep.equal(alone.left().map(({ segments }) => segments.map(({ isMarked, ttlMs }) => [isMarked, ttlMs])));
    }
    // As docs/replay.md says of receipts: at least once.
    expect(repeated).to.be.greaterThan(0);
  });
});
