import { expect } from "chai";
import { billOf, usageOfTally } from "../../bench/bill";
import { billedBytes, platformBytes } from "../../bench/logLines";
import type { ServiceCall } from "../../bench/recorder";
import { tallyOf } from "../../bench/tally";

const call = (by: string, operation: string, more: Partial<ServiceCall> = {}): ServiceCall => ({
  by,
  service: "table",
  operation,
  bytes: 100,
  startMs: 0,
  ...more,
});
const units = (table: string, read: number, write: number) => ({ units: { table, read, write } });

const recording = {
  invocations: { deliver: 2, acknowledge: 1, connect: 5 },
  logs: { deliver: { lines: 3, bytes: 900 }, connect: { lines: 5, bytes: 5_000 } },
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
const options = { of: 2, publishRequests: 1, by: ["deliver", "acknowledge"], historyTableName: "history" };

describe("a tally", () => {
  const tally = tallyOf(recording, options);

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

  it("counts the lines of the given functions, and Lambda's own lines of each of their invocations", () => {
    expect(tally.logLines).to.equal(3);
    expect(tally.logBytes).to.deep.equal({ application: 900, platform: 3 * platformBytes("INFO") });
  });

  it("counts no lines of Lambda for a function whose system log level is WARN", () => {
    const { logBytes } = tallyOf(recording, { ...options, levels: { deliver: "WARN" } });
    expect(logBytes.platform).to.equal(platformBytes("INFO"));
  });

  it("scales to the usage of a number of messages, with their publishes and the requests of SNS to the queue", () => {
    const usage = usageOfTally(tally, "replay", 1_000);
    // Two messages were published in one request.
    expect(usage).to.include({ publishes: 500, deliveries: 1_000, queueRequests: 1_000 + 1_500, invocations: 1_500 });
    expect(usage.replay).to.include({ clientFrames: 500, historyWriteUnits: 1_500, historyReadUnits: 500 });
    expect(usage.logGb).to.be.closeTo(((900 + 3 * platformBytes("INFO")) / 1024 ** 3) * 500, 1e-12);
    const unpublished = usageOfTally({ ...tally, publishRequests: 0 }, "retry", 1_000);
    expect(unpublished).to.include({ publishes: 0, queueRequests: 1_500 });
  });

  it("is billed by its parts, each as often as it happens, with what it is made of", () => {
    const [once, thrice] = [billOf("retry", [["message", tally]]), billOf("retry", [["message", tally, 3]])];
    expect(thrice.usd).to.be.closeTo(3 * once.usd, 0.005);
    expect(once.items.reduce((sum, { usd }) => sum + usd, 0)).to.be.closeTo(once.usd, 0.01);
    expect(once.counted).to.have.nested.property("message.calls");
  });
});

describe("the bytes of a log line", () => {
  it("are those of its UTF-8, and 26 for the event", () => {
    expect(billedBytes("é")).to.equal(2 + 26);
  });

  it("are those of the start and the report of an invocation, unless the system log level is WARN", () => {
    expect(platformBytes()).to.equal(platformBytes("INFO"));
    expect(platformBytes("INFO")).to.be.within(300, 600);
    expect(platformBytes("WARN")).to.equal(0);
  });
});
