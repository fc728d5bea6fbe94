import { expect } from "chai";
import { SUBPROTOCOLS } from "../../protocol";
import { answer, bodies, ClientSetUp, message } from "./clientSetUp";

describe("the client, connecting", () => {
  it("does nothing before connect", () => {
    const setUp = new ClientSetUp();
    expect(setUp.client.state).to.equal("closed");
    expect(setUp.sockets.all).to.deep.equal([]);
  });

  it("sends the session in the URL, and offers both subprotocols", () => {
    const setUp = new ClientSetUp({ context: "a&b", contextId: "c d" });
    setUp.client.connect();
    expect(setUp.socket.url).to.equal("wss://relay.test/live?context=a%26b&contextId=c%20d");
    expect(setUp.socket.subprotocols).to.deep.equal([SUBPROTOCOLS.v1, SUBPROTOCOLS.raw]);
  });

  it("keeps the query of the URL", () => {
    const setUp = new ClientSetUp({ url: "ws://127.0.0.1:1/live?user=42" });
    setUp.client.connect();
    expect(setUp.socket.url).to.equal("ws://127.0.0.1:1/live?user=42&context=chat&contextId=7");
  });

  it("requests a token for each connection, and sends it", async () => {
    let count = 0;
    const setUp = new ClientSetUp({ token: () => Promise.resolve(`t.${++count}`) });
    setUp.client.connect();
    expect(setUp.sockets.all).to.deep.equal([]);
    await setUp.clock.advance(0);
    expect(setUp.socket.subprotocols).to.include("websocket-relay.bearer.t.1");
    setUp.socket.end();
    await setUp.clock.advance(1_000);
    expect(setUp.socket.subprotocols)
      .to.include("websocket-relay.bearer.t.2")
      .and.not.include("websocket-relay.bearer.t.1");
  });

  for (const [what, token] of Object.entries({
    throws: (): string => {
      throw new Error("signed out");
    },
    rejects: () => Promise.reject(new Error("signed out")),
    "gives nothing": () => undefined as never,
    "returns a token that no subprotocol can contain": (): string => "a secret, with a comma",
    "gives an expiry that is no number": () => ({ token: "t", expiresAtMs: "soon" as never }),
  })) {
    it(`reports a provider that ${what}, and tries again`, async () => {
      let calls = 0;
      const setUp = new ClientSetUp({ token: () => (calls++ === 0 ? token() : "t") });
      setUp.client.connect();
      await setUp.clock.advance(0);
      expect(setUp.errorCodes).to.deep.equal(["token"]);
      expect(setUp.errors[0]?.message).to.not.include("secret");
      expect(setUp.client.state).to.equal("waiting");
      await setUp.clock.advance(1_000);
      setUp.accepted();
      expect(setUp.client.state).to.equal("connected");
    });
  }

  it("gives up on a provider or a handshake that never ends, and ignores its late result", async () => {
    const answers: ((token: string) => void)[] = [];
    const setUp = new ClientSetUp({
      token: () => new Promise((resolve) => answers.push(resolve)),
      connectTimeoutMs: 20_000,
    });
    setUp.client.connect();
    await setUp.clock.advance(20_000);
    expect(setUp.states.at(-1)).to.include({ state: "waiting", reason: "not open after 20000 ms" });
    answers[0]?.("late");
    await setUp.clock.advance(500);
    expect(setUp.sockets.all).to.deep.equal([]);

    answers[1]?.("t");
    await setUp.clock.advance(20_000);
    expect(setUp.socket.closedWith).to.equal(1000);
    expect(setUp.client.state).to.equal("waiting");
  });

  it("tries again after every refusal, with pauses that grow, and never stops", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 1;
    setUp.client.connect();
    const pauses: number[] = [];
    for (let refusal = 0; refusal < 8; refusal++) {
      setUp.socket.end(1006);
      const { delayMs = -1 } = setUp.states.at(-1) ?? {};
      pauses.push(delayMs);
      await setUp.clock.advance(delayMs);
    }
    expect(pauses).to.deep.equal([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(setUp.sockets.all).to.have.lengthOf(9);
  });

  it("starts with short pauses again after a stable connection, and not before", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 1;
    setUp.client.connect();
    for (const [stoodMs, pauseMs] of [
      [0, 1_000],
      [4_999, 2_000],
      [5_000, 1_000],
    ] as const) {
      setUp.accepted();
      await setUp.clock.advance(stoodMs);
      setUp.socket.end();
      expect(setUp.states.at(-1)).to.include({ state: "waiting", delayMs: pauseMs, closeCode: 1006 });
      await setUp.clock.advance(pauseMs);
    }
  });

  it("tries again if the WebSocket cannot be constructed", async () => {
    let isRefused = true;
    const setUp: ClientSetUp = new ClientSetUp({
      WebSocket: class {
        constructor(url: string, subprotocols: string[]) {
          if (isRefused) throw new Error("SyntaxError");
          return new setUp.sockets.WebSocket(url, subprotocols);
        }
      } as never,
    });
    setUp.client.connect();
    expect(setUp.errorCodes).to.deep.equal(["socket"]);
    isRefused = false;
    await setUp.clock.advance(1_000);
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });

  it("refuses a subprotocol that it did not offer", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept("websocket-relay.bearer.t");
    expect(setUp.errorCodes).to.deep.equal(["socket"]);
    expect(setUp.client.state).to.equal("waiting");
  });

  it("reports each state with the previous one and the reason", async () => {
    const setUp = new ClientSetUp();
    setUp.connected();
    setUp.socket.end(1001, "Going away");
    await setUp.clock.advance(500);
    setUp.accepted();
    setUp.client.close();
    expect(setUp.states).to.deep.equal([
      { state: "connecting", previous: "closed" },
      { state: "connected", previous: "connecting", delivery: "replay" },
      { state: "waiting", previous: "connected", reason: "closed with 1001 Going away", closeCode: 1001, delayMs: 500 },
      { state: "connecting", previous: "waiting" },
      { state: "connected", previous: "connecting", delivery: "replay" },
      { state: "closed", previous: "connected" },
    ]);
  });

  it("continues where it stopped when it is connected again", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive(message(1));
    setUp.client.close();
    setUp.client.connect();
    setUp.client.connect();
    expect(setUp.sockets.all).to.have.lengthOf(2);
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([{ action: "resume", cursor: { epoch: "e1", seq: 1 } }]);
    setUp.socket.receive(...answer({ first: 2, through: 3 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 3));
  });

  it("connects at once on wake", async () => {
    const setUp = new ClientSetUp();
    setUp.connected().end();
    expect(setUp.client.state).to.equal("waiting");
    setUp.client.wake();
    expect(setUp.client.state).to.equal("connecting");
    setUp.client.wake();
    expect(setUp.sockets.all).to.have.lengthOf(2);
    await setUp.clock.advance(1_000);
    expect(setUp.sockets.all, "the pause is over").to.have.lengthOf(2);
  });

  it("stays closed or superseded on wake", () => {
    const setUp = new ClientSetUp();
    setUp.client.wake();
    expect(setUp.sockets.all).to.deep.equal([]);
    setUp.connected().receive({ type: "superseded" });
    setUp.client.wake();
    expect(setUp.client.state).to.equal("superseded");
  });
});
