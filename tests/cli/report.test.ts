import { expect } from "chai";
import { inFull, deadLetterText } from "../../cli/deadLetters/report";
import { deadLetter } from "./memoryQueue";

describe("a dead letter in full", () => {
  it("has every attribute, even one with the name of a field", () => {
    const values = { user: "42", id: "order-7", reason: "birthday", constructor: "c" };
    const lines = deadLetterText(inFull(deadLetter("a", { values }), false)).split("\n");
    const told = lines
      .map((line) => line.split(/ {2,}/))
      .filter(([name]) => /id$|reason|user|constructor/.test(name ?? ""));
    expect(told).to.deep.equal([
      ["id", "a"],
      ["user", "42"],
      ["attribute id", "order-7"],
      ["attribute reason", "birthday"],
      ["attribute constructor", "c"],
    ]);
  });
});
