import { expect } from "chai";
import { memoryCursorStore } from "../../client";
import { answer, ClientSetUp, EPOCH, message, messages } from "./clientSetUp";

const ack = (seq: number) => ({ action: "ack", cursor: { epoch: EPOCH, seq } });

describe("the client's acknowledgement", () => {
  it("is sent after a delay, and covers all messages handled by then", async () => {
    const setUp = new ClientSetUp({ ackDelayMs: 1_000 });
    const socket = setUp.connected();
    await setUp.clock.advance(1_000);
    socket.receive(message(1));
    await setUp.clock.advance(900);
    socket.receive(message(2));
    expect(socket.take("ack")).to.deep.equal([]);
    await setUp.clock.advance(100);
    expect(socket.take("ack")).to.deep.equal([ack(2)]);
    await setUp.clock.advance(5_000);
    expect(socket.take("ack"), "nothing is new").to.deep.equal([]);
  });

  it("is sent at once when many messages were handled", async () => {
    const setUp = new ClientSetUp({ ackEveryMessages: 10 });
    const socket = setUp.connected();
    socket.receive(...messages(1, 25));
    expect(socket.take("ack")).to.deep.equal([ack(10), ack(20)]);
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([ack(25)]);
  });

  it("covers only handled messages", async () => {
    const waiting: (() => void)[] = [];
    const setUp = new ClientSetUp({ onMessage: () => new Promise((resolve) => waiting.push(resolve)) });
    const socket = setUp.connected();
    socket.receive(...messages(1, 3));
    await setUp.clock.advance(5_000);
    expect(socket.take("ack")).to.deep.equal([]);
    waiting[0]?.();
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([ack(1)]);
  });

  it("covers an expired message, and never a lost one", async () => {
    const setUp = new ClientSetUp({ cursorStore: memoryCursorStore({ epoch: EPOCH, seq: 1 }) });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 4, through: 3, recovered: false, lost: "expired" }));
    await setUp.clock.advance(2_000);
    expect(setUp.socket.take("ack")).to.deep.equal([]);
    setUp.socket.receive(message(4, { body: undefined, expired: true }));
    await setUp.clock.advance(1_000);
    expect(setUp.socket.take("ack")).to.deep.equal([ack(4)]);
  });

  it("is sent before the client closes", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(...messages(1, 3));
    setUp.client.close();
    expect(socket.take("ack")).to.deep.equal([ack(3)]);
  });

  it("is sent again over the next connection, since the last one may not have carried it", async () => {
    for (const waitedMs of [0, 1_000]) {
      const setUp = new ClientSetUp();
      setUp.connected().receive(message(1));
      await setUp.clock.advance(waitedMs);
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      const next = setUp.accepted(1);
      await setUp.clock.advance(1_000);
      expect(next.take("ack"), `after ${waitedMs} ms`).to.deep.equal([ack(1)]);
    }
  });

  it("is sent for the stored cursor: an earlier client may have ended before it sent it", async () => {
    const setUp = new ClientSetUp({ cursorStore: memoryCursorStore({ epoch: EPOCH, seq: 7 }) });
    setUp.client.connect();
    const socket = setUp.accepted(7);
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([ack(7)]);
  });

  it("is sent again with the next heartbeat after a frame failed, and not before", async () => {
    for (const failure of [
      { type: "error", code: "unavailable", message: "a fault" },
      { message: "Internal server error", connectionId: "c1", requestId: "r1" },
    ]) {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 30_000 });
      const socket = setUp.connected();
      socket.receive(message(1));
      await setUp.clock.advance(1_000);
      socket.take("ack");
      socket.receive(failure);
      await setUp.clock.advance(30_000);
      expect(socket.take("ack")).to.deep.equal([]);
      expect(socket.take("ping")).to.have.lengthOf(1);
      socket.receive({ type: "pong" });
      await setUp.clock.advance(1_000);
      expect(socket.take("ack")).to.deep.equal([ack(1)]);
    }
  });

  it("is kept for the next socket if a closing one does not accept it", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(1));
    socket.send = () => {
      throw new Error("InvalidStateError");
    };
    await setUp.clock.advance(1_000);
    socket.end();
    await setUp.clock.advance(1_000);
    const next = setUp.accepted(1);
    await setUp.clock.advance(1_000);
    expect(next.take("ack")).to.deep.equal([ack(1)]);
  });
});
