import { expect } from "chai";
import { type RelayClientOptions } from "../../client";
import { answer, ClientSetUp, message } from "./clientSetUp";

describe("the client, connecting", () => {
  it("leaves no socket and no timer when it is closed, in any state", async () => {
    const steps: ((setUp: ClientSetUp) => void | Promise<void>)[] = [
      () => undefined,
      ({ socket }) => socket.accept(),
      ({ socket }) => socket.end(),
      (setUp) => void setUp.accepted(),
      (setUp) => void setUp.accepted(0).receive(message(2)),
      (setUp) => void setUp.accepted(0).receive(message(1)),
      async (setUp) => {
        setUp.accepted();
        await setUp.clock.advance(6_120_000);
      },
    ];
    for (const step of steps) {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, heartbeatTimeoutMs: 540_000 });
      setUp.randomly = 0.5;
      setUp.client.connect();
      await step(setUp);
      setUp.client.close();
      expect(setUp.client.state).to.equal("closed");
      expect(setUp.clock.pending, String(step)).to.equal(0);
      expect(setUp.sockets.live).to.deep.equal([]);
      const { length } = setUp.sockets.all;
      await setUp.clock.advance(10_000_000);
      expect(setUp.sockets.all).to.have.lengthOf(length);
    }
  });

  it("may be closed and connected by its own callbacks", () => {
    const setUp: ClientSetUp = new ClientSetUp({
      onStateChange: (state) => {
        if (state === "connecting") setUp.client.close();
      },
    });
    setUp.client.connect();
    expect(setUp.client.state).to.equal("closed");
    expect(setUp.sockets.all).to.deep.equal([]);
  });

  for (const [what, provoke, options, subprotocol] of [
    ["a fault", ({ socket }) => socket.receive({ type: "error", code: "unavailable", message: "a fault" })],
    ["the gateway's", ({ socket }) => socket.receive({ message: "Internal server error", connectionId: "c1" })],
    ["a bad request", ({ socket }) => socket.receive({ type: "error", code: "bad-request", message: "seq" })],
    ["a frame", ({ socket }) => socket.receiveData("{")],
    ["a gap without onGap", ({ socket }) => socket.receive(...answer({ first: 3, through: 3, recovered: false })), {}],
    ["a token's end", () => undefined, { token: () => ({ token: "t", expiresAtMs: -1 }) }],
    ["a subprotocol", () => undefined, {}, "other"],
    ["a callback", () => undefined, { onStateChange: (state) => state === "connecting" && fail() }],
    ["a store", () => undefined, { cursorStore: { get: () => fail(), set: () => undefined } }],
  ] as [string, (setUp: ClientSetUp) => void, Partial<RelayClientOptions>?, string?][]) {
    it(`leaves no socket and no timer when onError closes it for ${what}`, async () => {
      const setUp: ClientSetUp = new ClientSetUp({
        ...options,
        onGap: undefined,
        onError: (error) => {
          setUp.errors.push(error);
          setUp.client.close();
        },
      });
      setUp.client.connect();
      if (setUp.sockets.all.length > 0) {
        setUp.socket.accept(subprotocol);
        setUp.socket.receive(message(9));
        provoke(setUp);
      }
      expect(setUp.errors).to.have.lengthOf(1);
      expect(setUp.client.state).to.equal("closed");
      expect(setUp.clock.pending).to.equal(0);
      expect(setUp.sockets.live).to.deep.equal([]);
      await setUp.clock.advance(1_000_000);
      expect(setUp.errors).to.have.lengthOf(1);
    });
  }
});

function fail(): never {
  throw new Error("a failure");
}
