import { expect } from "chai";
import { backoffSeconds, retryWindowSeconds } from "../../../handlers/deliver/backoff";

const prod = { minSeconds: 2, maxSeconds: 120 };
const justBelowOne = 1 - Number.EPSILON / 2;

describe("backoff", () => {
  for (const [attempt, shortest, longest] of [
    [1, 1, 2],
    [2, 2, 4],
    [6, 32, 64],
    [7, 60, 120],
    [66, 60, 120],
    [5_000, 60, 120],
  ] as const) {
    it(`waits ${shortest} to ${longest} s after attempt ${attempt}`, () => {
      expect(backoffSeconds(attempt, prod, () => 0)).to.equal(shortest);
      expect(backoffSeconds(attempt, prod, () => justBelowOne)).to.equal(longest);
    });
  }

  it("waits whole seconds, never under half of an odd wait", () => {
    const waits = [0, 0.3, 0.5, 0.7, justBelowOne].map((r) =>
      backoffSeconds(1, { minSeconds: 5, maxSeconds: 5 }, () => r),
    );
    expect(waits).to.deep.equal([3, 3, 4, 5, 5]);
  });

  it("waits exactly one second where that is the maximum", () => {
    expect(backoffSeconds(9, { minSeconds: 1, maxSeconds: 1 }, () => justBelowOne)).to.equal(1);
  });

  for (const [maxAttempts, backoff, window] of [
    [66, prod, { shortest: 3603, longest: 7206 }],
    [10, { minSeconds: 1, maxSeconds: 10 }, { shortest: 1 + 1 + 2 + 4 + 5 * 5, longest: 1 + 2 + 4 + 8 + 5 * 10 }],
    [1, prod, { shortest: 0, longest: 0 }],
    [2, prod, { shortest: 1, longest: 2 }],
  ] as const) {
    it(`retries for ${window.shortest} to ${window.longest} s in ${maxAttempts} attempts`, () => {
      expect(retryWindowSeconds(maxAttempts, backoff)).to.deep.equal(window);
    });
  }
});
