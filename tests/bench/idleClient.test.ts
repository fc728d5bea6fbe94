import { expect } from "chai";
import { measureIdleClient } from "../../bench/idleClient";
import { PINGS_PER_MINUTE } from "../../cli/cost/assumed";

describe("an idle client", () => {
  it("sends the heartbeats that the command cost assumes in replay mode, by its own clock", async () => {
    const { days, pings, connections } = await measureIdleClient(2);
    expect(pings / (days * 24 * 60)).to.be.closeTo(PINGS_PER_MINUTE.replay, PINGS_PER_MINUTE.replay * 0.1);
    // The gateway ends a connection after two hours at most.
    expect(connections).to.be.within(24, 40);
  });

  it("sends the heartbeats that the command cost assumes in retry mode", async () => {
    const { days, pings } = await measureIdleClient(2, "retry");
    expect(pings / (days * 24 * 60)).to.be.closeTo(PINGS_PER_MINUTE.retry, PINGS_PER_MINUTE.retry * 0.1);
  });
});
