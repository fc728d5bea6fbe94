import { expect } from "chai";
import { stepsOf } from "../../bench/sequentialCalls";

const call = (operation: string, startMs: number, endMs?: number) => ({
  by: "resume",
  service: "table" as const,
  operation,
  startMs,
  endMs,
});

describe("sequential calls", () => {
  const cases: [string, ReturnType<typeof call>[], string[][]][] = [
    ["are none without calls", [], []],
    ["count separately if each waits for the previous one", [call("A", 0, 5), call("B", 5, 9)], [["A"], ["B"]]],
    ["count once if they overlap", [call("A", 0, 5), call("B", 4, 9)], [["A", "B"]]],
    [
      "count after the longest chain of the calls answered before",
      [call("A", 0, 5), call("B", 6, 9), call("C", 0, 20), call("D", 10, 12)],
      [["A", "C"], ["B"], ["D"]],
    ],
    ["are sorted by time", [call("B", 5, 9), call("A", 0, 5)], [["A"], ["B"]]],
    ["do not count after unanswered calls", [call("A", 0), call("B", 6, 9)], [["A", "B"]]],
  ];
  for (const [name, calls, expected] of cases) {
    it(name, () => {
      const steps = stepsOf(calls).map((step) => step.map((each) => /: (\w+) /.exec(each)?.[1]));
      expect(steps).to.deep.equal(expected);
    });
  }
});
