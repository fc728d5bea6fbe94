import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Bill } from "../../bench/cost";
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

type Costs = Record<"perMillionDelivered" | "perMillionHeldForAnHour" | "perMillionConnections", Bill>;

interface Measurements {
  quick: boolean;
  targets: { what: string; atMost?: number; atLeast?: number; measured: number; met: boolean }[];
  bundles: Record<string, { rawBytes: number; zippedBytes: number; loadMs: object; loadRatio: number }>;
  calls: Calls[];
  replayCalls: Calls[];
  throughput: { concurrency: number; deliver: object; bare: object; ratio: number };
  replayThroughput: { replay: object; retry: object; ratio: number };
  recovery: { many: Recovery; few: Recovery; notes: string[] };
  sequentialCalls: { calls: number; steps: string[][]; note: string };
  propertyTest: { messages: number; messagesPerSecond: number; faults: Record<string, number> };
  cost: { attemptsInAnHour: number; notes: string[]; retry: Costs; replay: Costs };
}

const bundles = [
  ...["connect", "disconnect", "deliver"],
  ...["connect", "deliver", "resume", "acknowledge", "expire"].map((lambda) => `replay/${lambda}`),
];

describe("npm run bench", () => {
  let measured: Measurements;

  before(async function () {
    // Three local runs, and each measurement of the full bench once.
    this.timeout(240_000);
    const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "bench", "--", "--quick"], {
      cwd: repository,
      maxBuffer: 16 * 1024 * 1024,
    });
    measured = JSON.parse(stdout) as Measurements;
  });

  it("prints one JSON document with every measurement", () => {
    expect(measured).to.include.keys("machine", "targets", "bundles", "calls", "throughput", "recovery", "cost");
    expect(measured.quick).to.equal(true);
    expect(measured.bundles).to.include.all.keys(bundles);
    for (const bundle of Object.values(measured.bundles)) {
      expect(bundle).to.have.all.keys("rawBytes", "zippedBytes", "loadMs", "loadRatio");
      expect(bundle.loadMs).to.have.all.keys("bundled", "unbundled");
    }
    expect(measured.throughput).to.include({ concurrency: 50 });
    expect(measured.throughput).to.include.keys("deliver", "bare", "ratio");
    expect(measured.replayThroughput).to.include.keys("replay", "retry", "ratio");
  });

  it("reports for each target whether its measurement is within the limit", () => {
    // Bytes and load time of each bundle; three of deliver, two of replay's deliver, two of recovery.
    expect(measured.targets).to.have.lengthOf(2 * Object.keys(measured.bundles).length + 7);
    for (const { what, atMost = Infinity, atLeast = -Infinity, measured: value, met } of measured.targets) {
      expect(value, what).to.be.above(0);
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

  it("counts, in replay mode, two writes per message, a read of the history per session, and one of the sessions per batch", () => {
    const found = measured.replayCalls.map((each) => [
      ...[each.batchSize, each.usersPerBatch, each.callsBesidePostPerMessage],
      ...[each.historyWritesPerMessage, each.historyReadsPerMessage],
    ]);
    expect(found).to.deep.equal([
      [10, 10, 3.1, 2, 1],
      [10, 5, 2.6, 2, 0.5],
      [10, 1, 2.2, 2, 0.1],
      [1, 1, 4, 2, 1],
    ]);
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

  it("counts costs close to the estimate of the command cost, in both modes", () => {
    const { retry, replay, attemptsInAnHour } = measured.cost;
    expect(attemptsInAnHour).to.equal(46);
    for (const [mode, tolerance] of [
      [retry, 0.05],
      [replay, 0.1],
    ] as const) {
      for (const { usd, estimatedUsd } of [mode.perMillionDelivered, mode.perMillionHeldForAnHour]) {
        expect(usd).to.be.closeTo(estimatedUsd as number, usd * tolerance);
      }
      expect(mode.perMillionConnections.usd).to.be.above(0);
    }
    expect(replay.perMillionHeldForAnHour.usd).to.be.below(retry.perMillionHeldForAnHour.usd);
  });
});
