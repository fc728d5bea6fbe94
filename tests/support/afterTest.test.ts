import { expect } from "chai";
import { runAll } from "./afterTest";
import { refusal } from "./refusal";

describe("the clean-ups after a test", () => {
  it("all run, and fail with the first error", async () => {
    const ran: string[] = [];
    const step = (name: string, error?: Error) => async () => {
      await Promise.resolve();
      ran.push(name);
      if (error) throw error;
    };
    const error = await refusal(runAll([step("a"), step("b", new Error("first")), step("c", new Error("second"))]));
    expect(error.message).to.equal("first");
    expect(ran).to.deep.equal(["a", "b", "c"]);
  });
});
