import { expect } from "chai";
import { ClientSetUp, message } from "./clientSetUp";

describe("the client, superseded", () => {
  it("stops, reports the state, and passes on the messages that have arrived", () => {
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

  it("is superseded by a resume answer, too", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive({ type: "superseded" });
    expect(setUp.client.state).to.equal("superseded");
  });

  it("takes the session back on connect", () => {
    const setUp = new ClientSetUp();
    setUp.connected(2).receive({ type: "superseded" });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: { epoch: "e1", seq: 2 } }]);
  });
});
