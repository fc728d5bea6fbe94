import { expect } from "chai";
import { ClientSetUp, message } from "./clientSetUp";

describe("the client, superseded", () => {
  it("stops, says so, and hands over what has come", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(1), { type: "superseded" });
    expect(setUp.messages).to.deep.equal(["m1"]);
    expect(setUp.states.at(-1)).to.include({ state: "superseded", previous: "connected" });
    expect(socket.closedWith).to.equal(1000);
    expect(socket.take("ack")).to.deep.equal([{ action: "ack", cursor: { epoch: "e1", seq: 1 } }]);
  });

  it("opens no connection by itself", async () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive({ type: "superseded" });
    await setUp.clock.advance(10_000_000);
    expect(setUp.sockets.all).to.have.lengthOf(1);
    expect(setUp.clock.pending).to.equal(0);
  });

  it("is so by the answer to its resume too", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive({ type: "superseded" });
    expect(setUp.client.state).to.equal("superseded");
  });

  it("takes the session back when it is told to connect", () => {
    const setUp = new ClientSetUp();
    setUp.connected(2).receive({ type: "superseded" });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: { epoch: "e1", seq: 2 } }]);
  });
});
