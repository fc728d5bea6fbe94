import { expect } from "chai";
import { type CursorStore, memoryCursorStore, type RelayClientOptions, type StreamPiece } from "../../client";
import { type MessageEnvelope, type StreamChunk, SUBPROTOCOLS } from "../../protocol";
import { answer, bodies, ClientSetUp, cursor, hello, living, message, resumeAfter } from "./clientSetUp";

const TIMEOUT_MS = 45_000;

function chunk(offset: number, text: string, rest: Partial<StreamChunk> = {}): string {
  return JSON.stringify({ type: "websocket-relay.stream", id: "s", offset, text, ...rest });
}

function chunkMessage(seq: number, offset: number, text: string, rest: Partial<StreamChunk & { first: number }> = {}) {
  const { first, ...others } = rest;
  return message(seq, { body: chunk(offset, text, others), ...(first !== undefined && { first }) });
}

/** A client with `onStream`, and all that it was called with. */
class StreamSetUp extends ClientSetUp {
  readonly pieces: StreamPiece[];

  constructor(options: Partial<RelayClientOptions> = {}) {
    const pieces: StreamPiece[] = [];
    super({ heartbeatIntervalMs: 540_000, onStream: (piece) => void pieces.push(piece), ...options });
    this.pieces = pieces;
  }

  /** Each piece in short: ID, offset, text and status. */
  take(): string[] {
    return this.pieces.splice(0).map(({ id, offset, text, status }) => `${id} ${offset} ${text} ${status}`);
  }
}

