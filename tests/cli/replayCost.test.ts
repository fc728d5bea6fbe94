import { expect } from "chai";
import { lineItems, usageOf } from "../../cli/cost/estimate";
import { PRICES } from "../../cli/cost/prices";
import type { ReplayUsage, Usage } from "../../cli/cost/usage";
import { awayMessageOf, type Workload } from "../../cli/cost/workload";
import { quiet } from "./quietMonth";

const replay: Workload = { ...quiet, delivery: "replay", messagesPerRetention: Infinity };
/** The queries of the index of due sessions, with and without traffic: eight half units a minute. */
const sweeps = 8 * 0.5 * 43_800;
const sweeperRuns = 8 * 43_800;

describe("the usage of a month in replay mode", () => {
  type Counts = Partial<Omit<Usage, "replay"> & ReplayUsage>;
  const cases: [string, Partial<Workload>, Counts][] = [
    [
      "idle polls and eight sweeps per minute without traffic",
      {},
      {
        ...{ invocations: sweeperRuns, gbSeconds: 0.5 * 0.03 * sweeperRuns, idlePolls: 657_000, logGb: 0 },
        ...{ historyReadUnits: sweeps, historyWriteUnits: 0 },
      },
    ],
    [
      "a segment and an acknowledgement for a message to a connected user",
      { messages: 1_000 },
      {
        ...{ publishes: 1_000, queueRequests: 3_000, deliveries: 1_000, clientFrames: 1_000 },
        ...{ invocations: 2_000 + sweeperRuns, readUnits: 2_000, writeUnits: 0, receipts: 0 },
        // 0.25 KB, and 0.06 KB and 65 % of 1 KB for the message.
        historyWriteUnits: 1_000 + 1_000,
        historyReadUnits: 1_000 + 1_000 * 2 + sweeps,
      },
    ],
    [
      "a tenth of the acknowledgements if each covers ten messages",
      { messages: 1_000, messagesPerAck: 10 },
      { clientFrames: 100, invocations: 1_100 + sweeperRuns, historyWriteUnits: 1_100 },
    ],
    [
      "a tenth of the invocations in batches of ten, and the same segments, if each message is for another user",
      { messages: 1_000, batchSize: 10, usersPerBatch: 10 },
      { queueRequests: 1_200, invocations: 1_100 + sweeperRuns, historyWriteUnits: 2_000, readUnits: 2_000 },
    ],
    [
      "a segment, a frame, and a read of the tail for ten chunks of 20 bytes to one user",
      {
        messages: 1_000,
        batchSize: 10,
        usersPerBatch: 1,
        messageKb: 0.02,
        messagesPerAck: 100,
        messagesPerPublish: 10,
      },
      {
        ...{ publishes: 100, deliveries: 100, historyWriteUnits: 100 + 10, readUnits: 100 + 10 },
        historyReadUnits: 100 + 10 * 2 + sweeps,
      },
    ],
    [
      "writes by the KB of a compressed segment, reads by four, and frames by 32 with the envelope, for 31.9 KB",
      { messages: 1_000, messageKb: 31.9 },
      // 0.31 KB and 65 % of 31.9 KB.
      { deliveries: 2_000, historyWriteUnits: 1_000 * 22 + 1_000, historyReadUnits: 1_000 * 6 + 1_000 * 2 + sweeps },
    ],
    [
      "the visit of the sweeper for each user and retention",
      { messages: 1_000, messagesPerRetention: 10 },
      { historyWriteUnits: 2_000 + 100 * 3, historyReadUnits: 3_000 + 100 * 3.5 + sweeps },
    ],
    [
      "an invocation, a request, a read of the block, and two of the history for a read over HTTP",
      { httpReads: 1_000 },
      {
        ...{
          httpRequests: 1_000,
          invocations: 1_000 + sweeperRuns,
          gbSeconds: 0.5 * (0.05 * 1_000 + 0.03 * sweeperRuns),
        },
        ...{ readUnits: 1_000, writeUnits: 0, historyWriteUnits: 0, historyReadUnits: 2_000 + sweeps },
      },
    ],
    [
      "requests by 512 KB of a page, and reads by four of its segments",
      // A page of 600 envelopes of 1.2 KB, and segments of 0.96 KB.
      { httpReads: 1_000, messagesPerReturn: 600 },
      { httpRequests: 2_000, historyReadUnits: 1_000 * (2 + 143) + sweeps },
    ],
    [
      "one attempt, and a resume, a page, a frame and an acknowledgement for ten messages that wait for a return",
      { messages: 1_000, awayShare: 1, minutesAway: 60, messagesPerReturn: 10 },
      {
        ...{ deliveries: 100, clientFrames: 200, queueRequests: 3_000, invocations: 1_200 + sweeperRuns },
        readUnits: 1_000 + 200 + 100,
        historyWriteUnits: 1_000 + 100,
        // A page of ten segments takes three units: two more than one.
        historyReadUnits: 1_000 + 100 * 3 + 100 * 2 + 100 * 2 + sweeps,
      },
    ],
    [
      "frames of 32 KB for a return to a hundred messages",
      { messages: 1_000, awayShare: 1, minutesAway: 60, messagesPerReturn: 100 },
      { deliveries: 10 * 4, clientFrames: 20 },
    ],
    [
      "no delivery if the user is away for longer than the retention, but a receipt for each message",
      { messages: 1_000, awayShare: 1, minutesAway: 2_000, receipts: true },
      { deliveries: 0, clientFrames: 0, receipts: 1_000, historyWriteUnits: 1_000 },
    ],
    ["a receipt for each acknowledgement", { messages: 1_000, messagesPerAck: 10, receipts: true }, { receipts: 100 }],
    [
      "a resume, its answer and a third invocation for each connection that is opened",
      { connections: 10 },
      {
        // With a marker, which is written with the first connection of a day, and read with each.
        ...{ writeUnits: (3 + 1) * 14_600, readUnits: (5 + 2) * 14_600, invocations: 3 * 14_600 + sweeperRuns },
        ...{ clientFrames: 14_600, deliveries: 14_600, historyReadUnits: 14_600 * 3 + sweeps },
      },
    ],
    [
      "no more resumes than connections if users return with those",
      { connections: 10, messages: 1_000, awayShare: 1, minutesAway: 60 },
      { clientFrames: 14_600 + 1_000, deliveries: 14_600 },
    ],
    [
      "a marker for each session and day if sessions have several connections in a day",
      { connections: 10, connectionsPerDay: 10 },
      { writeUnits: 3.1 * 14_600, readUnits: (5 + 2) * 14_600 },
    ],
    [
      "a frame and an acknowledgement for each of a session's connections, and one move of its cursor",
      { messages: 1_000, connectionsPerSession: 2 },
      {
        ...{ deliveries: 2_000, clientFrames: 2_000, queueRequests: 3_000, invocations: 1_000 + 2_000 + sweeperRuns },
        ...{ historyWriteUnits: 1_000 + 1_000, historyReadUnits: 1_000 + 2_000 * 2 + sweeps },
      },
    ],
    [
      "a receipt for the first acknowledgement of a message",
      { messages: 1_000, connectionsPerSession: 2, receipts: true },
      { receipts: 1_000 },
    ],
    [
      "a row that is written once more by a connection that leaves another one",
      { connections: 10, connectionsPerSession: 2 },
      { writeUnits: (3.5 + 1) * 14_600, readUnits: (4.5 + 1 + 2) * 14_600 },
    ],
    [
      "a return of each of a session's connections",
      { messages: 1_000, awayShare: 1, minutesAway: 60, messagesPerReturn: 10, connectionsPerSession: 2 },
      { deliveries: 200, clientFrames: 400, historyWriteUnits: 1_000 + 100 },
    ],
    [
      "a segment, a frame and an acknowledgement for each session of a scope, and a read of its markers",
      { messages: 1_000, scopedShare: 0.5, sessionsPerScopedMessage: 3 },
      {
        ...{ publishes: 1_000, queueRequests: 3_000, deliveries: 2_000, clientFrames: 2_000 },
        ...{ invocations: 1_000 + 2_000 + sweeperRuns, readUnits: 2_000 + 500 + 2_000 },
        ...{ historyWriteUnits: 2_000 + 2_000, historyReadUnits: 2_000 + 2_000 * 2 + sweeps },
      },
    ],
    [
      "a further unit for the markers of 50 sessions",
      { messages: 1_000, scopedShare: 1, sessionsPerScopedMessage: 50, messagesPerAck: Infinity },
      { readUnits: 50_000 + 2_000 },
    ],
    [
      "a message each, a lease, and no acknowledgement for raw clients",
      { messages: 1_000, rawShare: 1 },
      {
        ...{ deliveries: 1_000, clientFrames: 0, invocations: 1_000 + sweeperRuns, readUnits: 1_000 },
        ...{ historyWriteUnits: 1_000 + 1_000 * 2, historyReadUnits: 1_000 + sweeps, flushRequests: 0 },
      },
    ],
    [
      "messages one by one to raw clients, and a lease for a batch's ten",
      { messages: 1_000, batchSize: 10, usersPerBatch: 1, messageKb: 0.02, rawShare: 1, receipts: true },
      { deliveries: 1_000, historyWriteUnits: 100 + 100 * 2, receipts: 100 },
    ],
    [
      "three queue requests, an invocation and an empty lease for each raw connection that is opened",
      { connections: 10, rawShare: 1 },
      {
        ...{ flushRequests: 3 * 14_600, invocations: 3 * 14_600 + sweeperRuns, deliveries: 0, clientFrames: 0 },
        ...{ readUnits: (5 + 1) * 14_600, historyWriteUnits: 2 * 14_600, historyReadUnits: 14_600 + sweeps },
      },
    ],
    [
      "a flush, a page, and messages one by one for ten messages that wait for a raw client",
      { messages: 1_000, awayShare: 1, minutesAway: 60, messagesPerReturn: 10, rawShare: 1, receipts: true },
      {
        ...{
          deliveries: 1_000,
          flushRequests: 300,
          clientFrames: 0,
          historyWriteUnits: 1_000 + 100 * 2,
          receipts: 100,
        },
        historyReadUnits: 1_000 + 100 + 100 * 2 + sweeps,
      },
    ],
    [
      "resumes of one half and flushes of the other if half of the connections are raw",
      { connections: 10, rawShare: 0.5 },
      { clientFrames: 7_300, flushRequests: 3 * 7_300, invocations: 3 * 14_600 + sweeperRuns },
    ],
    ["idle polls of the queue of flush requests", {}, { flushIdlePolls: 657_000 }],
    ["none of these if raw clients may not connect", { rawClients: false }, { flushIdlePolls: 0 }],
    [
      "a receipt more for messages that wait longer than waitingAfterSeconds, up to ten in a request",
      {
        messages: 1_000,
        awayShare: 0.5,
        minutesAway: 60,
        messagesPerReturn: 20,
        receipts: true,
        waitingAfterSeconds: 60,
      },
      // An acknowledgement of each live message, and of each return; and two publishes for each return.
      { receipts: 500 + 25 + 25 * 2 },
    ],
    [
      "no such receipt if users return earlier",
      { messages: 1_000, awayShare: 1, minutesAway: 1, receipts: true, waitingAfterSeconds: 60 },
      { receipts: 1_000 },
    ],
    [
      "a visit of the sweeper for each user and waitingAfterSeconds",
      { messages: 1_000, messagesPerRetention: 240, receipts: true, waitingAfterSeconds: 3_600 },
      { historyWriteUnits: 2_000 + 100 * 3, historyReadUnits: 3_000 + 100 * 3.5 + sweeps },
    ],
    [
      "storage for the retention of a day and three days more",
      { messages: 30_416_666 },
      { historyGbMonths: ((30_416_666 * (0.25 + 0.06 + 0.65 + 0.1)) / 1024 ** 2) * ((4 * 1_440) / 43_800) },
    ],
    [
      "storage for a retention of 14 days and a quarter more",
      { messages: 30_416_666, historyRetentionSeconds: 14 * 86_400 },
      { historyGbMonths: ((30_416_666 * (0.25 + 0.06 + 0.65 + 0.1)) / 1024 ** 2) * ((17.5 * 1_440) / 43_800) },
    ],
    ["a topic's GB if it is FIFO", { messages: 1_048_576, ordering: "strict" }, { publishedGb: 1 }],
  ];
  for (const [name, workload, expected] of cases) {
    it(`is ${name}`, () => {
      const { replay: ofReplay, ...usage } = usageOf({ ...replay, ...workload });
      const counts = { ...usage, ...ofReplay };
      for (const [key, value] of Object.entries(expected)) {
        expect(counts[key as keyof typeof counts], key).to.be.closeTo(value, 1e-6);
      }
    });
  }
});

