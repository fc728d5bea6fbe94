import { expect } from "chai";
import { measureSweeper } from "../../bench/sweeper";

describe("the bench of the history sweeper", () => {
  it("counts the table's calls of a visit: to a session in use, to an idle one, and to one with ten expired messages", async () => {
    const { active, idle, expired } = await measureSweeper(20, 0);
    const calls = [active, idle, expired].map((kind) => [kind.calls, kind.callsOneAfterTheOther]);
    expect(calls).to.deep.equal([
      [5, 4],
      [5, 4],
      [6, 5],
    ]);
    expect(active.visitsPerMinute).to.equal(8 * active.visitsPerMinuteAndShard);
  });
});
