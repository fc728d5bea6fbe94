import { expect } from "chai";
import { Command } from "commander";
import type { Cli } from "../../cli/cli";
import { addCostCommand } from "../../cli/cost/commands";
import { lineItems, usageOf } from "../../cli/cost/estimate";
import { totalUsd } from "../../cli/cost/lineItem";
import { addCostOptions, readCostOptions } from "../../cli/cost/options";
import { PRICES } from "../../cli/cost/prices";
import type { Usage } from "../../cli/cost/usage";
import { awayMessageOf, type Workload } from "../../cli/cost/workload";
import { resolveArgs } from "../../components/args/args";
import { spec } from "../../components/args/spec";
import { WebsocketRelay } from "../../components";
import { record } from "../support/recorder";
import { quiet } from "./quietMonth";

describe("the usage of a month", () => {
  const cases: [string, Partial<Workload>, Partial<Omit<Usage, "replay">>][] = [
    ["only idle polls without traffic", {}, { deliveries: 0, queueRequests: 0, invocations: 0, idlePolls: 657_000 }],
    [
      "a publish, three queue requests, an invocation, a read and a delivery for a message to a connected user",
      { messages: 1_000 },
      {
        publishes: 1_000,
        queueRequests: 3_000,
        invocations: 1_000,
        gbSeconds: 20,
        readUnits: 1_000,
        deliveries: 1_000,
      },
    ],
    [
      "a tenth of the receives, deletions and invocations in batches of ten",
      { messages: 1_000, batchSize: 10 },
      { queueRequests: 1_200, invocations: 100, gbSeconds: 2, readUnits: 1_000, deliveries: 1_000 },
    ],
    [
      "four deliveries, two publishes, and two units of each queue request but the deletion, for 100 KB",
      { messages: 1_000, messageKb: 100 },
      { deliveries: 4_000, publishes: 2_000, queueRequests: 5_000 },
    ],
    [
      "four increments for the batch of ten that is received, and two for each of its messages, of 70 KB",
      { messages: 1_000, messageKb: 70, batchSize: 10 },
      { queueRequests: 2_000 + 100 * (11 + 1) },
    ],
    [
      // Back-off 2, 4, 8: on average 2, 3, 6 s, so that the fourth attempt is 11 s after the first.
      "an invocation, a read and two queue requests more for each further attempt",
      { messages: 1_000, awayShare: 0.5, minutesAway: 10 / 60 },
      { deliveries: 1_000, invocations: 2_500, readUnits: 2_500, queueRequests: 1_000 + 2 * 2_500 },
    ],
    [
      "every attempt and another send, and no delivery, for a message that is dead-lettered",
      { messages: 1_000, awayShare: 1, minutesAway: 600, maxAttempts: 10 },
      { deliveries: 0, invocations: 10_000, readUnits: 10_000, queueRequests: 2_000 + 2 * 10_000 },
    ],
    [
      "writes, reads and two invocations for each connection that is opened, every half hour",
      { connections: 10 },
      { connectionMinutes: 438_000, invocations: 2 * 14_600, writeUnits: 3 * 14_600, readUnits: 4 * 14_600 },
    ],
    [
      "a tenth of the publishes if ten messages are published in a request",
      { messages: 1_000, messagesPerPublish: 10 },
      { publishes: 100, queueRequests: 3_000, deliveries: 1_000 },
    ],
    [
      "publishes by 64 KB of a request's messages together",
      { messages: 1_000, messagesPerPublish: 10, messageKb: 10 },
      { publishes: 200 },
    ],
    [
      "a delivery for each of a session's connections, and no further read or request",
      { messages: 1_000, connectionsPerSession: 2 },
      { deliveries: 2_000, readUnits: 1_000, queueRequests: 3_000, invocations: 1_000 },
    ],
    [
      "a delivery to the first connection that is back for a message that waited",
      { messages: 1_000, awayShare: 0.5, minutesAway: 10 / 60, connectionsPerSession: 2 },
      { deliveries: 500 * 2 + 500 },
    ],
    [
      "a row that is written once more by a connection that leaves another one",
      { connections: 10, connectionsPerSession: 2 },
      { writeUnits: 3.5 * 14_600, readUnits: 4.5 * 14_600 },
    ],
    [
      "two units for each write of a row with ten connections",
      { connections: 10, connectionsPerSession: 10 },
      { writeUnits: (1 + 2 * 2.9) * 14_600, readUnits: 4.9 * 14_600 },
    ],
    [
      "a delivery and a read for each session of a scope, and a query for them, and no further request",
      { messages: 1_000, scopedShare: 0.5, sessionsPerScopedMessage: 3 },
      { deliveries: 2_000, readUnits: 2_000 + 500, queueRequests: 3_000, invocations: 1_000 },
    ],
    [
      "a query of as many units as the rows of a scope's sessions have",
      { messages: 1_000, scopedShare: 1, sessionsPerScopedMessage: 50 },
      // 50 rows of 0.38 KB.
      { deliveries: 50_000, readUnits: 50_000 + 1_000 * 5 },
    ],
    [
      "one read for each attempt of a scoped message to a user who is away",
      { messages: 1_000, awayShare: 1, minutesAway: 600, maxAttempts: 10, scopedShare: 1, sessionsPerScopedMessage: 3 },
      { deliveries: 0, readUnits: 10_000 },
    ],
    ["two messages for each ping", { connections: 10, heartbeatSeconds: 120 }, { pings: 438_000 }],
  ];
  for (const [name, workload, expected] of cases) {
    it(`is ${name}`, () => {
      const usage = usageOf({ ...quiet, ...workload });
      for (const [key, value] of Object.entries(expected)) {
        expect(usage[key as keyof Omit<Usage, "replay">], key).to.be.closeTo(value, 1e-6);
      }
    });
  }
});

