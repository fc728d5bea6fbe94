import { expect } from "chai";
import { answer, ClientSetUp, hello, message } from "./clientSetUp";
import { resumeAfter } from "./clientSetUp";

describe("the client, resuming", () => {
  it("requests again without a response, each time after a longer pause", async () => {
    const setUp = new ClientSetUp({ resumeTimeoutMs: 10_000, heartbeatIntervalMs: 540_000 });
    setUp.randomly = 1;
    setUp.client.connect();
    setUp.socket.accept();
    for (const pauseMs of [10_000, 11_000, 12_000, 14_000]) {
      setUp.socket.sent.length = 0;
      await setUp.clock.advance(pauseMs - 1);
      expect(setUp.socket.sent).to.deep.equal([]);
      await setUp.clock.advance(1);
      expect(setUp.socket.sent).to.deep.equal([{ action: "resume" }]);
    }
  });

  it("requests again if a page stops in the middle", async () => {
    const setUp = new ClientSetUp({ resumeTimeoutMs: 10_000 });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.sent.length = 0;
    setUp.socket.receive(...answer({ first: 1, through: 4 }).slice(0, 4));
    await setUp.clock.advance(9_999);
    expect(setUp.socket.take("resume")).to.deep.equal([]);
    await setUp.clock.advance(1);
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(2)]);
  });

  it("pauses between requests for a number that the relay has and does not send", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    setUp.randomly = 1;
    const socket = setUp.connected();
    socket.onSent = ({ action }) => {
      if (action === "resume") socket.receive(hello(3), { type: "resumed", recovered: true, first: 1, through: 0 });
    };
    socket.receive(message(3));
    await setUp.clock.advance(60_000);
    // 250 ms and then 1, 2, 4, 8, 16, 32 s more.
    expect(socket.take("resume")).to.have.lengthOf(6);
  });

  it("requests again after a pause if the relay or the gateway failed", async () => {
    for (const failure of [
      { type: "error", code: "unavailable", message: "a fault" },
      { message: "Internal server error", connectionId: "c1", requestId: "r1" },
    ]) {
      const setUp = new ClientSetUp({ backoffBaseMs: 1_000 });
      setUp.client.connect();
      setUp.socket.accept();
      setUp.socket.sent.length = 0;
      setUp.socket.receive(failure);
      expect(setUp.errorCodes).to.deep.equal(["unavailable"]);
      await setUp.clock.advance(499);
      expect(setUp.socket.sent).to.deep.equal([]);
      await setUp.clock.advance(1);
      expect(setUp.socket.sent).to.deep.equal([{ action: "resume" }]);
      setUp.accepted();
      expect(setUp.client.state).to.equal("connected");
    }
  });

  it("does not repeat a frame that the relay rejected", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000 });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.sent.length = 0;
    setUp.socket.receive({ type: "error", code: "bad-request", message: "cursor.seq is 1.5" });
    expect(setUp.errors[0]).to.include({ code: "bad-request" });
    expect(setUp.errors[0]?.message).to.include("cursor.seq is 1.5");
    setUp.socket.receive(message(9));
    await setUp.clock.advance(500_000);
    expect(setUp.socket.sent).to.deep.equal([]);
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });

  it("repeats a resume if a resume or an acknowledgement failed, and not if one was rejected", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, resumeTimeoutMs: 60_000 });
    const fault = { type: "error", code: "unavailable", message: "a fault" };
    const socket = setUp.connected();
    socket.receive(message(1));
    for (const action of ["ack", "resume", undefined]) {
      socket.receive({ ...fault, action }, { type: "pong" });
      await setUp.clock.advance(5_000);
      expect(socket.take("resume"), action).to.deep.equal([resumeAfter(1)]);
      socket.receive(hello(1), { type: "resumed", recovered: true, first: 2, through: 1 });
    }

    socket.receive(message(2), message(4));
    await setUp.clock.advance(250);
    expect(socket.take("resume"), "it has gone on since").to.deep.equal([resumeAfter(2)]);
    socket.receive({ ...fault, code: "bad-request", action: "ack" });
    await setUp.clock.advance(5_000);
    expect(socket.take("resume")).to.deep.equal([]);
    socket.receive({ ...fault, action: "resume" });
    await setUp.clock.advance(1_000);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(2)]);
    expect(setUp.errorCodes).to.deep.equal(["unavailable", "unavailable", "unavailable", "bad-request", "unavailable"]);
  });

  it("opens another connection if the relay does not know this one", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(2).receive({ type: "error", code: "no-session", message: "no such session" });
    expect(setUp.socket.closedWith).to.equal(1000);
    expect(setUp.states.at(-1))
      .to.include({ state: "waiting" })
      .and.to.have.property("reason")
      .that.includes("no such");
    await setUp.clock.advance(1_000);
    setUp.accepted(2);
    expect(setUp.sockets.all).to.have.lengthOf(2);
    expect(setUp.client.state).to.equal("connected");
  });

  it("ignores frames of a later version", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive({ type: "weather", mood: "fine" }, message(1));
    expect(setUp.messages).to.deep.equal(["m1"]);
    expect(setUp.errors).to.deep.equal([]);
  });

  for (const [what, data] of Object.entries({
    "a frame that is not JSON": "{",
    "a text": '"hello"',
    "an array with a number": "[1]",
    null: "null",
    "a null in an array": "[null]",
    "a message without a number": JSON.stringify(message(1, { seq: undefined as never })),
    "a message whose number is a fraction": JSON.stringify(message(1.5)),
    "a message with the number 0": JSON.stringify(message(0)),
    "a message without an epoch": JSON.stringify(message(1, { epoch: 1 as never })),
    "a hello without numbers": '{"type":"hello"}',
    "a hello whose ackSeconds is a text": JSON.stringify(hello(0, { ackSeconds: "soon" as never })),
    "a result without numbers": '{"type":"resumed","recovered":true}',
    "a binary frame": new Uint8Array([1]),
  })) {
    it(`reports ${what}, and continues`, () => {
      const setUp = new ClientSetUp();
      const socket = setUp.connected();
      socket.receiveData(data);
      expect(setUp.errorCodes).to.deep.equal(["frame"]);
      socket.receive(message(1));
      expect(setUp.messages).to.deep.equal(["m1"]);
    });
  }
});
