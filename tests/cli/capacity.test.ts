import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Command } from "commander";
import { SECONDS_BETWEEN_ACKS } from "../../cli/capacity/assumed";
import { ceilingsOf } from "../../cli/capacity/ceilings";
import { type Fleet, type Load, loadOf } from "../../cli/capacity/load";
import { addCapacityOptions, readCapacityOptions } from "../../cli/capacity/options";
import { planOf } from "../../cli/capacity/plan";
import { increaseCommand, quotaNeedsOf } from "../../cli/capacity/quotaNeeds";
import { LIMITS } from "../../cli/capacity/quotas";
import { roundedUp, settingsOf } from "../../cli/capacity/settings";
import type { Workload } from "../../cli/cost/workload";
import { spec } from "../../components/args/spec";
import { ackSeconds } from "../../components/functions/ackSeconds";
import { repository } from "../support/repository";
import { quiet as quietMonth } from "./quietMonth";

const busy: Fleet = {
  clients: 30_000,
  messagesPerSecond: 100,
  reconnectSeconds: 60,
  httpReadsPerSecond: 0,
};
const quiet: Workload = { ...quietMonth, heartbeatSeconds: 30 };
const replay: Workload = { ...quiet, delivery: "replay", messagesPerRetention: Infinity };

describe("the load of a fleet", () => {
  type Expected = Partial<Omit<Load, "concurrency"> & Load["concurrency"]>;
  const cases: [string, Partial<Fleet>, Workload, Expected][] = [
    [
      "has a heartbeat of each client in its interval, a handshake and an end of each connection, and a post of each message",
      {},
      quiet,
      {
        ...{ heartbeats: 1_000, handshakes: 500, disconnects: 500, posts: 100, requests: 1_000 + 2 * 500 + 100 },
        ...{ publishedMessages: 100, resumes: 0, acknowledgements: 0, historyWriteUnits: 0, waitingMessages: 0 },
      },
    ],
    [
      "has the table units of cost: three writes and four reads of a connection, and a read of a message",
      {},
      quiet,
      { sessionWriteUnits: 3 * 500, sessionReadUnits: 4 * 500 + 100 },
    ],
    [
      "has executions for as long as a function runs, and the cold starts of a reconnect",
      {},
      quiet,
      {
        ...{ connect: 500 * 0.56, disconnect: 500 * 0.53, deliver: 100 * 0.04, resume: 0 },
        concurrentExecutions: 280 + 265 + 4,
      },
    ],
    [
      "has requests to the HTTP API, of which each is one to API Gateway, and their executions and reads",
      { httpReadsPerSecond: 200, messagesPerSecond: 0 },
      replay,
      {
        ...{ httpReads: 200, requests: 1_000 + 2 * 500 + 2 * 500 + 200, read: 200 * 0.05 },
        sessionReadUnits: (4 + 1 + 2) * 500 + 200,
      },
    ],
    ["starts at most one environment for each client", { clients: 10, reconnectSeconds: 0.01 }, quiet, { connect: 10 }],
    [
      "has an execution for each ten invocations, which an account allows a second",
      { clients: 1, reconnectSeconds: 1_800, messagesPerSecond: 5_000 },
      quiet,
      { deliver: 200, concurrentExecutions: 500 + 2 / 1_800 / 10 },
    ],
    [
      "has a tenth of the invocations of deliver in batches of ten",
      {},
      { ...quiet, batchSize: 10 },
      { deliver: 0.4, posts: 100 },
    ],
    [
      "has the handshakes of connections that end, if they are more than those of the reconnect",
      { reconnectSeconds: 3_600 },
      { ...quiet, connectionMinutes: 1 },
      { handshakes: 500 },
    ],
    [
      "has each further attempt for users who are away, and their messages in the queue for as long",
      {},
      { ...quiet, awayShare: 0.5, minutesAway: 10 / 60 },
      // Four attempts within ten seconds.
      { deliver: (50 + 50 * 4) * 0.04, waitingMessages: 100 * 0.5 * 10 },
    ],
    [
      "has them in the queue until the last attempt at most",
      {},
      { ...quiet, awayShare: 0.5, minutesAway: 600, maxAttempts: 3 },
      { waitingMessages: 100 * 0.5 * (2 + 4) },
    ],
    [
      "has a resume of each connection in replay mode, its answer, and an acknowledgement of each message",
      {},
      replay,
      {
        ...{ resumes: 500, acknowledgements: 100, posts: 100 + 500, requests: 1_000 + 2 * 500 + 500 + 100 + 600 },
        // A segment and an acknowledgement; with its marker, a connection has one more of each.
        ...{ historyWriteUnits: 200, sessionWriteUnits: 4 * 500, resume: 500 * 0.55, acknowledge: 100 * 0.03 },
        waitingMessages: 0,
      },
    ],
    [
      "has no more acknowledgements than clients send in five seconds",
      { clients: 50, reconnectSeconds: 10 },
      replay,
      { acknowledgements: 10 },
    ],
    [
      "has flushes of raw clients in place of resumes and acknowledgements",
      {},
      { ...replay, rawShare: 1 },
      { resumes: 0, acknowledgements: 0, flush: 500 * 0.55 },
    ],
    ["has no heartbeat of clients that send none", {}, quietMonth, { heartbeats: 0, requests: 2 * 500 + 100 }],
    ["has a receipt for each message", {}, { ...replay, receipts: true }, { publishedMessages: 200 }],
  ];
  for (const [what, fleet, workload, expected] of cases) {
    it(what, () => {
      const { concurrency, ...load } = loadOf({ ...busy, ...fleet }, workload);
      const counts: Record<string, number> = { ...load, ...concurrency };
      for (const [key, count] of Object.entries(expected)) expect(counts[key], key).to.be.closeTo(count, 1e-6);
    });
  }

  it("has the interval of acknowledgements that the relay announces with receipts", () => {
    const args = { receiptsTopic: {} as never, deadLetterExpired: false, historyRetentionSeconds: 86_400 };
    expect(ackSeconds(args)).to.equal(SECONDS_BETWEEN_ACKS);
  });
});

