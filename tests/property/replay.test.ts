import { expect } from "chai";
import { FAULT_KINDS } from "../support/property/faults";
import { MISTAKES } from "../support/property/mistakes";
import { runProperty } from "../support/property/run";

/**
 * A run that fails names its seed. To run it alone, and print what its functions log:
 *
 *     PROPERTY_SEED=20261234 PROPERTY_LOG=1 npx mocha tests/property/replay.test.ts -g "loses none"
 *
 * For another volume, set PROPERTY_MESSAGES=1000000. In a process that has run Pulumi programs, the test takes ten times as
 * long: `npm test` runs it in a process of its own.
 */
const { PROPERTY_SEED, PROPERTY_MESSAGES } = process.env;
const FIRST_SEED = Number(PROPERTY_SEED ?? 20_261_125);
const MESSAGES = PROPERTY_SEED === undefined ? Number(PROPERTY_MESSAGES ?? 100_000) : 500;

/** Enough to detect each mistake; a few hundred messages detect most. */
const MESSAGES_OF_A_MISTAKE = 60_000;

describe("replay, whatever goes wrong", function () {
  it(`loses none of ${MESSAGES} messages, shows none twice, and all in order`, async function () {
    this.timeout(600_000);
    const result = await runProperty({ messages: MESSAGES, seed: FIRST_SEED });
    console.log(JSON.stringify(result));
    expect(result.messages).to.equal(MESSAGES);
    if (PROPERTY_SEED !== undefined) return;
    // A fault that never happens is not tested.
    expect(FAULT_KINDS.filter((kind) => result.faults[kind] === 0)).to.deep.equal([]);
    expect(result.joined).to.be.above(0);
    expect(Object.entries(result.fates).filter(([, count]) => count === 0)).to.deep.equal([]);
  });

  for (const [name, mistake] of Object.entries(MISTAKES)) {
    it(`would not pass with ${name}`, async function () {
      this.timeout(300_000);
      const error = await runProperty({ messages: MESSAGES_OF_A_MISTAKE, seed: FIRST_SEED, mistake }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error)
        .to.be.an("error")
        .that.has.property("message")
        .that.matches(/^seed \d+ .*Violation/s);
    });
  }
});
