import { expect } from "chai";
import { ClientSetUp, message } from "./clientSetUp";

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

  it("replaces a connection that dies before it has resumed", async () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    await setUp.clock.advance(40_000);
    expect(setUp.client.state).to.equal("waiting");
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
});