const idle = loadOf({ ...busy, clients: 1, messagesPerSecond: 0, reconnectSeconds: 3_600 }, quiet);
const withDeliver = (deliver: number): Load => ({ ...idle, concurrency: { ...idle.concurrency, deliver } });

describe("the arguments that a load needs", () => {
  const changed = (load: Load, delivery: "retry" | "replay" = "replay", region = "us-east-1") =>
    Object.fromEntries(
      settingsOf(load, region, delivery)
        .filter(({ value, byDefault }) => value !== byDefault)
        .map(({ key, value }) => [key, value]),
    );
  const cases: [string, Load, Record<string, number>, ("retry" | "replay")?, string?][] = [
    ["are the defaults for a load that fits them", { ...idle, handshakes: 400, heartbeats: 1_600 }, {}],
    [
      "are a rate and a burst of handshakes, without headroom",
      { ...idle, handshakes: 1_000 },
      { connectThrottlingRateLimit: 1_000, connectThrottlingBurstLimit: 1_000 },
    ],
    [
      "are none of their own for resumes that the limits of handshakes cover",
      { ...idle, handshakes: 1_000, resumes: 1_000 },
      { connectThrottlingRateLimit: 1_000, connectThrottlingBurstLimit: 1_000 },
    ],
    [
      "are those of resumes that are more than the handshakes",
      { ...idle, resumes: 1_001 },
      { resumeThrottlingRateLimit: 1_100, resumeThrottlingBurstLimit: 1_100 },
    ],
    ["have none of frames in retry mode", { ...idle, resumes: 1_000, acknowledgements: 1_000 }, {}, "retry"],
    [
      "are those of acknowledgements, with headroom",
      { ...idle, acknowledgements: 4_000 },
      { acknowledgeThrottlingRateLimit: 5_000, acknowledgeThrottlingBurstLimit: 5_000 },
    ],
    [
      "are those of heartbeats, with headroom and no higher burst than an account's",
      { ...idle, heartbeats: 33_333.3 },
      { pingThrottlingRateLimit: 42_000, pingThrottlingBurstLimit: 5_000 },
    ],
    [
      "have a lower burst of heartbeats than the default where the region allows no more",
      idle,
      { pingThrottlingBurstLimit: 1_250 },
      "replay",
      "eu-central-2",
    ],
    ["are the invocations of deliver, with headroom", withDeliver(80), { maximumConcurrency: 100 }],
    ["are no more invocations of deliver than a mapping allows", withDeliver(900), { maximumConcurrency: 1_000 }],
    [
      "are in the range that the relay accepts",
      { ...idle, heartbeats: 1e7 },
      { pingThrottlingRateLimit: spec.pingThrottlingRateLimit.max, pingThrottlingBurstLimit: 5_000 },
    ],
  ];
  for (const [what, load, expected, delivery, region] of cases) {
    it(what, () => {
      expect(changed(load, delivery, region)).to.deep.equal(expected);
    });
  }

  it("have a formula each, and are arguments of the relay", () => {
    for (const { key, formula } of settingsOf(idle, "us-east-1", "replay")) {
      expect(spec).to.have.property(key);
      expect(formula, key).not.to.equal("");
    }
  });

  const roundings: [number, number][] = [
    [0, 0],
    [0.2, 1],
    [7, 7],
    [99, 99],
    [101, 110],
    [1_250, 1_300],
    [10_000, 10_000],
    [41_666.7, 42_000],
  ];
  for (const [value, rounded] of roundings) {
    it(`round ${value} up to ${rounded}`, () => {
      expect(roundedUp(value)).to.equal(rounded);
    });
  }
});

