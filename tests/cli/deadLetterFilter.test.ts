import { expect } from "chai";
import { summaryOf } from "../../cli/deadLetters/deadLetter";
import { inWords, type DeadLetterFilter, matches } from "../../cli/deadLetters/deadLetterFilter";
import { deadLetter } from "./memoryQueue";

const values = {
  user: "42",
  context: "chat",
  contextId: "7",
  messageId: "own",
  reason: "held-back: no-session",
  attempts: "3",
  originalMessageId: "first",
};
const summary = summaryOf(deadLetter("l1", { values }));

describe("a filter of dead letters", () => {
  const cases: [DeadLetterFilter, boolean][] = [
    [{}, true],
    [{ user: "42" }, true],
    [{ user: "4" }, false],
    [{ context: "chat", contextId: "7" }, true],
    [{ context: "chat", contextId: "8" }, false],
    [{ reason: "held-back" }, true],
    [{ reason: "held-back: no-session" }, true],
    [{ reason: "no-session" }, false],
    [{ reason: "held" }, false],
    [{ reason: "none" }, false],
    [{ messageId: "own" }, true],
    [{ messageId: "first" }, true],
    [{ messageId: "l1" }, true],
    [{ messageId: "other" }, false],
    [{ user: "42", reason: "expired" }, false],
  ];
  for (const [filter, expected] of cases) {
    it(`${expected ? "matches" : "does not match"} a held-back dead letter of user 42 by ${JSON.stringify(filter)}`, () => {
      expect(matches(summary, filter)).to.equal(expected);
    });
  }

  it("finds dead letters without a reason by none", () => {
    const moved = summaryOf(deadLetter("moved", { values: { user: "42", reason: "the backend's own" } }));
    expect(moved.reason).to.equal(undefined);
    expect(matches(moved, { reason: "none" })).to.equal(true);
  });

  it("finds a dead letter for all sessions of a user by its user alone, and one of a context by its context, too", () => {
    const values: Record<string, string>[] = [
      { user: "42", scope: "user" },
      { user: "42", context: "chat", scope: "context" },
    ];
    const [ofUser, ofContext] = values.map((each) => summaryOf(deadLetter("scoped", { values: each })));
    expect([ofUser, ofContext].map((each) => each && matches(each, { user: "42" }))).to.deep.equal([true, true]);
    const byContext = [ofUser, ofContext].map((each) => each && matches(each, { user: "42", context: "chat" }));
    expect(byContext).to.deep.equal([false, true]);
  });

  it("has a text", () => {
    expect(inWords({})).to.equal("every dead letter");
    expect(inWords({ user: "42", reason: "expired" })).to.equal("dead letters of user 42, reason expired");
  });
});
