import { expect } from "chai";
import { renewalDelayMs } from "../../client/renewal";
import { SUBPROTOCOLS } from "../../protocol";
import { answer, bodies, ClientSetUp, EPOCH, grownOld, living, message, RENEWAL_MS } from "./clientSetUp";

const TWO_HOURS_MS = 7_200_000;

describe("a connection's renewal", () => {
  it("happens at a random time within its lifetime, before its end", () => {
    const delays = [0, 0.5, 1].map((random) => renewalDelayMs(TWO_HOURS_MS, Infinity, () => random));
    expect(delays).to.deep.equal([5_400_000, RENEWAL_MS, 6_840_000]);
  });

  it("happens before the token expires if that is earlier", () => {
    expect(renewalDelayMs(TWO_HOURS_MS, 3_600_000, () => 1)).to.equal(3_420_000);
    expect(renewalDelayMs(TWO_HOURS_MS, 36_000_000, () => 1)).to.equal(6_840_000);
  });

  it("keeps a minimum interval if a provider returns a token until its last second", () => {
    expect(renewalDelayMs(TWO_HOURS_MS, 1_000, () => 0)).to.equal(10_000);
  });

  it("ignores an expiry that has passed", () => {
    expect(renewalDelayMs(TWO_HOURS_MS, -1, () => 0.5)).to.equal(RENEWAL_MS);
  });
});

describe("the client, replacing its connection", () => {
  it("closes the old connection once the new one has resumed, without a gap or a repeated message", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, heartbeatTimeoutMs: 540_000 });
    const old = await grownOld(setUp);
    expect(setUp.sockets.all).to.have.lengthOf(2);
    const fresh = setUp.socket;
    old.receive(message(1));
    fresh.accept();
    old.receive(message(2));
    expect(old.state).to.equal("open");
    expect(fresh.take("resume")).to.deep.equal([{ action: "resume", cursor: { epoch: EPOCH, seq: 1 } }]);

    fresh.receive(...answer({ first: 2, through: 3 }));
    fresh.receive(message(4));
    expect(old.closedWith).to.equal(1000);
    expect(setUp.messages).to.deep.equal(bodies(1, 4));
    expect(setUp.states.map(({ state }) => state)).to.deep.equal(["connecting", "connected"]);
    await living(setUp, RENEWAL_MS);
    expect(setUp.sockets.all, "and so on").to.have.lengthOf(3);
  });

  it("is not superseded by its own connection", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    old.receive({ type: "superseded" });
    expect(setUp.client.state).to.equal("connected");
    setUp.accepted();
    expect(old.closedWith).to.equal(1000);
    expect(setUp.states.map(({ state }) => state)).to.deep.equal(["connecting", "connected"]);
  });

  it("reconnects if the connection that superseded its own fails", async () => {
    for (const isLate of [false, true]) {
      const setUp = new ClientSetUp();
      const old = await grownOld(setUp);
      if (!isLate) old.receive({ type: "superseded" });
      setUp.socket.end();
      if (isLate) old.receive({ type: "superseded" });
      expect(setUp.client.state).to.equal("waiting");
      expect(old.closedWith).to.equal(1000);
      await setUp.clock.advance(1_000);
      setUp.accepted();
      expect(setUp.client.state).to.equal("connected");
    }
  });

  it("stops if the new connection is superseded: another client has the session", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    setUp.socket.accept();
    setUp.socket.receive({ type: "superseded" });
    expect(setUp.client.state).to.equal("superseded");
    expect([old.state, setUp.socket.state]).to.deep.equal(["closed", "closed"]);
  });

  it("keeps the old connection, and tries again, if the new one fails", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, heartbeatTimeoutMs: 540_000 });
    const old = await grownOld(setUp);
    setUp.socket.end();
    expect(setUp.client.state).to.equal("connected");
    old.receive(message(1));
    await setUp.clock.advance(1_000);
    expect(setUp.sockets.all).to.have.lengthOf(3);
    setUp.accepted(1);
    expect(old.closedWith).to.equal(1000);
    expect(setUp.messages).to.deep.equal(["m1"]);
  });

  it("continues with the new connection if the old one ends before", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    old.end();
    expect(setUp.states.at(-1)).to.include({ state: "connecting", closeCode: 1006 });
    setUp.accepted();
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.sockets.all).to.have.lengthOf(2);
  });

  it("waits if the old connection ends between two attempts", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    setUp.socket.end();
    old.end();
    expect(setUp.client.state).to.equal("waiting");
    await setUp.clock.advance(1_000);
    setUp.accepted();
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.sockets.all).to.have.lengthOf(3);
  });

  it("does so before the token expires, with a new token", async () => {
    let count = 0;
    const setUp: ClientSetUp = new ClientSetUp({
      token: () => ({ token: `t${++count}`, expiresAtMs: setUp.clock.now() + 600_000 }),
    });
    setUp.connected();
    await living(setUp, 600_000 * 0.85);
    expect(setUp.sockets.all).to.have.lengthOf(2);
    expect(setUp.socket.subprotocols).to.include("websocket-relay.bearer.t2");
  });

  it("reports a token that has expired by this device's clock, and stays connected", async () => {
    const setUp: ClientSetUp = new ClientSetUp({ token: () => ({ token: "t", expiresAtMs: setUp.clock.now() - 1 }) });
    setUp.connected();
    expect(setUp.errorCodes).to.deep.equal(["token"]);
    await living(setUp, 3_600_000);
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });

  it("keeps the old connection open in retry mode, whose messages are not sent again", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, heartbeatTimeoutMs: 540_000 });
    setUp.client.connect();
    const old = setUp.socket;
    old.accept(SUBPROTOCOLS.raw);
    await living(setUp, RENEWAL_MS);
    setUp.socket.accept(SUBPROTOCOLS.raw);
    old.receiveData("late");
    setUp.socket.receiveData("new");
    expect(setUp.messages).to.deep.equal(["late", "new"]);
    await setUp.clock.advance(5_000);
    expect(old.closedWith).to.equal(1000);
    expect(setUp.client.state).to.equal("connected");
  });
});
