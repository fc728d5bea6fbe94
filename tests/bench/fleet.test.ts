import { expect } from "chai";
import { measureAway, measureDeliver, measureFlood } from "../../bench/fleet/deliveries";
import { DEFAULTS } from "../../bench/fleet/functions";
import { Environments, LIMITS, TokenBucket } from "../../bench/fleet/limits";
import { measureReconnect } from "../../bench/fleet/reconnect";
import { BACKOFF_BASE_MS } from "../../client";
import { fullJitterMs } from "../../client/backoff";
import { retryWindowSeconds } from "../../handlers/deliver/backoff";

describe("the model of an account's limits", () => {
  it("lets a burst through, then the rate, and takes no token for a refused request", () => {
    const bucket = new TokenBucket(500, 500);
    const taken = (nowMs: number, requests: number) =>
      Array.from({ length: requests }, () => bucket.take(nowMs)).filter(Boolean).length;
    expect([taken(0, 10_000), taken(10, 10_000), taken(1_010, 10_000)]).to.deep.equal([500, 5, 500]);
  });

  it("starts at most 1,000 environments of a function at once, then 100 a second, up to the account's limit", () => {
    const environments = new Environments(1_050);
    const begun = (nowMs: number, invocations: number) => {
      const each = Array.from({ length: invocations }, () => environments.begin(nowMs));
      return (["warm", "cold", "throttled"] as const).map((how) => each.filter((one) => one === how).length);
    };
    expect(begun(0, 1_100)).to.deep.equal([0, 1_000, 100]);
    expect(begun(100, 20)).to.deep.equal([0, 10, 10]);
    environments.end();
    expect(begun(100, 1)).to.deep.equal([1, 0, 0]);
    expect(begun(10_100, 100)).to.deep.equal([0, 40, 60]);
    expect(environments.peak).to.equal(1_050);
  });
});

describe("a fleet that loses its connections at once", () => {
  const seed = 7;

  it("is not back before the limits allow it, and at the same time with the same seed", async () => {
    const fleet = { clients: 5_000, wholeClients: 50, seed };
    const measured = await measureReconnect(fleet);
    expect(await measureReconnect(fleet)).to.deep.equal(measured);
    // The first second has the burst, too.
    expect(measured.allBackSeconds).to.be.within((5_000 - 500) / 500, 100);
  });

  it("is back within 1.25 times of what 500 new connections a second take, with the default back-off", async () => {
    const { allBackSeconds } = await measureReconnect({ clients: 100_000, wholeClients: 0, seed });
    expect(allBackSeconds).to.be.within(199, 250);
  });

  it("takes longer with longer pauses, twice as long with 4 ms for each client", async () => {
    const pauseMs = (failures: number, random: () => number) =>
      fullJitterMs(failures, random, BACKOFF_BASE_MS, 4 * 100_000);
    const { allBackSeconds } = await measureReconnect({ clients: 100_000, wholeClients: 0, pauseMs, seed });
    expect(allBackSeconds).to.be.above(400);
  });

  it("is back at the same time as whole clients and as their back-off alone", async () => {
    const { p50Seconds, wholeP50Seconds } = await measureReconnect({ clients: 20_000, wholeClients: 1_000, seed });
    expect(wholeP50Seconds).to.be.closeTo(p50Seconds, p50Seconds * 0.15);
  });

  it("makes as many calls for each connection as connect and resume make", async () => {
    const { callsPerConnection } = await measureReconnect({ clients: 50, wholeClients: 50, seed });
    expect(callsPerConnection).to.deep.equal({
      readForConnect: 1,
      addLookup: 1,
      save: 1,
      blockedUntil: 1,
      readLookup: 1,
      read: 1,
      readOn: 1,
      readBack: 1,
      readCursor: 1,
    });
  });

  it("waits for the end of an outage, and is back a pause later", async () => {
    const { allBackSeconds } = await measureReconnect({ clients: 1_000, wholeClients: 0, outageMs: 600_000, seed });
    expect(allBackSeconds).to.be.within(50, 61);
  });

  it("takes requests from messages and heartbeats only if refused handshakes count as requests", async () => {
    const fleet = { clients: 100_000, wholeClients: 0, otherRequestsPerSecond: 2_000, seed, maxSeconds: 60 };
    expect((await measureReconnect(fleet)).othersRefused).to.equal(0);
    expect((await measureReconnect({ ...fleet, countsRefused: true })).othersRefused).to.be.above(0.1);
  });

  it("is limited by the concurrency of connect in an account that has little", async () => {
    const fleet = { clients: 1_000, wholeClients: 0, seed };
    const { connectPeak, allBackSeconds } = await measureReconnect({ ...fleet, concurrentExecutions: 10 });
    expect(connectPeak).to.equal(10);
    expect(allBackSeconds).to.be.above((await measureReconnect(fleet)).allBackSeconds ?? Infinity);
  });
});

describe("deliver under load", () => {
  it("retries a message to a user who does not come back as often, and for as long, as the back-off says", async () => {
    const { attemptsPerMessage, meanSeconds } = await measureAway(20);
    const { shortest, longest } = retryWindowSeconds(DEFAULTS.maxAttempts, DEFAULTS.backoff);
    expect(attemptsPerMessage).to.equal(DEFAULTS.maxAttempts);
    expect(meanSeconds).to.be.within(shortest, longest);
  });

  it("is limited by the requests of the account, whose refusals are retried", async () => {
    const { messagesPerSecond, retried } = await measureDeliver("retry", 1_000, 8_000, { maximumConcurrency: 1_000 });
    expect(Object.keys(retried)).to.deep.equal(["throttled"]);
    expect(messagesPerSecond).to.be.below(LIMITS.requestsPerSecond);
  });

  it("writes what goes to one session in batches, below the limit of its partition", async () => {
    const { messagesPerSecond, throttled, writeUnitsPerSecond, retried } = await measureDeliver("replay", 1, 500);
    expect([throttled, retried]).to.deep.equal([0, {}]);
    expect(writeUnitsPerSecond).to.be.within(1, LIMITS.writeUnitsPerSecond);
    // The messages of a batch are compressed together.
    expect(messagesPerSecond).to.be.above(writeUnitsPerSecond);
  });

  it("lets a flood of one session delay others less with message groups, but not a flood over many sessions", async () => {
    const flood = { messages: 2_000, users: 1, grouped: true, others: 10, seconds: 2 };
    const p99Ms = async (request: Partial<typeof flood>) => (await measureFlood({ ...flood, ...request })).p99Ms;
    expect(await p99Ms({})).to.be.below((await p99Ms({ grouped: false })) / 10);
    expect(await p99Ms({ users: 1_000 })).to.be.at.least(await p99Ms({ users: 1_000, grouped: false }));
  });
});
