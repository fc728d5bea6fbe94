import { expect } from "chai";
import { summaryOf } from "../../cli/deadLetters/deadLetter";
import { deadLetterTable, deadLetterText, inFull } from "../../cli/deadLetters/report";
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

describe("a table of dead letters", () => {
  it("shows * for what a scope leaves open, and - for what is missing", () => {
    const scoped: Record<string, string>[] = [
      { user: "42", scope: "user" },
      { user: "43", context: "chat", scope: "context" },
      { user: "44" },
    ];
    const summaries = scoped.map((values, index) => summaryOf(deadLetter(`l${index}`, { values })));
    const rows = deadLetterTable(summaries).split("\n").slice(1);
    expect(rows.map((row) => row.split(/ {2,}/).slice(1, 4))).to.deep.equal([
      ["42", "*", "*"],
      ["43", "chat", "*"],
      ["44", "-", "-"],
    ]);
  });
});
