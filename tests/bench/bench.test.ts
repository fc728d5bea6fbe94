import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import { ROWS } from "../../bench/measure";
import type { TableRow } from "../../bench/table";
import { ASSUMED } from "../../cli/cost/assumed";
import { repository } from "../support/repository";

interface Percentiles {
  p50: number;
  p99: number;
}

interface Recovery {
  missedMessages: number;
  reconnects: number;
  relay: { firstMissedMs: Percentiles; allMissedMs: Percentiles };
  socketIo: { firstMissedMs: Percentiles; allMissedMs: Percentiles };
}

interface Calls {
  batchSize: number;
  usersPerBatch: number;
  callsBesidePostPerMessage: number;
  posts?: number;
  historyWritesPerMessage?: number;
  historyReadsPerMessage?: number;
}

interface Measurements {
  quick: boolean;
  targets: { what: string; atMost?: number; atLeast?: number; measured: number; met: boolean }[];
  bundles: Record<string, { rawBytes: number; zippedBytes: number; loadMs: object; loadRatio: number }>;
  calls: Calls[];
  replayCalls: Calls[];
  throughput: { concurrency: number; deliver: object; bare: object; ratio: number };
  recovery: { many: Recovery; few: Recovery; notes: string[] };
  sequentialCalls: { calls: number; steps: string[][]; note: string };
  propertyTest: { messages: number; messagesPerSecond: number; faults: Record<string, number> };
  attemptsInAnHour: number;
  notes: string[];
  base?: { commit: string; adapters: string[] };
  table: TableRow[];
  estimates: { what: string; countedUsd: number; estimatedUsd: number }[];
}

/** The line items of a row that is counted. */
interface Bill {
  usd: number;
  items: { what: string; usd: number }[];
  counted: Record<string, Counts>;
}

/** For one message or connection. */
interface Counts {
  invocations: Record<string, number>;
  calls: Record<string, number>;
  historyUnits: { read: number; write: number };
  logBytes: { application: number; platform: number };
}

const bundles = [
  ...["connect", "disconnect", "deliver"],
  ...["connect", "deliver", "resume", "acknowledge", "expire"].map((lambda) => `replay/${lambda}`),
];

