import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { refusal } from "./refusal";
import { repository } from "./repository";
import { expectFailure, unmodelledReasons } from "./unmodelled";

/** Plays a test that is expected to fail with "not found"; its title afterwards. */
async function play(test: () => unknown): Promise<string> {
  const expected = { title: "finds it", fn: test } as unknown as Mocha.Test;
  expectFailure(expected, { reason: "forgets things", error: "not found" }, "an engine");
  const skip = () => {
    throw new Error("skipped");
  };
  const played = (expected.fn as () => Promise<void>).call({ skip });
  await played.catch((error: Error) => {
    if (error.message !== "skipped") throw error;
  });
  return expected.title;
}

describe("a test that a table engine cannot pass", () => {
  it("is skipped, with the reason, as long as it fails as expected", async () => {
    expect(await play(() => Promise.reject(new Error("item not found")))).to.equal(
      "finds it (an engine: forgets things)",
    );
    expect(
      await play(() => {
        throw new Error("item not found");
      }),
    ).to.equal("finds it (an engine: forgets things)");
  });

  it("fails where it fails otherwise", async () => {
    expect((await refusal(play(() => Promise.reject(new Error("no connection"))))).message).to.equal("no connection");
  });

  it("fails where it passes", async () => {
    for (const passes of [() => Promise.resolve(), () => undefined]) {
      expect((await refusal(play(passes))).message).to.equal(
        "passes, but is listed as a test that an engine fails because it forgets things. Fix: remove it from the list",
      );
    }
  });
});

describe("CONTRIBUTING.md", () => {
  it("lists what the table engines do not model", () => {
    const text = readFileSync(join(repository, "CONTRIBUTING.md"), "utf8").replace(/\s+/g, " ");
    expect(unmodelledReasons.filter((reason) => !text.includes(reason))).to.deep.equal([]);
  });
});
