import { expect } from "chai";
import { handshakeStatus } from "../../client/handshakeStatus";

import { ClientSetUp, message } from "./clientSetUp";

describe("the status of a refused handshake", () => {
  for (const [runtime, text, status] of [
    ["ws", "Unexpected server response: 403", 403],
    ["Bun", "WebSocket connection to 'wss://relay.test/live' failed: Expected 101 status code: 401", 401],
    ["Deno", "NetworkError: failed to connect to WebSocket: Invalid status code: 500", 500],
    [
      "Cloudflare Workers",
      "Uncaught TypeError: Failed to establish the WebSocket connection: expected server to reply with HTTP status code 101 (switching protocols), but received 429 instead.",
      429,
    ],
    ["React Native on iOS", "Received bad response code from server: 403.", 403],
    ["React Native on Android", "Expected HTTP 101 response but was '403 Forbidden'", 403],
    ["a browser", undefined, undefined],
    ["Node 22", "Received network error or non-101 status code.", undefined],
    ["a port that nothing listens on", "connect ECONNREFUSED 127.0.0.1:443", undefined],
    ["Android without a network", "failed to connect to relay.test/10.0.0.1 (port 443) after 10000ms", undefined],
  ] as const) {
    it(`is ${status ?? "unknown"} in the message of ${runtime}`, () => {
      expect(handshakeStatus(text)).to.equal(status);
    });
  }
});

describe("the client, refused", () => {
  for (const [runtime, play] of Object.entries<(setUp: ClientSetUp) => void>({
    "that fires error alone": ({ socket }) => socket.fail("Received network error or non-101 status code."),
    "that fires close alone": ({ socket }) => socket.onclose?.({ code: 1006 } as never),
    "that fires error and close": ({ socket }) => socket.end(1006),
    "that fires close and error": ({ socket }) => {
      const { onclose, onerror } = socket;
      onclose?.({ code: 1006 } as never);
      onerror?.({ message: "Network connection lost." } as never);
    },
    "that says 0 for 1006": ({ socket }) => {
      const { onclose, onerror } = socket;
      onerror?.({ message: "NetworkError: failed to connect" } as never);
      onclose?.({ code: 0, reason: "" } as never);
    },
  })) {
    it(`ends the attempt once and at once in a runtime ${runtime}`, async () => {
      const setUp = new ClientSetUp();
      setUp.randomly = 1;
      setUp.client.connect();
      play(setUp);
      expect(setUp.states.at(-1)).to.include({ state: "waiting", closeCode: 1006, delayMs: 1_000 });
      await setUp.clock.advance(1_000);
      expect(setUp.sockets.all).to.have.lengthOf(2);
      play(setUp);
      expect(setUp.states.at(-1)).to.include({ state: "waiting", delayMs: 2_000 });
      expect(setUp.clock.pending, "the pause alone").to.equal(1);
    });
  }

  it("reports 1006 if a runtime reports 0 for an open connection that broke", () => {
    const setUp = new ClientSetUp();
    setUp.connected().end(0);
    expect(setUp.states.at(-1)).to.include({ state: "waiting", closeCode: 1006, reason: "closed with 1006" });
  });

  it("reports the status and the runtime's message without the URL", () => {
    const setUp = new ClientSetUp({ url: "wss://relay.test/live?ticket=secret" });
    setUp.client.connect();
    setUp.socket.fail(`WebSocket connection to '${setUp.socket.url}' failed: Expected 101 status code: 403`);
    expect(setUp.states.at(-1)).to.deep.equal({
      state: "waiting",
      previous: "connecting",
      closeCode: 1006,
      statusCode: 403,
      delayMs: 500,
      reason: "closed with 1006 WebSocket connection to 'the URL' failed: Expected 101 status code: 403",
    });
  });

  it("removes several URLs from a reason", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.fail("wss://relay.test/live?ticket=a redirects to ws://relay.test/live?ticket=b");
    expect(setUp.states.at(-1)?.reason).to.equal("closed with 1006 the URL redirects to the URL");
  });

  it("leaves an error of an open connection to the close that follows", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.fail("an invalid frame");
    expect(setUp.client.state).to.equal("connected");
    socket.receive(message(1));
    expect(setUp.messages).to.deep.equal(["m1"]);
    socket.end(1002);
    expect(setUp.states.at(-1)).to.include({ state: "waiting", closeCode: 1002 });
  });

  it("reports once how to fix it if no connection has ever opened", async () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    for (let refusal = 1; refusal <= 10; refusal++) {
      expect(setUp.errorCodes, `before refusal ${refusal}`).to.deep.equal(refusal <= 3 ? [] : ["refused"]);
      await refused(setUp, 1);
    }
    expect(setUp.errors).to.have.lengthOf(1);
    for (const what of ["1006", "refused", "url", "token", "allowedOrigins"]) {
      expect(setUp.errors[0]?.message).to.include(what);
    }
  });

  it("may be closed by that report", async () => {
    const setUp: ClientSetUp = new ClientSetUp({ onError: () => setUp.client.close() });
    setUp.client.connect();
    await refused(setUp, 3);
    expect(setUp.client.state).to.equal("closed");
    expect(setUp.clock.pending).to.equal(0);
    await setUp.clock.advance(600_000);
    expect(setUp.sockets.all).to.have.lengthOf(3);
  });

  it("reports it again after the next connect", async () => {
    const setUp = new ClientSetUp();
    for (let time = 1; time <= 2; time++) {
      setUp.client.connect();
      await refused(setUp, 5);
      expect(setUp.errorCodes).to.have.lengthOf(time);
      setUp.client.close();
    }
  });

  it("does not report a lost network once a connection has been open", async () => {
    const setUp = new ClientSetUp();
    setUp.connected().end();
    await setUp.clock.advance(1_000);
    await refused(setUp, 10);
    expect(setUp.errors).to.deep.equal([]);
  });

  it("reports it each time the relay starts to refuse, if the runtime exposes the status", async () => {
    const setUp = new ClientSetUp();
    setUp.connected();
    for (let time = 1; time <= 2; time++) {
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      await refused(setUp, 5, "Unexpected server response: 401");
      expect(setUp.errorCodes).to.have.lengthOf(time);
      expect(setUp.errors.at(-1)).to.include({ code: "refused" });
      expect(setUp.errors.at(-1)?.message).to.include("401");
      setUp.accepted();
    }
  });

  it("does not count attempts that ended before the handshake", async () => {
    const setUp = new ClientSetUp({
      token: (): string => {
        throw new Error("signed out");
      },
    });
    setUp.client.connect();
    await setUp.clock.advance(600_000);
    expect(new Set(setUp.errorCodes)).to.deep.equal(new Set(["token"]));
  });
});

async function refused(setUp: ClientSetUp, times: number, text?: string): Promise<void> {
  for (let refusal = 0; refusal < times; refusal++) {
    if (text === undefined) setUp.socket.end(1006);
    else setUp.socket.fail(text);
    await setUp.clock.advance(setUp.states.at(-1)?.delayMs ?? 0);
  }
}