/** `onStream` that is done when the test says so. */
function pending(): { done: () => void; onStream: (piece: StreamPiece) => Promise<void>; pieces: StreamPiece[] } {
  const waiting: (() => void)[] = [];
  const pieces: StreamPiece[] = [];
  return {
    pieces,
    done: () => waiting.shift()?.(),
    onStream: (piece) => {
      pieces.push(piece);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** What a page load finds in the store, and how often it was written. */
function spiedStore(): CursorStore & { value: unknown } {
  return {
    value: undefined,
    get(): undefined {
      return this.value as undefined;
    },
    set(value) {
      this.value = JSON.parse(JSON.stringify(value));
    },
  };
}

describe("the client's streams", () => {
  it("come in the order of their offsets, whatever the order of the chunks, and messages besides them", () => {
    const setUp = new StreamSetUp();
    const socket = setUp.connected();
    socket.receive(chunkMessage(1, 0, "Hel"));
    socket.receive(message(2));
    socket.receive(chunkMessage(3, 5, " wor"));
    expect(setUp.take()).to.deep.equal(["s 0 Hel open"]);
    socket.receive(chunkMessage(4, 9, "ld", { end: "closed" }));
    socket.receive(chunkMessage(5, 3, "lo"));
    expect(setUp.take()).to.deep.equal(["s 3 lo world closed"]);
    expect(setUp.messages).to.deep.equal(bodies(2, 2));
  });

  it("go to onMessage as they are without onStream", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive(chunkMessage(1, 0, "a"), chunkMessage(3, 1, "bc", { first: 2 }), message(4));
    expect(setUp.messages).to.deep.equal([chunk(0, "a"), chunk(1, "bc"), "m4"]);
    expect(setUp.client.cursor).to.deep.equal(cursor(4));
  });

  it("leave a body that only looks like a chunk to onMessage", () => {
    const setUp = new StreamSetUp();
    const body = '{"type":"websocket-relay.stream","id":7}';
    setUp.connected().receive(message(1, { body }));
    expect(setUp.messages).to.deep.equal([body]);
  });

  it("come as one piece for all that has arrived, also where streams alternate, before the next message", () => {
    const calls: string[] = [];
    const setUp = new StreamSetUp({
      onStream: ({ id, text }) => void calls.push(`${id}:${text}`),
      onMessage: ({ body }) => void calls.push(body),
    });
    const socket = setUp.connected();
    socket.receive(
      chunkMessage(1, 0, "a", { id: "x" }),
      chunkMessage(2, 0, "1", { id: "y" }),
      chunkMessage(3, 1, "b", { id: "x" }),
      chunkMessage(4, 1, "2", { id: "y" }),
      message(5),
      chunkMessage(6, 2, "c", { id: "x" }),
    );
    expect(calls).to.deep.equal(["x:ab", "y:12", "m5", "x:c"]);
  });

  it("come as one piece for all that arrives while onStream is pending", async () => {
    const { done, onStream, pieces } = pending();
    const setUp = new StreamSetUp({ onStream });
    const socket = setUp.connected();
    for (let seq = 1; seq <= 5; seq++) socket.receive(chunkMessage(seq, seq - 1, String(seq)));
    expect(pieces.map(({ text }) => text)).to.deep.equal(["1"]);
    done();
    await setUp.clock.advance(0);
    expect(pieces.map(({ text }) => text)).to.deep.equal(["1", "2345"]);
  });

  it("take turns while onStream is pending", async () => {
    const { done, onStream, pieces } = pending();
    const setUp = new StreamSetUp({ onStream });
    const socket = setUp.connected();
    for (let seq = 1; seq <= 6; seq++) {
      socket.receive(chunkMessage(seq, seq - 1, "a", { id: "x" }), chunkMessage(seq + 6, 0, "b", { id: `y${seq}` }));
    }
    for (let count = 0; count < 4; count++) {
      done();
      await setUp.clock.advance(0);
    }
    expect(pieces.slice(0, 3).map(({ id }) => id)).to.deep.equal(["x", "x", "y1"]);
  });

  it("say why they were aborted", () => {
    const setUp = new StreamSetUp();
    setUp.connected().receive(chunkMessage(1, 0, "a", { end: "aborted", reason: "the model failed" }));
    expect(setUp.pieces).to.deep.equal([
      { id: "s", offset: 0, text: "a", status: "aborted", reason: "the model failed" },
    ]);
  });

  it("pass no empty piece for a keep-alive", () => {
    const setUp = new StreamSetUp();
    setUp.connected().receive(chunkMessage(1, 0, ""), chunkMessage(2, 0, "a"), chunkMessage(3, 1, ""));
    expect(setUp.take()).to.deep.equal(["s 0 a open"]);
  });

  it("go on after an onStream that throws or rejects, which is reported", async () => {
    for (const fail of [
      () => {
        throw new Error("no");
      },
      () => Promise.reject(new Error("no")),
    ]) {
      let calls = 0;
      const setUp = new StreamSetUp({ onStream: () => (++calls === 1 ? fail() : undefined) });
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      await setUp.clock.advance(0);
      socket.receive(chunkMessage(2, 1, "b", { end: "closed" }));
      expect(setUp.errors.map(({ message: text }) => text)).to.deep.equal(["onStream failed; it counts as handled"]);
      expect([calls, setUp.client.cursor]).to.deep.equal([2, cursor(2)]);
    }
  });

  describe("in envelopes that cover several messages", () => {
    it("count as all of them", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(3, 0, "abc", { first: 1 }), chunkMessage(5, 3, "de", { first: 4, end: "closed" }));
      await setUp.clock.advance(1_000);
      expect(setUp.take()).to.deep.equal(["s 0 abcde closed"]);
      expect(setUp.client.cursor).to.deep.equal(cursor(5));
      expect(socket.take("resume")).to.deep.equal([]);
    });

    it("are trimmed where a part is known already, and dropped where all is", () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      socket.receive(chunkMessage(3, 0, "abc", { first: 1 }));
      socket.receive(chunkMessage(2, 0, "ab", { first: 1 }));
      expect(setUp.take()).to.deep.equal(["s 0 a open", "s 1 bc open"]);
    });

    it("wait for earlier numbers, and overlap while they wait", () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(4, 2, "cd", { first: 3 }));
      socket.receive(chunkMessage(6, 3, "def", { first: 4 }));
      expect(setUp.take()).to.deep.equal([]);
      socket.receive(chunkMessage(2, 0, "ab", { first: 1 }));
      expect(setUp.take()).to.deep.equal(["s 0 abcdef open"]);
    });

    for (const first of [0, 4, 1.5]) {
      it(`are reported if first is ${JSON.stringify(first)}, and ignored`, () => {
        const setUp = new StreamSetUp();
        setUp.connected().receive({ ...message(3), first });
        expect([setUp.errorCodes, setUp.messages]).to.deep.equal([["frame"], []]);
      });
    }
  });

  describe("in retry mode", () => {
    function raw(options: Partial<RelayClientOptions> = {}) {
      const setUp = new StreamSetUp(options);
      setUp.client.connect();
      setUp.socket.accept(SUBPROTOCOLS.raw);
      return setUp;
    }

    it("are known by their bodies; duplicates and overlaps are dropped", () => {
      const setUp = raw();
      for (const body of [chunk(0, "ab"), chunk(0, "ab"), chunk(3, "d"), chunk(1, "bc"), "other", chunk(2, "cd")]) {
        setUp.socket.receiveData(body);
      }
      expect(setUp.take()).to.deep.equal(["s 0 ab open", "s 2 cd open"]);
      expect(setUp.messages).to.deep.equal(["other"]);
    });

    it("do not begin again with a duplicate that comes after the end", async () => {
      const setUp = raw();
      for (const body of [chunk(0, "ab"), chunk(2, "", { end: "closed" })]) setUp.socket.receiveData(body);
      expect(setUp.take()).to.deep.equal(["s 0 ab open", "s 2  closed"]);
      for (const body of [chunk(0, "ab"), chunk(2, "", { end: "closed" })]) setUp.socket.receiveData(body);
      await living(setUp, 2 * TIMEOUT_MS);
      expect(setUp.take()).to.deep.equal([]);
    });

    it("are passed on after close, since they are not sent again", async () => {
      const { done, onStream, pieces } = pending();
      const setUp = raw({ onStream });
      for (const body of [chunk(0, "a"), chunk(1, "b")]) setUp.socket.receiveData(body);
      setUp.client.close();
      done();
      await setUp.clock.advance(0);
      expect(pieces.map(({ text }) => text)).to.deep.equal(["a", "b"]);
    });
  });

  describe("that are silent", () => {
    it("time out after streamTimeoutMs, and keep-alives put that off", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      for (let seq = 2; seq <= 5; seq++) {
        await living(setUp, 15_000);
        socket.receive(chunkMessage(seq, 1, ""));
      }
      await living(setUp, TIMEOUT_MS - 1);
      expect(setUp.take()).to.deep.equal(["s 0 a open"]);
      await living(setUp, 1);
      expect(setUp.take()).to.deep.equal(["s 1  timed-out"]);
      expect(setUp.client.cursor).to.deep.equal(cursor(5));
      await living(setUp, 10 * TIMEOUT_MS);
      expect(setUp.take()).to.deep.equal([]);
    });

    it("time out after the time that the program sets, if the connection answers a ping", async () => {
      const setUp = new StreamSetUp({ streamTimeoutMs: 2_000 });
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      await living(setUp, 2_000);
      expect(socket.take("ping")).to.have.lengthOf(1);
      expect(setUp.take()).to.deep.equal(["s 0 a open", "s 1  timed-out"]);
    });

    it("do not time out if it is the connection that is dead", async () => {
      const setUp = new StreamSetUp();
      setUp.connected().receive(chunkMessage(1, 0, "a"));
      await setUp.clock.advance(TIMEOUT_MS + 1_000);
      expect(setUp.take()).to.deep.equal(["s 0 a open"]);
      expect(setUp.sockets.all).to.have.lengthOf(2);
    });

    it("do not time out while the client is not connected, and have the whole time afterwards", async () => {
      const setUp = new StreamSetUp();
      setUp.connected().receive(chunkMessage(1, 0, "a"));
      await living(setUp, TIMEOUT_MS - 11_000);
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      await setUp.clock.advance(20_000);
      setUp.accepted(1);
      await living(setUp, TIMEOUT_MS - 1);
      expect(setUp.take()).to.deep.equal(["s 0 a open"]);
      await living(setUp, 1);
      expect(setUp.take()).to.deep.equal(["s 1  timed-out"]);
    });

    it("do not time out while a chunk waits behind a slow callback", async () => {
      const { done, onStream, pieces } = pending();
      const setUp = new StreamSetUp({ onStream });
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      socket.receive(chunkMessage(2, 1, "b"));
      await living(setUp, 3 * TIMEOUT_MS);
      done();
      await living(setUp, 0);
      expect(pieces.map(({ text, status }) => `${text} ${status}`)).to.deep.equal(["a open", "b open"]);
    });

    it("time out if a part in the middle does not arrive, and what came after it is given up", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      for (let seq = 2; seq <= 5; seq++) {
        socket.receive(chunkMessage(seq, seq, "x"));
        await living(setUp, 15_000);
      }
      expect(setUp.take()).to.deep.equal(["s 0 a open", "s 1  timed-out"]);
      socket.receive(chunkMessage(6, 6, "x", { end: "closed" }));
      await living(setUp, 2 * TIMEOUT_MS);
      expect(setUp.take()).to.deep.equal([]);
      expect(setUp.client.cursor).to.deep.equal(cursor(6));
    });

    it("go on after that with a chunk that begins exactly where they stopped", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "ab"));
      await living(setUp, TIMEOUT_MS);
      socket.receive(chunkMessage(2, 1, "b"));
      socket.receive(chunkMessage(3, 2, "c"));
      socket.receive(chunkMessage(4, 3, "", { end: "closed" }));
      expect(setUp.take()).to.deep.equal(["s 0 ab open", "s 2  timed-out", "s 2 c open", "s 3  closed"]);
    });

    it("pass what has arrived with its offset if the beginning does not arrive", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      for (let seq = 1; seq <= 4; seq++) {
        socket.receive(chunkMessage(seq, 10 + seq, "x"));
        await living(setUp, 15_000);
      }
      expect(setUp.take()).to.deep.equal(["s 11 xxx open", "s 14 x open"]);
      socket.receive(chunkMessage(5, 15, "y", { end: "closed" }));
      expect(setUp.take()).to.deep.equal(["s 15 y closed"]);
    });

    it("pass all that has arrived if the beginning does not arrive, whatever the order of the chunks", async () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      for (const [seq, offset] of [7, 5, 9, 3, 11].entries()) socket.receive(chunkMessage(seq + 1, offset, "xy"));
      await living(setUp, TIMEOUT_MS);
      expect(setUp.take()).to.deep.equal(["s 3 xyxyxyxyxy open"]);
    });

    it("leave no timer when they end, or when the client is closed", () => {
      for (const end of [true, false]) {
        const setUp = new StreamSetUp();
        const socket = setUp.connected();
        const before = setUp.clock.pending;
        socket.receive(chunkMessage(1, 0, "a"));
        expect(setUp.clock.pending).to.equal(before + 1);
        if (end) socket.receive(chunkMessage(2, 1, "", { end: "closed" }));
        else setUp.client.close();
        expect(setUp.clock.pending).to.equal(end ? before : 0);
      }
    });
  });

  describe("that are open", () => {
    it("keep the cursor before their first message: in acknowledgements, resumes and the store", async () => {
      const cursorStore = spiedStore();
      const setUp = new StreamSetUp({ ackDelayMs: 1_000, cursorStore });
      const socket = setUp.connected();
      socket.receive(message(1), message(2), chunkMessage(3, 0, "a"), message(4));
      await setUp.clock.advance(1_000);
      expect(socket.take("ack")).to.deep.equal([{ action: "ack", cursor: cursor(2) }]);
      socket.receive(message(5));
      await setUp.clock.advance(5_000);
      setUp.client.acknowledge();
      expect(socket.take("ack"), "nothing is new").to.deep.equal([]);
      expect(setUp.client.cursor).to.deep.equal(cursor(2));
      expect(cursorStore.value).to.deep.equal({ ...cursor(2), handled: 5, open: ["s"] });
      socket.end();
      await setUp.clock.advance(1_000);
      setUp.socket.accept();
      expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(2, 5)]);
    });

    for (const [name, end] of Object.entries({ closed: { end: "closed" }, aborted: { end: "aborted" } } as const)) {
      it(`let the cursor pass once they are ${name} and that is handled`, async () => {
        const { done, onStream } = pending();
        const cursorStore = spiedStore();
        const setUp = new StreamSetUp({ onStream, cursorStore });
        setUp.connected().receive(chunkMessage(1, 0, "a", end), message(2));
        expect(setUp.client.cursor).to.deep.equal(cursor(0));
        done();
        await setUp.clock.advance(0);
        expect(cursorStore.value).to.deep.equal(cursor(2));
        setUp.client.close();
        expect(setUp.socket.sent).to.deep.equal([{ action: "ack", cursor: cursor(2) }]);
      });
    }

    it("keep it before the oldest of them", () => {
      const setUp = new StreamSetUp();
      const socket = setUp.connected();
      for (let seq = 1; seq <= 3; seq++)
        socket.receive(message(seq * 2 - 1), chunkMessage(seq * 2, 0, "a", { id: `s${seq}` }));
      const end = (seq: number, id: string) => socket.receive(chunkMessage(seq, 1, "", { id, end: "closed" }));
      expect(setUp.client.cursor?.seq).to.equal(1);
      end(7, "s2");
      expect(setUp.client.cursor?.seq).to.equal(1);
      end(8, "s1");
      expect(setUp.client.cursor?.seq).to.equal(5);
      end(9, "s3");
      expect(setUp.client.cursor?.seq).to.equal(9);
    });

    it("are not passed twice when the relay sends them again, and messages are not either", async () => {
      const setUp = new StreamSetUp();
      setUp.connected().receive(chunkMessage(1, 0, "a"), message(2));
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      setUp.socket.accept();
      setUp.socket.receive(...answer({ first: 1, through: 3 }).slice(0, 2), chunkMessage(1, 0, "a"), message(2));
      setUp.socket.receive(chunkMessage(3, 1, "b", { end: "closed" }));
      expect([setUp.take(), setUp.messages]).to.deep.equal([["s 0 a open", "s 1 b closed"], ["m2"]]);
    });

    it("do not keep a page from the next one, even if they began before it", async () => {
      const setUp = new StreamSetUp();
      setUp.connected().receive(chunkMessage(1, 0, "a"), message(2), message(3));
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      const { socket } = setUp;
      socket.accept();
      expect(socket.take("resume")).to.deep.equal([resumeAfter(0, 3)]);
      socket.receive(hello(5), { type: "resumed", recovered: true, first: 4, through: 4 }, message(4));
      expect(socket.take("resume"), "the page after what it has").to.deep.equal([resumeAfter(0, 4)]);
      socket.receive(hello(5), { type: "resumed", recovered: true, first: 5, through: 5 }, message(5));
      expect(setUp.messages).to.deep.equal(bodies(2, 5));
      expect(setUp.client.cursor).to.deep.equal(cursor(0));
    });

    it("come whole after a restart with a store, without the messages and streams that were handled meanwhile", () => {
      const cursorStore = spiedStore();
      const page = [
        message(1),
        chunkMessage(2, 0, "ab"),
        message(3),
        chunkMessage(4, 0, "x", { id: "other", end: "closed" }),
        chunkMessage(5, 2, "cd"),
      ];
      new StreamSetUp({ cursorStore }).connected().receive(...page);
      expect(cursorStore.value).to.deep.equal({ ...cursor(1), handled: 5, open: ["s"] });

      const again = new StreamSetUp({ cursorStore });
      again.client.connect();
      again.socket.accept();
      expect(again.socket.take("resume")).to.deep.equal([resumeAfter(1)]);
      const [greeting, resumed] = answer({ first: 2, through: 6 });
      again.socket.receive(greeting as object, resumed as object, ...page.slice(1), message(6));
      expect(again.take()).to.deep.equal(["s 0 abcd open"]);
      expect(again.messages).to.deep.equal(bodies(6, 6));
      again.socket.receive(chunkMessage(7, 4, "", { end: "closed" }));
      expect(cursorStore.value).to.deep.equal(cursor(7));
    });

    it("leave the stored value as it is while messages come again, so that another restart finds it", () => {
      const value = { ...cursor(0), handled: 5, open: ["s"] };
      const stored: unknown[] = [];
      const setUp = new StreamSetUp({ cursorStore: { get: () => value, set: (newer) => void stored.push(newer) } });
      setUp.client.connect();
      setUp.socket.accept();
      setUp.socket.receive(
        ...answer({ first: 1, through: 3, newest: 6 }).slice(0, 2),
        chunkMessage(1, 0, "a"),
        message(2),
      );
      expect(setUp.take()).to.deep.equal(["s 0 a open"]);
      expect(stored).to.deep.equal([]);
    });

    it("cannot be lost: a chunk that waited for an earlier one comes again after a restart", () => {
      const cursorStore = spiedStore();
      new StreamSetUp({ cursorStore }).connected().receive(chunkMessage(1, 2, "cd"), message(2));
      const again = new StreamSetUp({ cursorStore });
      again.client.connect();
      again.socket.accept();
      const [greeting, resumed] = answer({ first: 1, through: 3 });
      again.socket.receive(
        greeting as object,
        resumed as object,
        chunkMessage(1, 2, "cd"),
        message(2),
        chunkMessage(3, 0, "ab"),
      );
      expect([again.take(), again.messages]).to.deep.equal([["s 0 abcd open"], []]);
    });

    it("are passed from where they are after close and connect", async () => {
      const { done, onStream, pieces } = pending();
      const setUp = new StreamSetUp({ onStream });
      const socket = setUp.connected();
      socket.receive(chunkMessage(1, 0, "a"));
      socket.receive(chunkMessage(2, 1, "b"));
      setUp.client.close();
      done();
      await setUp.clock.advance(0);
      expect(
        pieces.map(({ text }) => text),
        "nothing after close",
      ).to.deep.equal(["a"]);
      setUp.client.connect();
      setUp.socket.accept();
      expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(0, 1)]);
      const page: MessageEnvelope[] = [chunkMessage(2, 0, "ab", { first: 1 }), chunkMessage(3, 2, "c")];
      setUp.socket.receive(...answer({ first: 1, through: 3 }).slice(0, 2), ...page);
      expect(pieces.map(({ text }) => text)).to.deep.equal(["a", "bc"]);
    });

    it("go on after the client was superseded and connects again", () => {
      const setUp = new StreamSetUp();
      setUp.connected().receive(chunkMessage(1, 0, "a"), { type: "superseded" });
      expect(setUp.take()).to.deep.equal(["s 0 a open"]);
      setUp.client.connect();
      setUp.socket.accept();
      setUp.socket.receive(...answer({ first: 1, through: 2 }).slice(0, 2), chunkMessage(2, 0, "ab", { first: 1 }));
      expect(setUp.take()).to.deep.equal(["s 1 b open"]);
    });

    it("let the cursor pass a gap, and go on in memory", async () => {
      const setUp = new StreamSetUp({ ackDelayMs: 1_000 });
      setUp.connected().receive(chunkMessage(1, 0, "a"));
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      const { socket } = setUp;
      socket.accept();
      socket.receive(...answer({ first: 5, through: 6, recovered: false, lost: "expired" }).slice(0, 2));
      expect(setUp.gaps).to.have.lengthOf(1);
      expect(setUp.client.cursor).to.deep.equal(cursor(4));
      socket.receive(chunkMessage(5, 1, "b"), message(6));
      expect(setUp.take()).to.deep.equal(["s 0 a open", "s 1 b open"]);
      await setUp.clock.advance(2_000);
      expect(setUp.client.cursor, "not the text since the gap").to.deep.equal(cursor(4));
      expect(socket.take("ack"), "lost messages are not acknowledged").to.deep.equal([]);
    });

    it("go on in another epoch, and the cursor is of that epoch", async () => {
      const setUp = new StreamSetUp();
      setUp.connected(3).receive(chunkMessage(4, 0, "a"));
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      setUp.socket.accept();
      setUp.socket.receive(...answer({ first: 1, through: 1, recovered: false, lost: "epoch" }, "e2").slice(0, 2));
      setUp.socket.receive({ ...chunkMessage(1, 1, "b", { end: "closed" }), epoch: "e2" });
      expect(setUp.take()).to.deep.equal(["s 0 a open", "s 1 b closed"]);
      expect(setUp.client.cursor).to.deep.equal({ epoch: "e2", seq: 1 });
    });

    it("pass on messages whose numbers are given again, once a history was set back after a restart", () => {
      const cursorStore = memoryCursorStore({ ...cursor(5), handled: 8, open: ["s"] });
      const setUp = new StreamSetUp({ cursorStore });
      setUp.client.connect();
      setUp.socket.accept();
      setUp.socket.receive(...answer({ first: 1, through: 2, recovered: false, lost: "ahead" }));
      expect(setUp.messages).to.deep.equal(bodies(1, 2));
    });

    it("do not stop messages beyond maxBufferedMessages", () => {
      const setUp = new StreamSetUp({ maxBufferedMessages: 3 });
      const socket = setUp.connected();
      for (let seq = 1; seq <= 50; seq++) socket.receive(chunkMessage(seq, seq - 1, "a"));
      socket.receive(...Array.from({ length: 50 }, (_, index) => chunkMessage(51 + index, 50 + index, "b")));
      expect(setUp.pieces.map(({ text }) => text).join("")).to.equal("a".repeat(50) + "b".repeat(50));
      expect(socket.take("resume")).to.deep.equal([]);
    });
  });
});

describe("the client's start", () => {
  it("is after the cursor that `from` is, which acknowledges the messages before it", () => {
    const setUp = new ClientSetUp({ from: cursor(7) });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(7)]);
  });

  it("is the store's cursor if there is one", () => {
    const setUp = new ClientSetUp({ from: cursor(7), cursorStore: memoryCursorStore(cursor(9)) });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([resumeAfter(9)]);
  });

  it("is the first message of a session that had none, and reports a gap if that is lost", () => {
    const setUp = new ClientSetUp({ from: { epoch: "", seq: 0 } });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", from: "oldest" }]);
    setUp.socket.receive(hello(3, { oldest: 3 }), ...answer({ first: 3, through: 3 }).slice(1));
    expect(setUp.gaps.map(({ lost, first }) => [lost, first])).to.deep.equal([["expired", 3]]);
    expect(setUp.messages).to.deep.equal(bodies(3, 3));
  });
});
