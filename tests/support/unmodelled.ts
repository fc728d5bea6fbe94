interface Unmodelled {
  /** What the engine does instead of what DynamoDB does. CONTRIBUTING.md lists it. */
  reason: string;
  /** What the error of the test says: a test that fails for another reason fails. */
  error: string;
}

const table = "a table";
const items = `${table} has items of up to 400 KB`;
const falseConditions = `${table} holds a condition for false`;

/** By engine and the full title of a test: what the engine does not model, so that the test fails there. */
const unmodelled: Record<string, Record<string, Unmodelled>> = {
  dynalite: {
    [`${table} reads pages of a megabyte in bytes of UTF-8`]: {
      reason: "measures pages of 1 MB in characters",
      error: "to have a length within 3..4",
    },
  },
  moto: {
    [`${items} in bytes of UTF-8`]: {
      reason: "refuses items of more than 405,000 bytes",
      error: "Item size has exceeded",
    },
    [`${items} in bytes of a binary`]: {
      reason: "refuses items of more than 405,000 bytes",
      error: "Item size has exceeded",
    },
    [`${items} where an update replaces most of it`]: {
      reason: "adds an attribute's new value to the item's size, and does not subtract the one that it replaces",
      error: "Item size to update has exceeded",
    },
    [`${table} has keys of tables and indexes none of another type of an index`]: {
      reason: "stores keys of an index that have another type",
      error: "was not refused",
    },
    [`${table} changes nothing where an update fails by another type than it adds to`]: {
      reason: "keeps the first actions of an update that fails",
      error: "to deeply equal",
    },
    [`${table} has numbers of no more digits`]: {
      reason: "stores numbers of more than 38 digits",
      error: "was not refused",
    },
    [`${table} has numbers below 1e126`]: {
      reason: "also stores 1e126",
      error: "was not refused",
    },
    [`${falseConditions} about the size of an attribute that does not exist`]: {
      reason: "ends in an error of its own where a condition has the size of an absent attribute",
      error: "expected 'SyntaxError' to equal",
    },
    [`${falseConditions} that compares a number with a string`]: {
      reason: "ends in an error of its own where a condition compares a number with a string",
      error: "expected 'SyntaxError' to equal",
    },
  },
};

/** What the engines do not model. */
export const unmodelledReasons = Object.values(unmodelled).flatMap((tests) =>
  Object.values(tests).map(({ reason }) => reason),
);

/** Skips tests that the engine cannot pass, with the reason, as long as they fail by it. One that passes fails. */
export function expectUnmodelled(engine: string): void {
  const tests = unmodelled[engine];
  if (!tests) throw new Error(`TABLE_ENGINE: got ${engine}; allowed: ${Object.keys(unmodelled).join(", ")}`);
  before(function () {
    this.test?.parent?.eachTest((test) => {
      const expected = tests[test.fullTitle()];
      if (expected) expectFailure(test, expected, engine);
    });
  });
}

/** Skips the test as long as it fails as expected. */
export function expectFailure(test: Mocha.Test, { reason, error }: Unmodelled, engine: string): void {
  const play = test.fn as Mocha.AsyncFunc | undefined;
  test.fn = async function (this: Mocha.Context) {
    const failure = await Promise.resolve()
      .then(() => play?.call(this))
      .then(
        () => undefined,
        (thrown: Error) => thrown,
      );
    if (!failure)
      throw new Error(
        `passes, but is listed as a test that ${engine} fails because it ${reason}. Fix: remove it from the list`,
      );
    if (!failure.message.includes(error)) throw failure;
    test.title += ` (${engine}: ${reason})`;
    this.skip();
  };
}
