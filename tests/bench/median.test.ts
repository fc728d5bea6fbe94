import { expect } from "chai";
import { median, percentile } from "../../bench/median";

describe("medians and percentiles", () => {
  it("are the middle value, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).to.equal(2);
    expect(median([4, 1, 2, 3])).to.equal(2.5);
  });

  it("are the value that a share of the values does not exceed, by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(hundred, 0.99)).to.equal(99);
    expect(percentile([5, 1], 0.99)).to.equal(5);
    expect(percentile([5], 0.01)).to.equal(5);
  });

  it("throw without a value", () => {
    expect(() => median([])).to.throw("no value was measured");
    expect(() => percentile([], 0.5)).to.throw("no value was measured");
  });
});