describe("a message that waits in the history", () => {
  for (const [minutesAway, becomes] of [
    [60, "delivered"],
    [1_439, "delivered"],
    [1_440, "expired"],
  ] as const) {
    it(`is ${becomes} after one attempt if the user is away for ${minutesAway} minutes`, () => {
      expect(awayMessageOf({ ...replay, minutesAway })).to.deep.equal({ attempts: 1, becomes });
    });
  }
});

describe("the bill of a relay in replay mode", () => {
  const billOf = (workload: Partial<Workload>) => {
    const month = { ...replay, messages: 1_000_000, ...workload };
    const items = lineItems(usageOf(month), month, { metrics: 0, alarms: 0, dashboards: 0 }, PRICES);
    return (service: string, what: string) => items.find((item) => item.service === service && item.what === what)?.usd;
  };

  it("has the history and the frames from clients", () => {
    const usd = billOf({});
    expect(usd("DynamoDB", "history write units")).to.be.closeTo(2 * 0.625, 0.001);
    expect(usd("DynamoDB", "history read units")).to.be.closeTo((3 + sweeps / 1e6) * 0.125, 0.001);
    expect(usd("DynamoDB", "GB-months of history")).to.be.above(0);
    expect(usd("API Gateway", "messages from clients")).to.equal(1);
    expect(usd("SNS", "receipts")).to.equal(undefined);
  });

  it("has receipts if there are any", () => {
    expect(billOf({ receipts: true })("SNS", "receipts")).to.equal(0.5);
  });

  it("has the queue of flush requests, at the price of a standard queue, unless raw clients may not connect", () => {
    const usd = billOf({ connections: 10, rawShare: 1, ordering: "strict" });
    expect(usd("SQS", "flush requests")).to.be.closeTo(0.0438 * 0.4, 1e-9);
    expect(usd("SQS", "idle polls for flush requests")).to.be.closeTo(0.657 * 0.4, 1e-9);
    expect(billOf({ rawClients: false })("SQS", "flush requests")).to.equal(undefined);
    expect(billOf({ rawClients: false })("SQS", "idle polls for flush requests")).to.equal(undefined);
  });

  it("has neither of them in retry mode", () => {
    const usd = billOf({ delivery: "retry" });
    expect(usd("DynamoDB", "history write units")).to.equal(undefined);
    expect(usd("API Gateway", "messages from clients")).to.equal(undefined);
    expect(usd("SQS", "flush requests")).to.equal(undefined);
  });

  it("has FIFO's prices instead of fair queues' in strict order", () => {
    const [standard, strict] = [billOf({}), billOf({ ordering: "strict" })];
    expect(standard("SQS", "requests")).to.be.closeTo(1.2, 1e-9);
    expect(standard("SQS", "fair queue")).to.be.closeTo(0.3, 1e-9);
    expect(strict("SQS", "requests")).to.be.closeTo(1.5, 1e-9);
    expect(strict("SQS", "fair queue")).to.equal(undefined);
    expect(standard("SNS", "publishes")).to.equal(0.5);
    expect(strict("SNS", "publishes")).to.be.closeTo(0.3, 1e-9);
    expect(strict("SNS", "deliveries to the queue (FIFO)")).to.be.closeTo(0.01, 1e-9);
    expect(strict("SNS", "GB published (FIFO)")).to.be.closeTo((1e6 / 1024 ** 2) * 0.017, 1e-9);
    expect(strict("SNS", "GB delivered (FIFO)")).to.be.closeTo((1e6 / 1024 ** 2) * 0.001, 1e-9);
    expect(strict("SQS", "idle polls")).to.be.closeTo(0.657 * 0.5, 1e-9);
  });

  it("has a formula for every item", () => {
    const month: Workload = { ...replay, receipts: true, ordering: "strict" };
    for (const { formula, what } of lineItems(
      usageOf(month),
      month,
      { metrics: 1, alarms: 1, dashboards: 1 },
      PRICES,
    )) {
      expect(formula, what).to.not.equal("");
    }
  });
});