describe("the quotas that a load needs", () => {
  const raised = (load: Load, region = "us-east-1", ordering: "standard" | "strict" = "standard") =>
    Object.fromEntries(
      quotaNeedsOf(load, region, ordering).flatMap(({ quotaCode, raiseTo }) =>
        raiseTo === undefined ? [] : [[quotaCode, raiseTo]],
      ),
    );
  const cases: [string, Partial<Load>, Record<string, number>, string?, ("standard" | "strict")?][] = [
    ["are the defaults for a load that fits them", { requests: 8_000, handshakes: 500 }, {}],
    ["are the requests of all APIs, with headroom", { requests: 8_001 }, { "L-8A5B8E43": 11_000 }],
    ["are a quarter of the requests in some regions", { requests: 2_001 }, { "L-8A5B8E43": 2_600 }, "eu-south-1"],
    ["are the new connections, without headroom", { handshakes: 501 }, { "L-9ED1E49A": 510 }],
    ["are the concurrent executions", { concurrentExecutions: 900 }, { "L-B99A9384": 1_200 }],
    ["are the published messages", { publishedMessages: 25_000 }, { "L-F8E2BA85": 32_000 }],
    ["are fewer of them in other regions", { publishedMessages: 1_201 }, { "L-F8E2BA85": 1_600 }, "eu-central-1"],
    ["are the fewest of them in the others", { publishedMessages: 241 }, { "L-F8E2BA85": 310 }, "eu-north-1"],
    ["are more of them with strict order", { publishedMessages: 2_400 }, {}, "eu-north-1", "strict"],
    [
      "are the units of the larger table",
      { sessionWriteUnits: 1, historyWriteUnits: 40_000 },
      { "L-AB614373": 50_000 },
    ],
    ["are the read units of a table", { sessionReadUnits: 40_000, historyReadUnits: 1 }, { "L-CF0CBE56": 50_000 }],
  ];
  for (const [what, load, expected, region, ordering] of cases) {
    it(what, () => {
      expect(raised({ ...idle, ...load }, region, ordering)).to.deep.equal(expected);
    });
  }

  it("are asked for by a command of the AWS CLI", () => {
    const [need] = quotaNeedsOf({ ...idle, requests: 20_000 }, "eu-west-1", "standard");
    expect(need && increaseCommand(need, "eu-west-1")).to.equal(
      "aws service-quotas request-service-quota-increase --region eu-west-1 --service-code apigateway " +
        "--quota-code L-8A5B8E43 --desired-value 25000",
    );
  });

  it("have a source each", () => {
    for (const { source, name } of quotaNeedsOf(idle, "us-east-1", "standard")) {
      expect(source, name).to.match(/^https:\/\/docs\.aws\.amazon\.com\//);
    }
  });
});

describe("the limits that no quota raises", () => {
  const over = (load: Load, mode: Pick<Workload, "delivery" | "ordering">) =>
    ceilingsOf(load, mode)
      .filter(({ load: at = 0, limit }) => at > limit)
      .map(({ what }) => what);
  const retryMode = { delivery: "retry", ordering: "standard" } as const;
  const replayMode = { delivery: "replay", ordering: "standard" } as const;

  const cases: [string, Load, Pick<Workload, "delivery" | "ordering">, RegExp[]][] = [
    ["are not reached by a small load", idle, retryMode, []],
    [
      "are reached by heartbeats that the limits of a route cannot allow",
      { ...idle, heartbeats: 80_001 },
      retryMode,
      [/^requests to one route/],
    ],
    ["are reached by invocations of deliver", withDeliver(801), retryMode, [/^invocations of deliver/]],
    [
      "are reached by messages that wait",
      { ...idle, waitingMessages: 120_001 },
      retryMode,
      [/wait in the retry queue/],
    ],
    [
      "are reached by reads and writes of a new table together",
      { ...idle, sessionWriteUnits: 2_001, sessionReadUnits: 6_000 },
      retryMode,
      [/new session table/],
    ],
    ["are reached by a new history table", { ...idle, historyWriteUnits: 4_001 }, replayMode, [/new history table/]],
  ];
  for (const [what, load, mode, expected] of cases) {
    it(what, () => {
      const found = over(load, mode);
      expect(found).to.have.lengthOf(expected.length);
      for (const [index, pattern] of expected.entries()) expect(found[index]).to.match(pattern);
    });
  }

  it("have the queue's only in retry mode, the history's only in replay mode, and a group's only with strict order", () => {
    const names = (mode: Pick<Workload, "delivery" | "ordering">) =>
      ceilingsOf(idle, mode)
        .map(({ what }) => what)
        .join();
    expect(names(retryMode))
      .to.match(/retry queue/)
      .and.not.match(/history|strict/);
    expect(names(replayMode))
      .to.match(/history/)
      .and.not.match(/retry queue|strict/);
    expect(names({ ...replayMode, ordering: "strict" })).to.match(/strict order/);
  });

  it("are the highest that the relay's own arguments and alarms allow", () => {
    expect(spec.maximumConcurrency.max).to.equal(LIMITS.maximumConcurrency);
    expect(spec.alarms.keys.invisibleMessages.max).to.equal(LIMITS.messagesInFlight - 1);
  });
});

const optionsOf = (...args: string[]) => {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addCapacityOptions(command);
  return readCapacityOptions(
    command.parse(["--clients", "100000", "--messages-per-second", "10", ...args], { from: "user" }),
  );
};

describe("the options of capacity", () => {
  it("have the client library's heartbeats, and a reconnect as fast as an account's new connections allow", () => {
    expect(optionsOf().traffic).to.include({ heartbeatSeconds: 30 });
    expect(optionsOf("--delivery", "replay").traffic).to.include({ heartbeatSeconds: 240 });
    expect(optionsOf().fleet).to.include({ reconnectSeconds: 200 });
    expect(optionsOf("--clients", "10").fleet).to.include({ reconnectSeconds: 10 });
  });

  it("take the bill's messages and connections from the busiest moment, unless they are given", () => {
    expect(optionsOf("--heartbeat-seconds", "60").traffic).to.include({
      ...{ messages: 10 * 730 * 3_600, connections: 100_000, heartbeatSeconds: 60 },
    });
    const given = optionsOf("--messages", "7", "--connections", "8");
    expect(given.traffic).to.include({ messages: 7, connections: 8 });
    expect(given.fleet).to.include({ messagesPerSecond: 10, clients: 100_000 });
    const reads = ["--delivery", "replay", "--http-reads-per-second", "2"];
    expect(optionsOf(...reads).traffic).to.include({ httpReads: 2 * 730 * 3_600 });
    expect(optionsOf(...reads, "--http-reads", "9").traffic).to.include({ httpReads: 9 });
  });

  for (const [what, args, message] of [
    [
      "more messages in a month than the most per second allows",
      ["--messages", "26280001"],
      /--messages: got 26,280,001; allowed: at most 26,280,000, as --messages-per-second in a month\. Fix: lower it, or raise/,
    ],
    [
      "more connections on average than clients at the most",
      ["--connections", "100001"],
      /--connections: got 100,001; allowed: at most 100,000, as --clients\. Fix: lower it, or raise --clients/,
    ],
    ["a part of a client", ["--clients", "10.5"], /--clients <n>.*'10\.5'.*Allowed: a whole number from 1 to/],
    ["no client", ["--clients", "0"], /--clients <n>.*'0'.*Allowed: a whole number from 1 to/],
    ["a heartbeat after the idle time-out", ["--heartbeat-seconds", "600"], /'600'.*Allowed: a number from 0 to 599/],
    ["a word that is no region", ["--region", "Ireland"], /--region.*'Ireland'.*such as eu-west-1/],
    [
      "more requests to the HTTP API in a month than the most per second allows",
      ["--delivery", "replay", "--http-reads-per-second", "1", "--http-reads", "2628001"],
      /--http-reads: got 2,628,001; allowed: at most 2,628,000, as --http-reads-per-second in a month/,
    ],
    [
      "requests to the HTTP API in retry mode, which has none",
      ["--http-reads-per-second", "1"],
      /--http-reads-per-second: got 1; allowed: only with --delivery replay\. Fix: leave it out/,
    ],
    [
      "an option without effect in retry mode",
      ["--receipts"],
      /--receipts: got true; allowed: only with --delivery replay\. Fix/,
    ],
  ] as const) {
    it(`refuse ${what}`, () => {
      expect(() => optionsOf(...args)).to.throw(message);
    });
  }
});

describe("the table of fleets in the docs", () => {
  const page = readFileSync(join(repository, "docs/capacity-and-cost.md"), "utf8");
  const rows = [...page.matchAll(/^\| +([\d,]+) +\| +[\d,]+ +\| +(?:retry|replay) +\|.*$/gm)].map(([row]) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

  it("has rows", () => {
    expect(rows).to.have.lengthOf(5);
  });

  for (const [clients = "", messages = "", delivery = "", ...figures] of rows) {
    it(`is what the command says of ${clients} clients and ${messages} messages a second in ${delivery} mode`, () => {
      const number = (text: string) => text.replaceAll(",", "");
      const plan = planOf(
        optionsOf("--clients", number(clients), "--messages-per-second", number(messages), "--delivery", delivery),
      );
      const valueOf = (key: string) => plan.settings.find((setting) => setting.key === key)?.value ?? NaN;
      const { requests, concurrentExecutions, sessionWriteUnits, historyWriteUnits } = plan.load;
      expect(figures.map(number).map(Number)).to.deep.equal([
        valueOf("connectThrottlingRateLimit"),
        valueOf("pingThrottlingRateLimit"),
        valueOf("maximumConcurrency"),
        Math.round(requests),
        Math.ceil(concurrentExecutions),
        Math.round(Math.max(sessionWriteUnits, historyWriteUnits)),
        Number(plan.monthlyUsd.toPrecision(2)),
      ]);
    });
  }
});
