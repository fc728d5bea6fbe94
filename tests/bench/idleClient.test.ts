import { expect } from "chai";
import { measureIdleClient } from "../../bench/idleClient";
import { HEARTBEAT_SECONDS } from "../../cli/cost/assumed";

describe("an idle client", () => {
  it("sends the heartbeats that the command cost assumes in replay mode, by its own clock", async () => {
    const { days, pings, connections } = await measureIdleClient(2);
    expect((days * 86_400) / pings).to.be.closeTo(HEARTBEAT_SECONDS.replay, 24);
    // The gateway ends a connection after two hours at most.
    expect(connections).to.be.within(24, 40);
  });

  it("sends the heartbeats that the command cost assumes in retry mode", async () => {
    const { days, pings } = await measureIdleClient(2, "retry");
    expect((days * 86_400) / pings).to.be.closeTo(HEARTBEAT_SECONDS.retry, 3);
  });
});