describe("a message to a user who is away", () => {
  const cases: [minutesAway: number, maxAttempts: number, attempts: number, becomes: string][] = [
    [0, 66, 1, "delivered"],
    [1 / 60, 66, 2, "delivered"],
    [2 / 60, 66, 2, "delivered"],
    [3 / 60, 66, 3, "delivered"],
    // 2, 3, 6, 12, 24, 48 s, then 39 times 90 s.
    [60, 66, 46, "delivered"],
    [600, 66, 66, "dead-lettered"],
    [1, 1, 1, "dead-lettered"],
  ];
  for (const [minutesAway, maxAttempts, attempts, becomes] of cases) {
    it(`is ${becomes} at attempt ${attempts} of ${maxAttempts} if the user is away for ${minutesAway} minutes`, () => {
      expect(awayMessageOf({ ...quiet, minutesAway, maxAttempts })).to.deep.equal({ attempts, becomes });
    });
  }
});

describe("the bill", () => {
  const items = lineItems(
    usageOf({ ...quiet, messages: 1_000_000, connections: 1_000, heartbeatSeconds: 60 }),
    quiet,
    { metrics: 10, alarms: 10, dashboards: 1 },
    PRICES,
  );
  const usd = (service: string, what: string) =>
    items.find((item) => item.service === service && item.what === what)?.usd;

  it("is each count at its price", () => {
    expect(usd("API Gateway", "messages to clients")).to.equal(1);
    expect(usd("API Gateway", "pings and pongs")).to.be.closeTo(87.6, 1e-9);
    expect(usd("API Gateway", "connection minutes")).to.be.closeTo(10.95, 1e-9);
    expect(usd("SNS", "publishes")).to.equal(0.5);
    expect(usd("SQS", "requests")).to.be.closeTo(1.2, 1e-9);
    expect(usd("SQS", "idle polls")).to.be.closeTo(0.2628, 1e-9);
    expect(usd("DynamoDB", "write units")).to.be.closeTo((1_460_000 * 3 * 0.625) / 1e6, 1e-9);
    expect(usd("CloudWatch", "metrics")).to.equal(3);
    expect(usd("CloudWatch", "alarms")).to.equal(1);
    expect(usd("CloudWatch", "dashboards")).to.equal(3);
    for (const { count, price, per, usd } of items) expect(usd).to.equal((count / per) * price);
  });

  it("adds up to the total, and has a formula for every item", () => {
    expect(totalUsd(items)).to.be.closeTo(
      items.reduce((sum, { count, price, per }) => sum + (count / per) * price, 0),
      1e-9,
    );
    for (const { formula, what } of items) expect(formula, what).not.to.equal("");
  });

  it("has prices with a region and a date", () => {
    expect(PRICES.region).to.equal("us-east-1");
    expect(PRICES.asOf).to.match(/^\d{4}-\d{2}-\d{2}$/);
  });
});

