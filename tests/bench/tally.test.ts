import { expect } from "chai";
import type { ServiceCall } from "../../bench/recorder";
import { tallyOf, usageOfTally } from "../../bench/tally";

const call = (by: string, operation: string, more: Partial<ServiceCall> = {}): ServiceCall => ({
  by,
  service: "table",
  operation,
  bytes: 100,
  startMs: 0,
  ...more,
});
const units = (table: string, read: number, write: number) => ({ units: { table, read, write } });

describe("a tally", () => {
  const recording = {
    invocations: { deliver: 2, acknowledge: 1, connect: 5 },
    calls: [
      call("deliver", "Query", units("history", 1, 0)),
      call("deliver", "PutItem", units("history", 0, 3)),
      call("deliver", "BatchGetItem", units("sessions", 2, 0)),
      call("deliver", "POST", { service: "management", bytes: 40 * 1024 }),
      call("deliver", "GET", { service: "management" }),
      call("deliver", "DeleteMessageBatch", { service: "messaging" }),
      call("deliver", "ReceiveMessage", { service: "messaging" }),
      call("connect", "PutItem", units("sessions", 0, 7)),
    ],
  };
  const tally = tallyOf(recording, 2, ["deliver", "acknowledge"], "history");

  it("counts the given functions, with history and sessions apart, without empty polls", () => {
    expect(tally.invocations).to.deep.equal({ deliver: 2, acknowledge: 1 });
    expect(tally.historyUnits).to.deep.equal({ read: 1, write: 3 });
    expect(tally.sessionUnits).to.deep.equal({ read: 2, write: 0 });
    expect(tally.calls).to.include({ "deliver: ReceiveMessage queue": 2, "deliver: PutItem history": 1 });
  });

  it("counts frames by 32 KB, and a batch's requests to the queue", () => {
    expect(tally.framesToClients).to.equal(2);
    expect(tally.queueRequests).to.equal(2 + 1);
  });

  it("scales to the usage of a number of messages, with their publishes and the requests of SNS to the queue", () => {
    const usage = usageOfTally(tally, "replay", 1_000, 1);
    expect(usage).to.include({ publishes: 1_000, deliveries: 1_000, queueRequests: 1_000 + 1_500, invocations: 1_500 });
    expect(usage.replay).to.include({ clientFrames: 500, historyWriteUnits: 1_500, historyReadUnits: 500 });
    expect(usageOfTally(tally, "retry", 1_000, 0)).to.include({ publishes: 0, queueRequests: 1_500 });
  });
});
