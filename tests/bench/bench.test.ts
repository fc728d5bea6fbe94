import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";

const repository = resolve(__dirname, "../..");

interface Measurements {
  quick: boolean;
  targets: { what: string; measured: number; met: boolean }[];
  bundles: Record<string, { rawBytes: number; zippedBytes: number; loadMs: object; loadRatio: number }>;
  calls: { batchSize: number; usersPerBatch: number; requests: object; callsBesidePostPerMessage: number }[];
  throughput: { concurrency: number; deliver: object; bare: object; ratio: number };
}

describe("npm run bench", () => {
  let measured: Measurements;

  before(async () => {
    const { stdout } = await promisify(execFile)("npm", ["run", "--silent", "bench", "--", "--quick"], {
      cwd: repository,
    });
    measured = JSON.parse(stdout) as Measurements;
  });

  it("prints one JSON document with every measurement", () => {
    expect(measured).to.include.keys("machine", "targets", "bundles", "calls", "throughput");
    expect(measured.quick).to.equal(true);
    expect(measured.bundles).to.have.all.keys("connect", "disconnect", "deliver");
    for (const bundle of Object.values(measured.bundles)) {
      expect(bundle).to.have.all.keys("rawBytes", "zippedBytes", "loadMs", "loadRatio");
      expect(bundle.loadMs).to.have.all.keys("bundled", "unbundled");
    }
    expect(measured.throughput).to.include({ concurrency: 50 });
    expect(measured.throughput).to.include.keys("deliver", "bare", "ratio");
  });

  it("says of every target whether it is met, without asserting what a busy machine decides", () => {
    expect(measured.targets).to.have.lengthOf(9);
    for (const { what, measured: value, met } of measured.targets) {
      expect(value, what).to.be.above(0);
      expect(met, what).to.be.a("boolean");
    }
  });

  for (const lambda of ["connect", "disconnect", "deliver"]) {
    it(`finds ${lambda}'s archive within 90 kB`, () => {
      expect(measured.bundles[lambda]?.zippedBytes).to.be.within(1, 90_000);
    });
  }

  it("finds one read for a batch of ten, and nothing else beside the POSTs", () => {
    const found = measured.calls.map(({ batchSize, usersPerBatch, callsBesidePostPerMessage }) => ({
      ...{ batchSize, usersPerBatch, callsBesidePostPerMessage },
    }));
    expect(found).to.deep.equal([
      { batchSize: 10, usersPerBatch: 10, callsBesidePostPerMessage: 0.1 },
      { batchSize: 10, usersPerBatch: 1, callsBesidePostPerMessage: 0.1 },
      { batchSize: 1, usersPerBatch: 1, callsBesidePostPerMessage: 1 },
    ]);
  });
});
