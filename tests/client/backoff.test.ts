import { expect } from "chai";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS } from "../../client";
import { fullJitterMs } from "../../client/backoff";

describe("the back-off", () => {
  it("is a random time from 0 to a bound that doubles, up to a cap", () => {
    const bounds = [0, 1, 2, 5, 6, 100].map((failures) =>
      fullJitterMs(failures, () => 1, BACKOFF_BASE_MS, BACKOFF_CAP_MS),
    );
    expect(bounds).to.deep.equal([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
    expect(fullJitterMs(5, () => 0, BACKOFF_BASE_MS, BACKOFF_CAP_MS)).to.equal(0);
    expect(fullJitterMs(5, () => 0.25, BACKOFF_BASE_MS, BACKOFF_CAP_MS)).to.equal(8_000);
  });
});
