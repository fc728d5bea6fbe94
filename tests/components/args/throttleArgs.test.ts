import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import type { Throttles } from "../../../components/args/throttleArgs";
import { auth } from "../../support/relayRun";

const limits = (throttlingRateLimit: number, throttlingBurstLimit: number) => ({
  throttlingRateLimit,
  throttlingBurstLimit,
});

describe("the throttles of a route", () => {
  const cases: [what: string, args: Partial<WebsocketRelayArgs>, expected: Partial<Throttles>][] = [
    [
      "are an account's limit of new connections by default, and heartbeats of 60,000 clients",
      {},
      {
        connect: limits(500, 500),
        disconnect: limits(500, 500),
        resume: limits(500, 500),
        acknowledge: limits(500, 500),
        other: limits(500, 500),
        httpRead: limits(500, 500),
        ping: limits(2_000, 4_000),
      },
    ],
    [
      "are those of the stage where the route has none of its own, but for heartbeats",
      { throttlingRateLimit: 50, throttlingBurstLimit: 60 },
      {
        connect: limits(50, 60),
        disconnect: limits(50, 60),
        resume: limits(50, 60),
        acknowledge: limits(50, 60),
        other: limits(50, 60),
        ping: limits(2_000, 4_000),
      },
    ],
    [
      "follow those of handshakes for the end of a connection and its resume, and for nothing else",
      { connectThrottlingRateLimit: 2_000, connectThrottlingBurstLimit: 3_000 },
      {
        connect: limits(2_000, 3_000),
        disconnect: limits(2_000, 3_000),
        resume: limits(2_000, 3_000),
        acknowledge: limits(500, 500),
        other: limits(500, 500),
      },
    ],
    [
      "are never lower for the end of a connection than those of handshakes or of the stage, each limit for itself",
      { connectThrottlingRateLimit: 20, connectThrottlingBurstLimit: 900 },
      { connect: limits(20, 900), disconnect: limits(500, 900), resume: limits(500, 900), other: limits(500, 500) },
    ],
    [
      "keep the other limit where only one is set",
      { connectThrottlingRateLimit: 900 },
      { connect: limits(900, 500), disconnect: limits(900, 500) },
    ],
    [
      "are a route's own where it has some",
      {
        delivery: "replay",
        httpRead: true,
        resumeThrottlingRateLimit: 1,
        resumeThrottlingBurstLimit: 2,
        acknowledgeThrottlingRateLimit: 3,
        acknowledgeThrottlingBurstLimit: 4,
        pingThrottlingRateLimit: 5,
        pingThrottlingBurstLimit: 6,
        httpReadThrottlingRateLimit: 7,
        httpReadThrottlingBurstLimit: 8,
      },
      {
        resume: limits(1, 2),
        acknowledge: limits(3, 4),
        ping: limits(5, 6),
        httpRead: limits(7, 8),
        connect: limits(500, 500),
        disconnect: limits(500, 500),
        other: limits(500, 500),
      },
    ],
  ];
  for (const [what, args, expected] of cases) {
    it(what, () => {
      expect(resolveArgs({ auth, ...args }).throttles).to.deep.include(expected);
    });
  }
});