describe("npm run bench", () => {
  let measured: Measurements;

  const bench = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "bench", "--", "--quick", ...args], {
      cwd: repository,
      maxBuffer: 16 * 1024 * 1024,
    });
    return JSON.parse(stdout) as Measurements;
  };

  before(async function () {
    // Local runs in each mode, and each measurement of the full bench once.
    this.timeout(480_000);
    measured = await bench("--no-base");
  });

  const rowOf = (what: string) => {
    const row = measured.table.find((each) => each.what === what);
    if (!row) throw new Error(`no row ${what}: ${measured.table.map((each) => each.what)}`);
    return { ...row, bill: row.lineItems.now as Bill };
  };

  it("prints one JSON document with every measurement", () => {
    expect(measured).to.include.keys("machine", "targets", "bundles", "calls", "throughput", "recovery", "table");
    expect(measured.quick).to.equal(true);
    expect(measured.bundles).to.include.all.keys(bundles);
    for (const bundle of Object.values(measured.bundles)) {
      expect(bundle).to.have.all.keys("rawBytes", "zippedBytes", "loadMs", "loadRatio");
      expect(bundle.loadMs).to.have.all.keys("bundled", "unbundled");
    }
    expect(measured.throughput).to.include({ concurrency: 50 });
    expect(measured.throughput).to.include.keys("deliver", "bare", "ratio");
  });

  it("reports for each target whether its measurement is within the limit", () => {
    // Bytes and load time of each bundle; three of deliver, two of replay's deliver, two of recovery.
    expect(measured.targets).to.have.lengthOf(2 * Object.keys(measured.bundles).length + 7);
    for (const { what, atMost = Infinity, atLeast = -Infinity, measured: value, met } of measured.targets) {
      expect(value, what).to.be.at.least(0);
      expect([atMost, atLeast].filter(Number.isFinite), what).to.have.lengthOf(1);
      // Whether a time is within its limit depends on the machine, but `met` must agree.
      expect(met, what).to.equal(value <= atMost && value >= atLeast);
    }
  });

  for (const bundle of bundles) {
    it(`measures an archive of at most 90 kB for ${bundle}`, () => {
      expect(measured.bundles[bundle]?.zippedBytes).to.be.within(1, 90_000);
    });
  }

  it("counts one read per batch of ten, and no other call besides the POSTs", () => {
    const found = measured.calls.map(({ batchSize, usersPerBatch, callsBesidePostPerMessage }) => ({
      batchSize,
      usersPerBatch,
      callsBesidePostPerMessage,
    }));
    expect(found).to.deep.equal([
      { batchSize: 10, usersPerBatch: 10, callsBesidePostPerMessage: 0.1 },
      { batchSize: 10, usersPerBatch: 1, callsBesidePostPerMessage: 0.1 },
      { batchSize: 1, usersPerBatch: 1, callsBesidePostPerMessage: 1 },
    ]);
  });

  it("counts, in replay mode, no more calls for each message in a batch than by itself", () => {
    const perMessage = measured.replayCalls.map(({ callsBesidePostPerMessage }) => callsBesidePostPerMessage);
    expect(measured.replayCalls.map(({ batchSize, usersPerBatch }) => [batchSize, usersPerBatch])).to.deep.equal([
      [10, 10],
      [10, 5],
      [10, 1],
      [1, 1],
    ]);
    expect(perMessage.slice(0, 3)).to.deep.equal([...perMessage.slice(0, 3)].sort((a, b) => b - a));
    expect(Math.max(...perMessage)).to.equal(perMessage[3]);
  });

  it("measures the recovery with the relay and with Socket.IO, where the first message is not later than the last", () => {
    for (const { reconnects, relay, socketIo } of [measured.recovery.many, measured.recovery.few]) {
      expect(reconnects).to.be.above(0);
      for (const { firstMissedMs, allMissedMs } of [relay, socketIo]) {
        expect(firstMissedMs.p50).to.be.within(0, allMissedMs.p50);
        expect(firstMissedMs.p99).to.be.at.least(firstMissedMs.p50);
      }
    }
    expect(measured.recovery.notes).to.not.be.empty;
  });

  it("counts at most four sequential calls between open and the first missed message, the last one its POST", () => {
    const { calls, steps } = measured.sequentialCalls;
    expect(calls).to.be.within(1, 4);
    expect(steps).to.have.lengthOf(calls);
    expect(steps.at(-1)).to.deep.equal(["resume: POST management"]);
  });

  it("runs the property test with faults", () => {
    const { messages, messagesPerSecond, faults } = measured.propertyTest;
    expect(messages).to.equal(5_000);
    expect(messagesPerSecond).to.be.above(0);
    expect(faults).to.not.be.empty;
  });

  it("has every row of the table, each with its figure, its line items and, if it has a target, the verdict on it", () => {
    expect([...new Set(measured.table.map(({ row }) => row))]).to.deep.equal([...ROWS]);
    expect(measured.base).to.equal(undefined);
    for (const { what, now, target, of, met, lineItems } of measured.table) {
      expect(now, what).to.be.at.least(0);
      expect(lineItems.now, what).to.be.an("object");
      const verdict =
        target && of === "now" ? ("atMost" in target ? now <= target.atMost : now >= target.atLeast) : undefined;
      expect(met, what).to.equal(verdict);
    }
    expect(measured.notes).to.not.be.empty;
  });

  it("adds up the line items of each counted row", () => {
    const counted = measured.table.filter(({ unit }) => unit.startsWith("USD per million"));
    expect(counted).to.have.length.of.at.least(9);
    for (const { what, now, lineItems } of counted) {
      const sum = (lineItems.now as Bill).items.reduce((total, { usd }) => total + usd, 0);
      expect(sum, what).to.be.closeTo(now, 0.02);
    }
  });

  it("plays the profile: a delivery for each message, acknowledgements, and the sweeper's work after the retention", () => {
    const { bill } = rowOf("replay, delivered, batch of 1");
    const { messages } = bill.counted;
    expect(messages?.invocations.deliver).to.equal(1);
    expect(messages?.invocations.acknowledge).to.be.within(0.1, 1);
    expect(Object.keys(messages?.calls ?? {}).filter((name) => name.startsWith("expire: "))).to.not.be.empty;
    expect(bill.items.map(({ what }) => what)).to.include.members([
      "API Gateway: messages from clients",
      "DynamoDB: history write units",
      "DynamoDB: GB-months of history",
      "CloudWatch: GB of logs",
    ]);
  });

  it("gives deliver a whole batch of ten: one invocation for ten messages, to ten sessions or to one", () => {
    for (const what of [
      "replay, delivered, batches of 10 to ten sessions, publishBatch",
      "replay, 500 chunks of 20 bytes to one session, publishBatch",
    ]) {
      expect(rowOf(what).bill.counted.messages?.invocations.deliver, what).to.equal(0.1);
    }
  });

  it("counts a failed attempt in retry mode, and the attempts of an hour by the default back-off", () => {
    expect(measured.attemptsInAnHour).to.equal(46);
    const { bill } = rowOf("retry, held for an hour (46 attempts)");
    expect(bill.counted.failedAttempt?.calls).to.include({ "deliver: ChangeMessageVisibilityBatch queue": 1 });
    expect(bill.usd).to.be.above(10 * rowOf("retry, delivered").bill.usd);
    expect(bill.usd).to.be.above(rowOf("replay, held for an hour, ten messages a return").bill.usd);
  });

  it("counts costs within a tenth of the estimate of the command cost, in both modes", () => {
    expect(measured.estimates).to.have.lengthOf(5);
    for (const { what, countedUsd, estimatedUsd } of measured.estimates) {
      expect(estimatedUsd, what).to.be.closeTo(countedUsd, countedUsd * 0.1);
    }
  });

  it("counts log lines within a fifth of what the command cost assumes for an invocation", () => {
    const { messages } = rowOf("replay, delivered, batch of 1").bill.counted;
    const invocations = Object.values(messages?.invocations ?? {}).reduce((sum, count) => sum + count, 0);
    const bytes = (messages?.logBytes.application ?? 0) + (messages?.logBytes.platform ?? 0);
    const assumed = ASSUMED.logKbPerInvocation * 1_024;
    expect(bytes / invocations).to.be.closeTo(assumed, assumed * 0.2);
  });

  it("measures a base commit with the same script, and compares each row with it", async function () {
    this.timeout(120_000);
    const { table, base } = await bench("--only", "client", "--base", "HEAD");
    expect(base?.commit).to.match(/^[0-9a-f]{40}$/);
    expect(table).to.have.lengthOf(1);
    const [{ row, today = 0, now, ratio } = { row: "", now: 0 }] = table;
    expect(row).to.equal("client");
    expect(today).to.be.above(1_000);
    expect(ratio).to.be.closeTo(now / today, 0.001);
  });
});
