import { expect } from "chai";
import { type Faults, RawModel, type RawMistake } from "./rawModel";

const FIRST_SEED = 20_261_129;
const RUNS = 60;

const calm: Faults = { crash: 0, failure: 0, throttled: 0, slowMs: 500, connections: 1 };

const scenarios: Record<string, Faults> = {
  "one client at a time": calm,
  "one client at a time, which is throttled now and then": { ...calm, throttled: 0.2 },
  "several clients at a time": { ...calm, connections: 3 },
  "several clients at a time, which are throttled now and then": { ...calm, throttled: 0.2, connections: 3 },
  "calls that fail": { ...calm, failure: 0.05, throttled: 0.1, connections: 3 },
  "invocations that crash": { ...calm, crash: 0.03, connections: 3 },
  "leases that end too early": { ...calm, slowMs: 40_000, connections: 3 },
  "all of it": { crash: 0.02, failure: 0.03, throttled: 0.1, slowMs: 40_000, connections: 3 },
};

const mistakes: Record<string, { mistake: RawMistake; faults: Faults }> = {
  "a lease that is always free": {
    mistake: (history) => ({
      leaseRaw: async (key, lease, nowMs) => {
        history.log(key).lease = undefined;
        return await history.leaseRaw(key, lease, nowMs);
      },
    }),
    faults: calm,
  },
  "a cursor that moves over what was not accepted": {
    mistake: (history) => ({
      releaseRaw: async (key, owner, to) => {
        const last = history.entries(key).at(-1);
        return await history.releaseRaw(key, owner, last ? { accepted: { epoch: last.epoch, seq: last.seq } } : to);
      },
    }),
    faults: { ...calm, throttled: 0.2 },
  },
  "a cursor that does not move": {
    mistake: (history) => ({ releaseRaw: (key, owner) => history.releaseRaw(key, owner, {}) }),
    faults: calm,
  },
};

async function firstViolation(faults: Faults, mistake?: RawMistake): Promise<string | undefined> {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed++) {
    const violation = await new RawModel(seed, faults, mistake).run();
    if (violation !== undefined) return `seed ${seed}: ${violation}`;
  }
  return undefined;
}

describe("raw clients in replay mode, in random runs", function () {
  this.timeout(120_000);

  for (const [name, faults] of Object.entries(scenarios)) {
    it(`lose no message with ${name}, and get none twice unless an invocation ends early or a connection accepts none`, async () => {
      expect(await firstViolation(faults)).to.equal(undefined);
    });
  }

  for (const [name, { mistake, faults }] of Object.entries(mistakes)) {
    it(`would show ${name}`, async () => {
      expect(await firstViolation(faults, mistake)).to.be.a("string");
    });
  }
});
