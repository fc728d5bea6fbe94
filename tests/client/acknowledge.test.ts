import { expect } from "chai";
import { memoryCursorStore } from "../../client";
import { answer, ClientSetUp, cursor, EPOCH, hello, message, messages, resumeAfter } from "./clientSetUp";

const ack = (seq: number) => ({ action: "ack", cursor: { epoch: EPOCH, seq } });
const failures = {
  "a fault of the relay": { type: "error", code: "unavailable", message: "a fault", action: "ack" },
  "an error of the gateway": { message: "Internal server error", connectionId: "c1", requestId: "r1" },
  throttling: { message: "Too Many Requests", connectionId: "c1", requestId: "r1" },
};

describe("the client's acknowledgement", () => {
  it("is sent within the seconds that the relay announces, and covers all messages handled by then", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    const socket = setUp.connected(0, { ackSeconds: 5 });
    await setUp.clock.advance(5_000);
    socket.receive(message(1));
    await setUp.clock.advance(4_000);
    socket.receive(message(2));
    await setUp.clock.advance(999);
    expect(socket.take("ack")).to.deep.equal([]);
    await setUp.clock.advance(1);
    expect(socket.take("ack")).to.deep.equal([ack(2)]);
    await setUp.clock.advance(60_000);
    expect(socket.take("ack"), "nothing is new").to.deep.equal([]);
  });

  it("is not sent for any number of messages or time if the relay announces nothing", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    const socket = setUp.connected();
    socket.receive(...messages(1, 5_000));
    await setUp.clock.advance(500_000);
    expect(setUp.messages).to.have.lengthOf(5_000);
    expect(socket.take("ack")).to.deep.equal([]);
  });

  it("follows the newest announcement", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(0, { ackSeconds: 5 }).end();
    await setUp.clock.advance(1_000);
    const socket = setUp.accepted();
    socket.receive(message(1));
    await setUp.clock.advance(9_000);
    expect(socket.take("ack")).to.deep.equal([]);
  });

  it("is sent after the program's own delay or number of messages, whatever the relay announces", async () => {
    for (const announced of [{}, { ackSeconds: 60 }, { ackSeconds: 1 }]) {
      const setUp = new ClientSetUp({ ackDelayMs: 2_000, ackEveryMessages: 10 });
      const socket = setUp.connected(0, announced);
      socket.receive(...messages(1, 25));
      expect(socket.take("ack")).to.deep.equal([ack(10), ack(20)]);
      await setUp.clock.advance(1_999);
      expect(socket.take("ack")).to.deep.equal([]);
      await setUp.clock.advance(1);
      expect(socket.take("ack")).to.deep.equal([ack(25)]);
    }
  });

  it("covers only handled messages", async () => {
    const waiting: (() => void)[] = [];
    const setUp = new ClientSetUp({ onMessage: () => new Promise((resolve) => waiting.push(resolve)) });
    const socket = setUp.connected(0, { ackSeconds: 1 });
    socket.receive(...messages(1, 3));
    await setUp.clock.advance(5_000);
    expect(socket.take("ack")).to.deep.equal([]);
    waiting[0]?.();
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([ack(1)]);
  });

  it("covers an expired message, and never a lost one", async () => {
    const setUp = new ClientSetUp({ cursorStore: memoryCursorStore(cursor(1)), ackDelayMs: 1_000 });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 4, through: 3, recovered: false, lost: "expired" }));
    await setUp.clock.advance(2_000);
    expect(setUp.socket.take("ack")).to.deep.equal([]);
    setUp.socket.receive(message(4, { body: undefined, expired: true }));
    await setUp.clock.advance(1_000);
    expect(setUp.socket.take("ack")).to.deep.equal([ack(4)]);
  });

  it("is sent before the client closes, and by acknowledge()", () => {
    for (const method of ["close", "acknowledge"] as const) {
      const setUp = new ClientSetUp();
      const socket = setUp.connected();
      socket.receive(...messages(1, 3));
      setUp.client[method]();
      expect(socket.take("ack")).to.deep.equal([ack(3)]);
      setUp.client[method]();
      expect(socket.take("ack"), "nothing is new").to.deep.equal([]);
    }
  });

  it("rides along with the next connection's resume, whether or not it was sent over the last one", async () => {
    for (const waitedMs of [0, 1_000]) {
      const setUp = new ClientSetUp();
      setUp.connected(0, { ackSeconds: 1 }).receive(message(1));
      await setUp.clock.advance(waitedMs);
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      setUp.socket.accept();
      expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(1)]);
      setUp.socket.receive(hello(1, { ackSeconds: 1 }), ...answer({ first: 2, through: 1 }).slice(1));
      await setUp.clock.advance(5_000);
      setUp.client.close();
      expect(setUp.socket.take("ack"), `after ${waitedMs} ms`).to.deep.equal([]);
    }
  });

  it("rides along with the resume of a connection that replaces another", async () => {
    const setUp = new ClientSetUp({ maxConnectionMs: 10_000 });
    setUp.connected().receive(message(1));
    await setUp.clock.advance(8_500);
    const [old, next] = setUp.sockets.all;
    next?.accept();
    expect(next?.take("resume")).to.deep.equal([resumeAfter(1)]);
    next?.receive(...answer({ first: 2, through: 1 }));
    expect(old?.closedWith).to.equal(1000);
    setUp.client.close();
    expect([old?.take("ack"), next?.take("ack")]).to.deep.equal([[], []]);
  });

  it("is still due for a message that is handled while the resume is under way", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(1).end();
    await setUp.clock.advance(1_000);
    const { socket } = setUp;
    socket.accept();
    socket.receive(message(2));
    expect(socket.take("resume")).to.deep.equal([resumeAfter(1)]);
    socket.receive(hello(2, { ackSeconds: 1 }), ...answer({ first: 2, through: 2 }).slice(1));
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.deep.equal([ack(2)]);
  });

  it("does not count as sent for the cursor of a request that may be lost: the answer may be an earlier one's", async () => {
    const setUp = new ClientSetUp({ resumeTimeoutMs: 10_000, heartbeatIntervalMs: 540_000 });
    setUp.connected(1).end();
    await setUp.clock.advance(1_000);
    const { socket } = setUp;
    socket.accept();
    socket.receive(message(2));
    await setUp.clock.advance(10_000);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(1), resumeAfter(2)]);
    socket.receive(...answer({ first: 2, through: 2 }));
    setUp.client.close();
    expect(socket.take("ack")).to.deep.equal([ack(2)]);
  });

  it("is not repeated for a stored cursor: the resume has carried it", async () => {
    const setUp = new ClientSetUp({ cursorStore: memoryCursorStore(cursor(7)) });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(7)]);
    setUp.socket.receive(hello(7, { ackSeconds: 1 }), ...answer({ first: 8, through: 7 }).slice(1));
    await setUp.clock.advance(5_000);
    setUp.client.close();
    expect(setUp.socket.take("ack")).to.deep.equal([]);
  });

  for (const [what, failure] of Object.entries(failures)) {
    it(`is followed by a resume, which acknowledges, after a pause if it fails with ${what}`, async () => {
      const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, backoffBaseMs: 1_000 });
      const socket = setUp.connected(0, { ackSeconds: 1 });
      socket.receive(message(1));
      await setUp.clock.advance(1_000);
      expect(socket.take("ack")).to.deep.equal([ack(1)]);
      socket.receive(failure);
      await setUp.clock.advance(499);
      expect(socket.sent).to.deep.equal([]);
      await setUp.clock.advance(1);
      expect(socket.sent).to.deep.equal([resumeAfter(1)]);
      socket.receive(hello(1), ...answer({ first: 2, through: 1 }).slice(1));
      await setUp.clock.advance(60_000);
      expect(socket.sent).to.deep.equal([resumeAfter(1)]);
      expect(setUp.client.state).to.equal("connected");
    });
  }

  it("is left to the next connection's resume if a closing socket does not accept it", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected(0, { ackSeconds: 1 });
    socket.receive(message(1));
    socket.send = () => {
      throw new Error("InvalidStateError");
    };
    await setUp.clock.advance(1_000);
    socket.end();
    await setUp.clock.advance(1_000);
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(1)]);
  });

  it("waits for the next connection if a message is handled after close, and leaves no timer", async () => {
    let finish = (): void => undefined;
    const setUp = new ClientSetUp({ onMessage: () => new Promise((resolve) => (finish = resolve)) });
    setUp.connected(0, { ackSeconds: 1 }).receive(message(1));
    setUp.client.close();
    finish();
    await setUp.clock.advance(0);
    expect(setUp.clock.pending).to.equal(0);
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(1)]);
  });
});
