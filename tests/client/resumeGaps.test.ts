import { expect } from "chai";
import { answer, bodies, ClientSetUp, EPOCH, message } from "./clientSetUp";
import { cursor, resumeAfter } from "./clientSetUp";

describe("the client, resuming", () => {
  it("reports a gap in its place, and continues after it", () => {
    const setUp = new ClientSetUp({ cursorStore: { get: () => cursor(2), set: () => undefined } });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 5, through: 6, recovered: false, lost: "expired" }));
    expect(setUp.gaps).to.deep.equal([{ lost: "expired", after: cursor(2), first: 5, epoch: EPOCH }]);
    expect(setUp.messages).to.deep.equal(bodies(5, 6));
  });

  it("reports an error for missing messages without onGap", () => {
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

  it("passes on an expired message, and its number counts as seen", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive(message(1), message(2, { body: undefined, expired: true }), message(3));
    expect(setUp.expired).to.deep.equal([2]);
    expect(setUp.messages).to.deep.equal(["m1", "m3"]);
    expect(setUp.client.cursor).to.deep.equal(cursor(3));
  });

  it("treats a member that is null as absent", () => {
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

  it("passes on a message that expires while it is connected, in its place", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    for (const each of [message(3), message(2, { body: undefined, expired: true }), message(1)]) socket.receive(each);
    expect([setUp.messages, setUp.expired]).to.deep.equal([["m1", "m3"], [2]]);
    expect(setUp.client.cursor).to.deep.equal(cursor(3));
  });

  it("shows no message of another epoch before it has resumed: its own may have ended, or the message is late", async () => {
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

  it("requests number 1 of a session that was empty if number 2 arrives first", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    socket.receive(message(2));
    await setUp.clock.advance(250);
    expect(socket.take("resume")).to.deep.equal([resumeAfter(0)]);
    expect(setUp.messages).to.deep.equal([]);
    socket.receive(...answer({ first: 1, through: 2 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
  });

  it("drops a cursor that is older than an empty session, reports a gap, and starts with number 1", async () => {
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
});
