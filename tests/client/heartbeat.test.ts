import { expect } from "chai";
import { SUBPROTOCOLS } from "../../protocol";
import { answer, ClientSetUp, message, resumeAfter } from "./clientSetUp";

const MINUTE_MS = 60_000;
/** What the gateway answers if more pings arrive than the stack's throttle of them allows. */
const throttled = { message: "Too Many Requests", connectionId: "L0SM9cOFvHcCIhw=", requestId: "L0SOUFQlvHcFjEA=" };

describe("the client's heartbeat", () => {
  it("sends a ping after an idle time, and not before", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 30_000 });
    const socket = setUp.connected();
    await setUp.clock.advance(20_000);
    socket.receive(message(1));
    await setUp.clock.advance(29_999);
    expect(socket.take("ping")).to.deep.equal([]);
    await setUp.clock.advance(1);
    expect(socket.take("ping")).to.deep.equal([{ action: "ping" }]);
  });

  it("continues while any frame arrives", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 30_000, heartbeatTimeoutMs: 10_000 });
    const socket = setUp.connected();
    for (const sign of [{ type: "pong" }, message(1), { message: "Forbidden", connectionId: "c1" }]) {
      await setUp.clock.advance(39_999);
      expect(socket.take("ping")).to.have.lengthOf(1);
      socket.receive(sign);
    }
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.messages).to.deep.equal(["m1"]);
  });

  it("replaces a connection that does not answer", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 30_000, heartbeatTimeoutMs: 10_000 });
    const dead = setUp.connected();
    await setUp.clock.advance(40_000);
    expect(dead.closedWith).to.equal(1000);
    expect(setUp.states.at(-1)).to.include({ state: "waiting", reason: "no answer to a ping for 10000 ms" });
    await setUp.clock.advance(1_000);
    setUp.accepted();
    expect(setUp.client.state).to.equal("connected");
  });

  it("replaces a connection that dies before it has resumed, within 20 seconds", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    setUp.client.connect();
    setUp.socket.accept();
    await setUp.clock.advance(20_000);
    expect(setUp.states.at(-2)).to.include({ state: "waiting", reason: "no answer to a ping for 10000 ms" });
  });

  it("sends a ping at once when wake is called", async () => {
    const setUp = new ClientSetUp({ heartbeatTimeoutMs: 10_000 });
    const socket = setUp.connected();
    setUp.client.wake();
    setUp.client.wake();
    expect(socket.take("ping")).to.have.lengthOf(1);
    await setUp.clock.advance(10_000);
    expect(setUp.client.state).to.equal("waiting");
  });

  it("asks at growing intervals in replay mode, up to 5.5 minutes", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    setUp.connected();
    const pings = answering(setUp);
    await setUp.clock.advance(20 * MINUTE_MS);
    expect(pings.intervalsInSeconds()).to.deep.equal([10, 20, 40, 80, 160, 320, 330]);
  });

  it("asks every 30 seconds in retry mode, where an accepted message may be lost", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    connectedRaw(setUp);
    const pings = answering(setUp);
    await setUp.clock.advance(3 * MINUTE_MS);
    expect(pings.intervalsInSeconds()).to.deep.equal([30, 30, 30, 30, 30, 30]);
  });

  it("asks at the program's own interval in both modes, exactly", async () => {
    for (const subprotocol of [SUBPROTOCOLS.v1, SUBPROTOCOLS.raw]) {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 20_000 });
      connectedWith(setUp, subprotocol);
      const pings = answering(setUp);
      await setUp.clock.advance(2 * MINUTE_MS);
      expect(pings.intervalsInSeconds()).to.deep.equal([20, 20, 20, 20, 20, 20]);
    }
  });

  it("costs at most 0.024 USD a month while an idle client is connected in replay mode, with its replacements", async () => {
    const setUp = new ClientSetUp();
    setUp.sockets.onNew = (socket) => {
      socket.onSent = ({ action }) => {
        frames++;
        if (action === "ping") socket.receive({ type: "pong" });
        else if (action === "resume") socket.receive(...answer({ first: 1, through: 0 }));
        else expect.fail(action);
      };
      // The gateway's end of the handshake.
      setUp.clock.setTimeout(() => socket.accept(), 100);
    };
    let frames = 0;
    setUp.client.connect();
    const days = 10;
    await setUp.clock.advance(days * 24 * 60 * MINUTE_MS);
    expect(setUp.sockets.all.length, "it was replaced").to.be.greaterThan(100);
    const messagesPerMonth = (2 * frames * 30.42) / days;
    expect(messagesPerMonth).to.be.within(18_000, 24_000);
  });

  it("does not ask while any frame arrives", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    for (let seq = 1; seq <= 100; seq++) {
      await setUp.clock.advance(7_000);
      socket.receive(message(seq));
    }
    expect(socket.sent).to.deep.equal([]);
  });

  it("asks at once when wake is called, and then soon again, in replay mode", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    setUp.connected();
    answering(setUp);
    await setUp.clock.advance(30 * MINUTE_MS);
    const pings = answering(setUp);
    setUp.client.wake();
    await setUp.clock.advance(10 * MINUTE_MS);
    expect(pings.intervalsInSeconds()).to.deep.equal([0, 20, 40, 80, 160]);
  });

  it("asks soon after a resume in the middle of a connection", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    const socket = setUp.connected();
    answering(setUp);
    await setUp.clock.advance(30 * MINUTE_MS);
    socket.receive(message(2));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(0)]);
    socket.receive(...answer({ first: 1, through: 2 }));
    const pings = answering(setUp);
    await setUp.clock.advance(MINUTE_MS);
    expect(pings.intervalsInSeconds()).to.deep.equal([10, 20]);
  });

  it("finds a dead connection of a quiet client in replay mode within 340 seconds", async () => {
    const setUp = new ClientSetUp();
    setUp.randomly = 0;
    const socket = setUp.connected();
    answering(setUp);
    await setUp.clock.advance(30 * MINUTE_MS);
    socket.onSent = () => undefined;
    await setUp.clock.advance(340_000);
    expect(setUp.states.find(({ state }) => state === "waiting")).to.include({
      reason: "no answer to a ping for 10000 ms",
    });
  });

  it("spreads the pings of clients that connected at the same moment", async () => {
    const at: number[] = [];
    let state = 1;
    for (let client = 0; client < 200; client++) {
      const setUp = new ClientSetUp({ random: () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 });
      setUp.connected();
      const pings = answering(setUp);
      await setUp.clock.advance(60 * MINUTE_MS);
      at.push(...pings.atMs.filter((ms) => ms > 30 * MINUTE_MS));
    }
    const perMinute = Array.from(
      { length: 30 },
      (_, minute) => at.filter((ms) => Math.floor(ms / MINUTE_MS) === 30 + minute).length,
    );
    // 200 clients with a ping in 4.5 minutes are 44 a minute; together, they would be 200 in some and 0 in most.
    expect(Math.max(...perMinute), String(perMinute)).to.be.below(90);
    expect(Math.min(...perMinute), String(perMinute)).to.be.above(15);
  });

  for (const [mode, subprotocol] of Object.entries({ replay: SUBPROTOCOLS.v1, retry: SUBPROTOCOLS.raw })) {
    for (const heartbeatIntervalMs of [undefined, 20_000]) {
      const whose = heartbeatIntervalMs ? "the program's interval" : "the default";
      it(`survives an hour in which every ping is throttled, in ${mode} mode with ${whose}, and asks less often`, async () => {
        const setUp = new ClientSetUp({ heartbeatIntervalMs });
        connectedWith(setUp, subprotocol);
        const pings = answering(setUp, throttled);
        await setUp.clock.advance(60 * MINUTE_MS);
        expect(setUp.client.state).to.equal("connected");
        expect(setUp.sockets.all).to.have.lengthOf(1);
        expect([setUp.errors, setUp.messages]).to.deep.equal([[], []]);
        const intervals = pings.intervalsInSeconds();
        for (const [index, interval] of intervals.entries()) {
          const before = intervals[index - 1] ?? 0;
          expect(interval, String(intervals)).to.be.at.least(Math.min(2 * before, 0.85 * 330));
        }
        expect(setUp.socket.sent.every(({ action }) => action === "ping")).to.equal(true);

        // The throttling ends.
        const after = answering(setUp);
        await setUp.clock.advance(20 * MINUTE_MS);
        const usual = heartbeatIntervalMs ? 20 : { replay: 0.85 * 330, retry: 30 }[mode];
        expect(after.intervalsInSeconds().at(-1)).to.equal(usual);
      });
    }
  }

  it("spreads the pings after throttling, also those of a program's own interval", async () => {
    const second = [];
    for (const random of [0, 0.25, 0.5, 0.75]) {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 20_000 });
      setUp.randomly = random;
      setUp.connected();
      const pings = answering(setUp, throttled);
      await setUp.clock.advance(2 * MINUTE_MS);
      second.push(pings.intervalsInSeconds()[1]);
    }
    expect(second).to.deep.equal([80, 74, 68, 62]);
  });
});

function connectedWith(setUp: ClientSetUp, subprotocol: string): void {
  if (subprotocol === SUBPROTOCOLS.v1) setUp.connected();
  else connectedRaw(setUp);
}

function connectedRaw(setUp: ClientSetUp): void {
  setUp.client.connect();
  setUp.socket.accept(SUBPROTOCOLS.raw);
}

/** The gateway answers each ping from now on. */
function answering({ clock, socket }: ClientSetUp, answered: object = { type: "pong" }) {
  const beginMs = clock.now();
  const atMs: number[] = [];
  socket.onSent = ({ action }) => {
    if (action !== "ping") return;
    atMs.push(clock.now() - beginMs);
    socket.receive(answered);
  };
  return {
    /** When the pings came. */
    atMs,
    intervalsInSeconds: () => atMs.map((ms, index) => (ms - (atMs[index - 1] ?? 0)) / 1_000),
  };
}