describe("the defaults of cost", () => {
  it("are the component's own", () => {
    const program = new Command();
    addCostCommand(program, {} as Cli);
    const options = program.commands[0]?.opts() as Record<string, unknown>;
    const resolved = resolveArgs({ auth: { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } } });
    expect(options).to.include({
      maxAttempts: resolved.maxAttempts,
      backoffMinSeconds: resolved.backoff.minSeconds,
      backoffMaxSeconds: resolved.backoff.maxSeconds,
      delivery: resolved.delivery,
      receipts: resolved.receipts,
      rawClients: spec.rawClients.default,
      historyRetentionSeconds: resolved.historyRetentionSeconds,
      ordering: resolved.ordering,
    });
  });

  const optionsOf = (...args: string[]) => {
    const command = new Command();
    addCostOptions(command);
    return readCostOptions(command.parse(["--messages", "1000", ...args], { from: "user" }));
  };

  for (const [name, given, message] of [
    [
      "raw clients that may not connect",
      ["--no-raw-clients", "--raw-share", "0.5"],
      "--raw-share: got 0.5; allowed: 0 with --no-raw-clients. Fix: leave one of the two out",
    ],
    [
      "receipts of waiting messages without receipts",
      ["--waiting-after-seconds", "60"],
      "--waiting-after-seconds: got 60; allowed: only with --receipts. Fix: add --receipts",
    ],
  ] as const) {
    it(`refuse ${name}`, () => {
      expect(() => optionsOf("--delivery", "replay", ...given)).to.throw(message);
    });
  }

  for (const given of [["--no-raw-clients"], ["--raw-share", "0.5"], ["--connections-per-day", "2"]]) {
    it(`refuse ${given[0]} in retry mode`, () => {
      expect(() => optionsOf(...given))
        .to.throw(`${given[0]}: got`)
        .with.property("message")
        .that.includes("--delivery replay");
    });
  }

  it("have the limits of connections and sessions", () => {
    expect(optionsOf("--connections-per-session", "10", "--sessions-per-scoped-message", "50")).to.include({
      connectionsPerSession: 10,
      sessionsPerScopedMessage: 50,
    });
  });

  it("have an acknowledgement for the messages of a connection, with all that a session's connections get", () => {
    const replay = ["--delivery", "replay", "--away-share", "0", "--connections", "10", "--messages", "292000"];
    const scoped = ["--scoped-share", "0.5", "--sessions-per-scoped-message", "3"];
    expect(optionsOf(...replay, "--connections-per-session", "2", ...scoped).messagesPerAck).to.equal(80);
  });

  it("have the client library's heartbeats of the mode, unless they are given", () => {
    expect(optionsOf().heartbeatSeconds).to.equal(30);
    expect(optionsOf("--delivery", "replay").heartbeatSeconds).to.equal(240);
    expect(optionsOf("--heartbeat-seconds", "0").heartbeatSeconds).to.equal(0);
  });

  it("have another user for each message of a batch, unless the number of users is given", () => {
    const replay = ["--delivery", "replay", "--batch-size", "10"];
    expect(optionsOf(...replay).usersPerBatch).to.equal(10);
    expect(optionsOf(...replay, "--users-per-batch", "1").usersPerBatch).to.equal(1);
  });

  it("have one acknowledgement for the messages of a connection, or for each message with receipts", () => {
    const replay = ["--delivery", "replay", "--away-share", "0"];
    expect(optionsOf(...replay).messagesPerAck).to.equal(10);
    // 14,600 connections of half an hour in a month, for 1,000 or for 292,000 messages.
    expect(optionsOf(...replay, "--connections", "10").messagesPerAck).to.equal(1);
    expect(optionsOf(...replay, "--connections", "10", "--messages", "292000").messagesPerAck).to.equal(20);
    expect(optionsOf(...replay, "--receipts").messagesPerAck).to.equal(1);
    expect(optionsOf(...replay, "--messages-per-ack", "7").messagesPerAck).to.equal(7);
  });

  for (const delivery of ["retry", "replay"] as const) {
    it(`count the metrics of the component's alarms in ${delivery} mode`, async () => {
      const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };
      const { registrations, errors } = await record(() => new WebsocketRelay("relay", { auth, delivery }));
      expect(errors).to.deep.equal([]);
      const metrics = registrations
        .filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm")
        .flatMap(({ inputs }) => {
          const { metricQueries } = inputs as { metricQueries?: { metric?: object }[] };
          return metricQueries?.filter(({ metric }) => metric !== undefined) ?? [inputs];
        });

      const alarmsOf = (...args: string[]) => {
        const command = new Command();
        addCostOptions(command);
        return readCostOptions(command.parse(["--messages", "1", "--delivery", delivery, ...args], { from: "user" }))
          .alarms;
      };
      expect(alarmsOf()).to.equal(metrics.length);
      expect(alarmsOf("--alarms", "3")).to.equal(3);
      if (delivery === "replay") expect(alarmsOf("--http-reads", "1")).to.equal(metrics.length + 2);
    });
  }

  for (const key of [
    "maxAttempts",
    "backoffMinSeconds",
    "backoffMaxSeconds",
    "historyRetentionSeconds",
    "waitingAfterSeconds",
  ] as const) {
    it(`have the component's range of ${key}`, () => {
      const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      const { min, max } = spec[key];
      const parse = (value: number) => {
        const program = new Command();
        addCostOptions(program);
        const quietly = program.exitOverride().configureOutput({ writeErr: () => undefined });
        return quietly.parse(["--messages", "1", flag, String(value)], { from: "user" }).opts()[key] as number;
      };
      expect([min, max].map(parse)).to.deep.equal([min, max]);
      for (const value of [min - 1, max + 1])
        expect(() => parse(value)).to.throw(`from ${min.toLocaleString("en-US")} to`);
    });
  }
});
