import { expect } from "chai";
import { stepsOf } from "../../bench/sequentialCalls";

const call = (operation: string, startMs: number, endMs?: number) => ({
  ...{ by: "resume", service: "table" as const, operation, startMs, endMs },
});

describe("sequential calls", () => {
  const cases: [string, ReturnType<typeof call>[], string[][]][] = [
    ["are none of none", [], []],
    ["are each one where each waits for the one before", [call("A", 0, 5), call("B", 5, 9)], [["A"], ["B"]]],
    ["count once where they overlap", [call("A", 0, 5), call("B", 4, 9)], [["A", "B"]]],
    [
      "wait for the longest of those that were answered before",
      [call("A", 0, 5), call("B", 6, 9), call("C", 0, 20), call("D", 10, 12)],
      [["A", "C"], ["B"], ["D"]],
    ],
    [
      "are taken in order of time, whatever order they are given in",
      [call("B", 5, 9), call("A", 0, 5)],
      [["A"], ["B"]],
    ],
    ["do not wait for unanswered calls", [call("A", 0), call("B", 6, 9)], [["A", "B"]]],
  ];
  for (const [name, calls, expected] of cases) {
    it(name, () => {
      const steps = stepsOf(calls).map((step) => step.map((each) => /: (\w+) /.exec(each)?.[1]));
      expect(steps).to.deep.equal(expected);
    });
  }
});
