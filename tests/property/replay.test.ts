import { expect } from "chai";
import { FAULT_KINDS } from "../support/property/faults";
import { MISTAKES } from "../support/property/mistakes";
import { runProperty } from "../support/property/run";

/**
 * A run that fails names its seed. To look into it alone, with what the functions log:
 *
 *     PROPERTY_SEED=20261234 PROPERTY_LOG=1 npx mocha tests/property/replay.test.ts -g "loses none"
 *
 * Another volume: PROPERTY_MESSAGES=1000000. In a process that has run Pulumi's programs it takes ten times as long: `npm test`
 * gives it one of its own.
 */
const { PROPERTY_SEED, PROPERTY_MESSAGES } = process.env;
const FIRST_SEED = Number(PROPERTY_SEED ?? 20_261_125);
const MESSAGES = PROPERTY_SEED === undefined ? Number(PROPERTY_MESSAGES ?? 100_000) : 500;

/** Within which each mistake is found; most are within a few hundred. */
const MESSAGES_OF_A_MISTAKE = 60_000;

describe("replay, whatever goes wrong", function () {
  it(`loses none of ${MESSAGES} messages, shows none twice, and all in order`, async function () {
    this.timeout(600_000);
    const result = await runProperty({ messages: MESSAGES, seed: FIRST_SEED });
    console.log(JSON.stringify(result));
    expect(result.messages).to.equal(MESSAGES);
    if (PROPERTY_SEED !== undefined) return;
    // What never happens proves nothing.
    expect(FAULT_KINDS.filter((kind) => result.faults[kind] === 0)).to.deep.equal([]);
    expect(Object.entries(result.fates).filter(([, count]) => count === 0)).to.deep.equal([]);
  });

  for (const [name, mistake] of Object.entries(MISTAKES)) {
    it(`would not pass with ${name}`, async () => {
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
