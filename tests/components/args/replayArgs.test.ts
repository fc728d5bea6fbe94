import { expect } from "chai";
import { resolveArgs } from "../../../components/args/args";
import { itRefuses } from "./argsProblem";
import { auth } from "../../support/relayRun";

describe("the arguments of replay mode", () => {
  const replay = { delivery: "replay" } as const;

  it("have the defaults of retry mode", () => {
    expect(resolveArgs({ auth })).to.deep.include({
      delivery: "retry",
      historyRetentionSeconds: 86_400,
      historyGeneration: 0,
      deadLetterExpired: false,
      receipts: false,
      rawClients: true,
      ordering: "standard",
      httpRead: false,
    });
    expect(resolveArgs({ auth })).not.to.have.property("waitingAfterSeconds");
  });

  it("have defaults in replay mode: a day of history, clients of both kinds, and nothing that costs more", () => {
    expect(resolveArgs({ auth, ...replay })).to.deep.include({
      delivery: "replay",
      historyRetentionSeconds: 86_400,
      historyGeneration: 0,
      deadLetterExpired: false,
      receipts: false,
      rawClients: true,
      ordering: "standard",
      httpRead: false,
    });
    expect(resolveArgs({ auth, ...replay })).not.to.have.property("waitingAfterSeconds");
  });

  it("are accepted in retry mode with their defaults, which the stack config always has", () => {
    const defaults = { historyRetentionSeconds: 86_400, historyGeneration: 0, deadLetterExpired: false } as const;
    const others = { receipts: false, rawClients: true, ordering: "standard", httpRead: false } as const;
    expect(resolveArgs({ auth, ...defaults, ...others })).to.deep.equal(resolveArgs({ auth }));
  });

  it("take a history from five minutes, where messages are not retried for longer, to 14 days", () => {
    const few = { ...replay, maxAttempts: 5 };
    for (const historyRetentionSeconds of [300, 1_209_600]) {
      expect(resolveArgs({ auth, ...few, historyRetentionSeconds })).to.include({ historyRetentionSeconds });
    }
  });

  it("take a history that is just longer than the longest retry window", () => {
    expect(resolveArgs({ auth, ...replay, historyRetentionSeconds: 7_207 })).to.include(replay);
  });

  it("take strict ordering with the longest batch that a FIFO queue gives", () => {
    expect(resolveArgs({ auth, ...replay, ordering: "strict", batchSize: 10 })).to.include({ ordering: "strict" });
  });

  it("take a waiting time that is shorter than the history, with receipts", () => {
    const receipts = { ...replay, receipts: true, historyRetentionSeconds: 7_207 };
    for (const waitingAfterSeconds of [30, 7_206]) {
      expect(resolveArgs({ auth, ...receipts, waitingAfterSeconds })).to.include({ waitingAfterSeconds });
    }
  });

  it("take clients of one kind only", () => {
    expect(resolveArgs({ auth, ...replay, rawClients: false })).to.include({ rawClients: false });
  });

  const only = ["only where delivery is", 'set delivery to "replay"'];
  itRefuses([
    ["another delivery", { delivery: "push" }, "delivery", ['"push"', '"retry" or "replay"']],
    ["a delivery that is no text", { delivery: true }, "delivery", ["got true"]],
    ["a history without replay", { historyRetentionSeconds: 3_600 }, "historyRetentionSeconds", ["got 3600", ...only]],
    ["a generation without replay", { historyGeneration: 1 }, "historyGeneration", ["got 1", ...only]],
    ["a negative generation", { ...replay, historyGeneration: -1 }, "historyGeneration", ["got -1", "0 to 1000000"]],
    ["dead letters of the expired without replay", { deadLetterExpired: true }, "deadLetterExpired", only],
    ["receipts without replay", { receipts: true }, "receipts", only],
    ["a waiting time without replay", { waitingAfterSeconds: 60 }, "waitingAfterSeconds", ["got 60", ...only]],
    [
      "a waiting time without receipts",
      { ...replay, waitingAfterSeconds: 60 },
      "waitingAfterSeconds",
      ["got 60", "only with receipts", "set receipts to true, or leave it out"],
    ],
    [
      "a waiting time as long as the history",
      { ...replay, receipts: true, historyRetentionSeconds: 7_207, waitingAfterSeconds: 7_207 },
      "waitingAfterSeconds",
      ["got 7207", "below historyRetentionSeconds (7207)", "lower it, or raise historyRetentionSeconds"],
    ],
    [
      "too short a waiting time",
      { ...replay, receipts: true, waitingAfterSeconds: 29 },
      "waitingAfterSeconds",
      ["got 29", "30 to 86400", "leave it out"],
    ],
    ["raw clients without replay", { rawClients: false }, "rawClients", ["got false", ...only]],
    ["raw clients that are no boolean", { ...replay, rawClients: "no" }, "rawClients", ['"no"', "true or false"]],
    ["reading over HTTP without replay", { httpRead: true }, "httpRead", ["got true", ...only]],
    [
      "a limit of an HTTP API that there is not",
      { ...replay, httpReadThrottlingRateLimit: 9 },
      "httpReadThrottlingRateLimit",
      ["got 9", "only with httpRead", "set httpRead to true, or leave httpReadThrottlingRateLimit out"],
    ],
    [
      "a limit of an HTTP API without replay",
      { httpReadThrottlingBurstLimit: 9 },
      "httpReadThrottlingBurstLimit",
      ["got 9", ...only],
    ],
    ["strict ordering without replay", { ordering: "strict" }, "ordering", [...only, "hold back all later messages"]],
    [
      "too short a history",
      { ...replay, maxAttempts: 5, historyRetentionSeconds: 299 },
      "historyRetentionSeconds",
      ["got 299", "300 to 1209600", "86400"],
    ],
    [
      "too long a history",
      { ...replay, historyRetentionSeconds: 1_209_601 },
      "historyRetentionSeconds",
      ["1209601", "1209600"],
    ],
    ["half a second", { ...replay, historyRetentionSeconds: 86_400.5 }, "historyRetentionSeconds", ["whole number"]],
    [
      "a history that forgets a message while it is retried",
      { ...replay, historyRetentionSeconds: 7_206 },
      "historyRetentionSeconds",
      ["got 7206", "7206 s", "be delivered twice"],
    ],
    ["a boolean in quotes", { ...replay, deadLetterExpired: "true" }, "deadLetterExpired", ['"true"']],
    ["receipts that are no boolean", { ...replay, receipts: "sns" }, "receipts", ['"sns"', "true or false"]],
    ["another ordering", { ...replay, ordering: "fifo" }, "ordering", ['"fifo"', '"standard" or "strict"']],
    [
      "a batch over 10 with strict ordering",
      { ...replay, ordering: "strict", batchSize: 11, maximumBatchingWindowInSeconds: 1 },
      "batchSize",
      ["got 11", "10 at most", "FIFO"],
    ],
    [
      "a batching window with strict ordering",
      { ...replay, ordering: "strict", maximumBatchingWindowInSeconds: 1 },
      "maximumBatchingWindowInSeconds",
      ["got 1", "FIFO"],
    ],
  ]);
});
