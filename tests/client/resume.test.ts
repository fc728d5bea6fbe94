import { expect } from "chai";
import { answer, bodies, ClientSetUp, EPOCH, hello, message, messages } from "./clientSetUp";

const cursor = (seq: number) => ({ epoch: EPOCH, seq });
const resumeAfter = (seq: number) => ({ action: "resume", cursor: cursor(seq) });

describe("the client, resuming", () => {
  it("asks for what was not acknowledged with its first frame, and is connected once that is answered", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([{ action: "resume" }]);
    expect(setUp.client.state).to.equal("connecting");

    setUp.socket.receive(...answer({ first: 4, through: 6 }));
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.messages).to.deep.equal(bodies(4, 6));
    expect(setUp.client.cursor).to.deep.equal(cursor(6));
  });

  it("asks after its own cursor when it comes back", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(3).receive(message(4));
    setUp.socket.end();
    await setUp.clock.advance(1_000);
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([resumeAfter(4)]);
  });

  it("asks from the oldest where it is told to", () => {
    const setUp = new ClientSetUp({ from: "oldest" });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([{ action: "resume", from: "oldest" }]);
  });

  it("keeps live messages that come before the answer until it knows where they belong", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(message(7));
    expect(setUp.messages).to.deep.equal([]);
    setUp.socket.receive(...answer({ first: 4, through: 6 }));
    expect(setUp.messages).to.deep.equal(bodies(4, 7));
  });

  it("orders and de-duplicates", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    for (const seq of [2, 3, 1, 1, 3, 5, 4, 2]) socket.receive(message(seq));
    expect(setUp.messages).to.deep.equal(bodies(1, 5));
  });

  it("reads a frame of several messages, more than it would keep", () => {
    const setUp = new ClientSetUp({ maxBufferedMessages: 10 });
    setUp.connected().receive(...messages(1, 100));
    expect(setUp.messages).to.deep.equal(bodies(1, 100));
  });

  it("asks for the next page as soon as it has come to the end of one", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.sent.length = 0;
    const [greeting, resumed, ...page] = answer({ first: 1, through: 4, newest: 6 });
    setUp.socket.receive(greeting as object, resumed as object, ...page.slice(0, 2));
    expect(setUp.socket.sent).to.deep.equal([]);
    setUp.socket.receive(...page.slice(2));
    expect(setUp.socket.sent).to.deep.equal([resumeAfter(4)]);

    setUp.socket.receive(...answer({ first: 5, through: 6 }));
    expect(setUp.socket.take("resume")).to.have.lengthOf(1);
    expect(setUp.messages).to.deep.equal(bodies(1, 6));
  });

  it("waits a little for a number that was overtaken, and asks for one that does not come", async () => {
    const setUp = new ClientSetUp({ gapWaitMs: 250 });
    const socket = setUp.connected();
    socket.receive(message(2));
    await setUp.clock.advance(249);
    expect(socket.sent).to.deep.equal([]);
    socket.receive(message(1));
    await setUp.clock.advance(500);
    expect(socket.take("resume")).to.deep.equal([]);

    socket.receive(message(4));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(2)]);
    socket.receive(...answer({ first: 3, through: 4 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 4));
  });

  it("asks again where an answer does not come, each time after a longer pause", async () => {
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

  it("asks again where a page stops in its middle", async () => {
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

  it("does not ask without a pause where the relay has a number and does not send it", async () => {
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

  it("asks again after a pause where the relay, or the gateway, could not answer", async () => {
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

  it("does not repeat what the relay does not understand", async () => {
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

  it("repeats what an error answers, and nothing else", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, resumeTimeoutMs: 60_000 });
    const fault = { type: "error", code: "unavailable", message: "a fault" };
    const socket = setUp.connected();
    socket.receive(message(1));
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.have.lengthOf(1);

    socket.receive({ ...fault, action: "resume" }, { type: "pong" });
    await setUp.clock.advance(1_000);
    expect(socket.sent, "an acknowledgement did not fail").to.deep.equal([]);
    socket.receive({ ...fault, action: "ack" }, { type: "pong" });
    await setUp.clock.advance(1_000);
    expect(socket.take("ack")).to.have.lengthOf(1);

    socket.receive(message(3));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(1)]);
    socket.receive({ ...fault, action: "ack" }, { ...fault, code: "bad-request", action: "ack" });
    await setUp.clock.advance(5_000);
    expect(socket.take("resume"), "a resume did not fail").to.deep.equal([]);
    socket.receive({ ...fault, action: "resume" });
    await setUp.clock.advance(1_000);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(1)]);
    expect(setUp.errorCodes).to.deep.equal(["unavailable", "unavailable", "unavailable", "bad-request", "unavailable"]);
  });

  it("opens another connection where the relay does not know this one", async () => {
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

  it("hands over what is lost in its place, and goes on after it", () => {
    const setUp = new ClientSetUp({ cursorStore: { get: () => cursor(2), set: () => undefined } });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 5, through: 6, recovered: false, lost: "expired" }));
    expect(setUp.gaps).to.deep.equal([{ lost: "expired", after: cursor(2), first: 5, epoch: EPOCH }]);
    expect(setUp.messages).to.deep.equal(bodies(5, 6));
  });

  it("says that messages are missing where there is no onGap", () => {
    const setUp = new ClientSetUp({
      onGap: undefined,
      cursorStore: { get: () => cursor(2), set: () => undefined },
    });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 5, through: 4, recovered: false, lost: "expired" }));
    expect(setUp.errorCodes).to.deep.equal(["gap"]);
    expect(setUp.client.cursor).to.deep.equal(cursor(4));
  });

  it("tells of an expired message, whose number counts as seen", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive(message(1), message(2, { body: undefined, expired: true }), message(3));
    expect(setUp.expired).to.deep.equal([2]);
    expect(setUp.messages).to.deep.equal(["m1", "m3"]);
    expect(setUp.client.cursor).to.deep.equal(cursor(3));
  });

  it("takes a member that is null for one that is absent", () => {
    const setUp = new ClientSetUp({ cursorStore: { get: () => cursor(2), set: () => undefined } });
    setUp.client.connect();
    setUp.socket.accept();
    const greeting = { type: "hello", epoch: null, oldest: 1, newest: 0 };
    const resumed = { type: "resumed", recovered: false, lost: null, first: 1, through: 0 };
    setUp.socket.receive({ ...greeting, epoch: EPOCH, newest: 6, extra: null }, { ...resumed, first: 5, through: 6 });
    const body = { body: null, expired: true };
    setUp.socket.receive({ ...message(5), expired: null }, { ...message(6), ...body });
    expect(setUp.gaps).to.deep.equal([{ lost: "expired", after: cursor(2), first: 5, epoch: EPOCH }]);
    expect([setUp.messages, setUp.expired]).to.deep.equal([["m5"], [6]]);

    const empty = new ClientSetUp();
    empty.client.connect();
    empty.socket.accept();
    empty.socket.receive(greeting, { ...resumed, recovered: true });
    empty.socket.receive(message(1));
    expect(empty.messages).to.deep.equal(["m1"]);
    expect([setUp.errors, empty.errors]).to.deep.equal([[], []]);
  });

  it("tells in its place of a message that expires while it is connected", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    for (const each of [message(3), message(2, { body: undefined, expired: true }), message(1)]) socket.receive(each);
    expect([setUp.messages, setUp.expired]).to.deep.equal([["m1", "m3"], [2]]);
    expect(setUp.client.cursor).to.deep.equal(cursor(3));
  });

  it("shows nothing of another epoch before it has asked: its own may be over, or the message late", async () => {
    const setUp = new ClientSetUp({ gapWaitMs: 250 });
    const socket = setUp.connected(5);
    const late = message(4, { epoch: "e0" });
    const next = message(2, { epoch: "e2" });
    for (const other of [late, next]) {
      socket.receive(other);
      await setUp.clock.advance(250);
      expect(socket.take("resume")).to.deep.equal([resumeAfter(5)]);
      expect(setUp.messages).to.deep.equal([]);
      if (other === late) socket.receive(...answer({ first: 6, through: 5 }));
    }
    socket.receive(...answer({ first: 1, through: 3, recovered: false, lost: "epoch" }, "e2"));
    expect(setUp.gaps).to.deep.equal([{ lost: "epoch", after: cursor(5), first: 1, epoch: "e2" }]);
    expect(setUp.messages).to.deep.equal(bodies(1, 3));
    expect(setUp.client.cursor).to.deep.equal({ epoch: "e2", seq: 3 });
    await setUp.clock.advance(10_000);
    expect(socket.take("resume")).to.deep.equal([]);
  });

  it("asks for number 1 of a session that was empty where number 2 comes first", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(2));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(0)]);
    expect(setUp.messages).to.deep.equal([]);
    socket.receive(...answer({ first: 1, through: 2 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
  });

  it("drops a cursor that is older than an empty session, tells so, and begins with number 1", async () => {
    const setUp = new ClientSetUp({ cursorStore: { get: () => ({ epoch: "e0", seq: 7 }), set: () => undefined } });
    setUp.client.connect();
    const { socket } = setUp;
    socket.accept();
    socket.receive(...answer({ first: 1, through: 0, recovered: false, lost: "epoch" }));
    expect(setUp.gaps).to.deep.equal([{ lost: "epoch", after: { epoch: "e0", seq: 7 }, first: 1, epoch: undefined }]);
    socket.sent.length = 0;
    socket.receive(message(2));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(0)]);
    socket.receive(message(1));
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
    expect(setUp.gaps).to.have.lengthOf(1);
  });

  it("passes over frames of a later version", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive({ type: "weather", mood: "fine" }, message(1));
    expect(setUp.messages).to.deep.equal(["m1"]);
    expect(setUp.errors).to.deep.equal([]);
  });

  for (const [what, data] of Object.entries({
    "no JSON": "{",
    "a text": '"hello"',
    "no object in an array": "[1]",
    null: "null",
    "a null in an array": "[null]",
    "a message without a number": JSON.stringify(message(1, { seq: undefined as never })),
    "a message whose number is a fraction": JSON.stringify(message(1.5)),
    "a message without an epoch": JSON.stringify(message(1, { epoch: 1 as never })),
    "a hello without numbers": '{"type":"hello"}',
    "a result without numbers": '{"type":"resumed","recovered":true}',
    "a binary frame": new Uint8Array([1]),
  })) {
    it(`reports ${what}, and goes on`, () => {
      const setUp = new ClientSetUp();
      const socket = setUp.connected();
      socket.receiveData(data);
      expect(setUp.errorCodes).to.deep.equal(["frame"]);
      socket.receive(message(1));
      expect(setUp.messages).to.deep.equal(["m1"]);
    });
  }

  it("asks for nothing while much waits to be handed over, and for what it left once that is done", async () => {
    const waiting: (() => void)[] = [];
    const setUp = new ClientSetUp({
      maxBufferedMessages: 4,
      heartbeatIntervalMs: 540_000,
      onMessage: ({ body }) =>
        new Promise((resolve) => {
          setUp.messages.push(body);
          waiting.push(resolve);
        }),
    });
    const socket = setUp.connected();
    for (const each of messages(1, 9)) socket.receive(each);
    await setUp.clock.advance(60_000);
    expect(socket.take("resume")).to.deep.equal([]);

    for (let done = 0; done < 5; done++) {
      waiting.shift()?.();
      await setUp.clock.advance(0);
    }
    await setUp.clock.advance(250);
    expect(setUp.messages).to.deep.equal(bodies(1, 5));
    expect(socket.take("resume")).to.deep.equal([resumeAfter(5)]);
  });
});
