import { expect } from "chai";
import { connectReplay } from "../../../handlers/connect/connectReplay";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { liveConnections } from "../../../handlers/sessions/sessionRow";
import { MemoryConnections, RecordedLog, RecordedMetrics } from "../../support/boundaries";
import { connectEvent, invocation } from "../../support/events";
import { MemoryTable } from "../../support/memoryTable";

const now = 1_700_000_001_000;
const older: Session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c0",
  connectedAt: now - 60_000,
  expirationDate: now / 1000 + 7_200,
};

/** A handshake of a raw client, which calls every service, one of which does not answer. */
function setUp(name?: string) {
  const table = new MemoryTable();
  table.put(older);
  const [gateway, log, metrics] = [new MemoryConnections(), new RecordedLog(), new RecordedMetrics()];
  let hasHung = false;
  /** A call that does not answer, and stops when its signal aborts. */
  const hanging = (signal?: AbortSignal): Promise<never> => {
    hasHung = true;
    return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("Request aborted"))));
  };
  /** The signal of a call is its last argument, or among its options. */
  const signalIn = (args: readonly unknown[]) =>
    args
      .flatMap((arg) => [arg, (arg as { signal?: unknown } | undefined)?.signal])
      .find((arg) => arg instanceof AbortSignal);
  const hangingIn = <T extends object>(service: T, names: Record<string, string>): T =>
    new Proxy(service, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) =>
          names[String(property)] === name
            ? hanging(signalIn(args))
            : (Reflect.apply(value, target, args) as Promise<unknown>);
      },
    });
  const own = hangingIn(table, {
    readForConnect: "readForConnect",
    save: "save",
    blockedUntil: "blockedUntil",
    removeConnection: "removeConnection",
  });
  const flushRequests = { send: () => Promise.resolve() };
  const handler = connectReplay({
    authenticator: {
      // Cannot be stopped: a user's own callback, or a library that fetches keys.
      authenticate: () => (name === "authenticate" ? hanging() : Promise.resolve({ user: "42" })),
    },
    sessions: own,
    userConnections: own,
    lookups: hangingIn(table.lookups, { add: "addLookup", remove: "removeLookup" }),
    connections: gateway,
    markers: hangingIn(table.markers, { mark: "mark" }),
    flushRequests: hangingIn(flushRequests, { send: "flush" }),
    historyRetentionSeconds: 86_400,
    metrics,
    log,
    sessionTtlSeconds: 10_800,
    endSessionWithToken: false,
    now: () => now,
  });
  return {
    table,
    log,
    metrics,
    hasHung: () => hasHung,
    live: () => [...table.sessionRows.values()].flatMap(liveConnections).map(({ connectionId }) => connectionId),
    handshake: async (remainingMs?: number) =>
      (await handler(connectEvent({ connectedAt: now }), invocation(remainingMs))).statusCode,
  };
}

describe("a handshake", () => {
  it("has all of the function's time but the five seconds that it needs to clean up and answer", async () => {
    const [original, limits] = [AbortSignal.timeout.bind(AbortSignal), [] as number[]];
    AbortSignal.timeout = (ms) => {
      limits.push(ms);
      return original(ms);
    };
    try {
      expect(await setUp().handshake(12_000)).to.equal(200);
    } finally {
      AbortSignal.timeout = original;
    }
    expect(limits).to.deep.equal([7_000]);
  });

  for (const name of ["authenticate", "readForConnect", "addLookup", "save", "blockedUntil", "mark", "flush"]) {
    it(`answers 500 when that time is up while ${name} does not answer, and leaves the session as it was`, async () => {
      const { table, log, metrics, hasHung, live, handshake } = setUp(name);
      // A millisecond.
      expect(await handshake(5_001)).to.equal(500);
      expect(hasHung()).to.equal(true);
      expect(log.lines).to.have.length(1);
      expect(log.lines[0]).to.include({ level: "error", event: "refused", outOfTime: true });
      expect(metrics.flushes).to.have.length(1);
      expect([live(), table.connectionIds(), [...table.lookupItems]]).to.deep.equal([["c0"], ["c0"], []]);
    });
  }

  for (const name of ["removeConnection", "removeLookup"]) {
    it(`answers 500 within three seconds more where ${name} does not answer`, async () => {
      const { table, log, hasHung, handshake } = setUp(name);
      table.failing.add("blockedUntil");
      const [original, limits] = [AbortSignal.timeout.bind(AbortSignal), [] as number[]];
      AbortSignal.timeout = (ms) => {
        limits.push(ms);
        return original(ms === 3_000 ? 0 : ms);
      };
      try {
        expect(await handshake()).to.equal(500);
      } finally {
        AbortSignal.timeout = original;
      }
      expect(hasHung()).to.equal(true);
      expect(limits).to.deep.equal([7_000, 3_000]);
      expect(log.lines.map(({ event }) => event)).to.deep.equal(["not cleaned up", "refused"]);
      expect(log.lines[1]).to.include({ outOfTime: false, errorMessage: "blockedUntil fails" });
    });
  }
});
