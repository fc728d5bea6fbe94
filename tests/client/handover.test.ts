import { expect } from "chai";
import { type Cursor, type CursorStore, memoryCursorStore, webStorageCursorStore } from "../../client";
import { answer, bodies, ClientSetUp, EPOCH, message, messages } from "./clientSetUp";

const cursor = (seq: number) => ({ epoch: EPOCH, seq });

describe("the client's callbacks", () => {
  it("receive a message with its ID and number", () => {
    const given: unknown[] = [];
    const setUp = new ClientSetUp({ onMessage: (each) => void given.push(each) });
    setUp.connected().receive(message(1));
    expect(given).to.deep.equal([{ id: "id-1", epoch: EPOCH, seq: 1, body: "m1" }]);
  });

  it("are called one after the other, with gaps and expired messages in order", async () => {
    const log: string[] = [];
    const slow = (what: string) => async () => {
      log.push(`${what} begins`);
      await Promise.resolve();
      log.push(`${what} ends`);
    };
    const setUp = new ClientSetUp({
      cursorStore: memoryCursorStore(cursor(1)),
      onMessage: ({ body }) => slow(body)(),
      onGap: slow("gap"),
      onExpired: slow("expired"),
    });
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(...answer({ first: 4, through: 4, recovered: false, lost: "expired" }));
    setUp.socket.receive(message(5, { body: undefined }), message(6));
    await setUp.clock.advance(0);
    const expected = ["gap", "m4", "expired", "m6"].flatMap((what) => [`${what} begins`, `${what} ends`]);
    expect(log).to.deep.equal(expected);
  });

  it("move the cursor, also in the store, once a message is handled", async () => {
    const waiting: (() => void)[] = [];
    const stored: number[] = [];
    const setUp = new ClientSetUp({
      cursorStore: { get: () => undefined, set: ({ seq }) => void stored.push(seq) },
      onMessage: () => new Promise((resolve) => waiting.push(resolve)),
    });
    setUp.connected().receive(...messages(1, 2));
    expect([setUp.client.cursor, stored]).to.deep.equal([undefined, []]);
    waiting[0]?.();
    await setUp.clock.advance(0);
    expect([setUp.client.cursor, stored]).to.deep.equal([cursor(1), [1]]);
  });

  for (const [what, fails] of Object.entries({
    throws: () => {
      throw new Error("a fault of the page's");
    },
    rejects: () => Promise.reject(new Error("a fault of the page's")),
  })) {
    it(`may fail: one that ${what} is reported, and the message counts as handled`, async () => {
      const setUp: ClientSetUp = new ClientSetUp({
        onMessage: ({ body, seq }) => (seq === 1 ? fails() : void setUp.messages.push(body)),
      });
      setUp.connected().receive(...messages(1, 2));
      await setUp.clock.advance(0);
      expect(setUp.errorCodes).to.deep.equal(["callback"]);
      expect(setUp.errors[0]?.message).to.match(/^onMessage failed; /);
      expect(setUp.errors[0]?.cause).to.have.property("message", "a fault of the page's");
      expect(setUp.messages).to.deep.equal(["m2"]);
      expect(setUp.client.cursor).to.deep.equal(cursor(2));
    });
  }

  it("may fail: an onStateChange that throws is reported, and the client continues", () => {
    const setUp = new ClientSetUp({
      onStateChange: () => {
        throw new Error("a fault of the page's");
      },
    });
    setUp.connected();
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.errorCodes).to.deep.equal(["callback", "callback"]);
  });

  it("receive no message after close, and the waiting ones after the next connect", async () => {
    const setUp: ClientSetUp = new ClientSetUp({
      onMessage: ({ body }) => {
        setUp.messages.push(body);
        if (body === "m2") setUp.client.close();
      },
    });
    setUp.connected().receive(...messages(1, 4));
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")[0]?.cursor).to.deep.equal(cursor(2));
    setUp.socket.receive(...answer({ first: 3, through: 4 }));
    expect(setUp.messages).to.deep.equal(bodies(1, 4));
  });

  it("do not receive a message twice that was being handled at close", async () => {
    const waiting: (() => void)[] = [];
    const setUp: ClientSetUp = new ClientSetUp({
      onMessage: ({ body }) => {
        setUp.messages.push(body);
        return new Promise((resolve) => waiting.push(resolve));
      },
    });
    setUp.connected().receive(...messages(1, 2));
    setUp.client.close();
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")[0]?.cursor, "it is not handled yet").to.deep.equal(cursor(0));
    setUp.socket.receive(...answer({ first: 1, through: 2 }));
    waiting[0]?.();
    await setUp.clock.advance(0);
    expect(setUp.messages).to.deep.equal(bodies(1, 2));
  });

  it("receive a long page without deep recursion", () => {
    const setUp = new ClientSetUp();
    setUp.connected().receive(...messages(1, 50_000));
    expect(setUp.messages).to.have.lengthOf(50_000);
  });
});

describe("the cursor store", () => {
  it("is read once, before the first connection, and may be slow", async () => {
    let asked = 0;
    const store: CursorStore = { get: () => Promise.resolve((asked++, cursor(4))), set: () => undefined };
    const setUp = new ClientSetUp({ cursorStore: store });
    setUp.client.connect();
    expect(setUp.sockets.all).to.deep.equal([]);
    await setUp.clock.advance(0);
    expect(setUp.client.cursor).to.deep.equal(cursor(4));
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: cursor(4) }]);
    setUp.client.close();
    setUp.client.connect();
    expect(asked).to.equal(1);
  });

  it("causes no connection if the client is closed while the store is read", async () => {
    const setUp = new ClientSetUp({ cursorStore: { get: () => Promise.resolve(null), set: () => undefined } });
    setUp.client.connect();
    setUp.client.close();
    await setUp.clock.advance(0);
    expect(setUp.sockets.all).to.deep.equal([]);
    setUp.client.connect();
    setUp.client.close();
    setUp.client.connect();
    await setUp.clock.advance(0);
    expect(setUp.sockets.live).to.have.lengthOf(1);
  });

  for (const [what, get] of Object.entries({
    fails: () => Promise.reject(new Error("no storage")),
    "returns a value that is not a cursor": () => ({ epoch: EPOCH, seq: "7" }) as unknown as Cursor,
  })) {
    it(`that ${what} is reported, and the relay sets the start`, async () => {
      const setUp = new ClientSetUp({ cursorStore: { get, set: () => undefined } });
      setUp.client.connect();
      await setUp.clock.advance(0);
      setUp.socket.accept();
      expect(setUp.errorCodes).to.deep.equal(["store"]);
      expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume" }]);
    });
  }

  it("that cannot be written is reported once until it can be, and does not stop the messages", async () => {
    let isFull = true;
    const set = () => (isFull ? Promise.reject(new Error("quota")) : undefined);
    const setUp = new ClientSetUp({ cursorStore: { get: () => undefined, set } });
    const receive = async (seq: number) => {
      setUp.socket.receive(message(seq));
      await setUp.clock.advance(0);
    };
    setUp.connected();
    await receive(1);
    await receive(2);
    expect(setUp.errorCodes).to.deep.equal(["store"]);
    isFull = false;
    await receive(3);
    isFull = true;
    await receive(4);
    expect(setUp.errorCodes).to.deep.equal(["store", "store"]);
    expect(setUp.messages).to.deep.equal(bodies(1, 4));
  });

  it("is written one cursor at a time, and then with the newest only", async () => {
    const written: number[] = [];
    const waiting: (() => void)[] = [];
    const set = ({ seq }: Cursor) => {
      written.push(seq);
      return new Promise<void>((resolve) => waiting.push(resolve));
    };
    const setUp = new ClientSetUp({ cursorStore: { get: () => undefined, set } });
    setUp.connected().receive(...messages(1, 5));
    expect(written).to.deep.equal([1]);
    waiting[0]?.();
    await setUp.clock.advance(0);
    expect(written).to.deep.equal([1, 5]);
  });

  it("may contain the position before the first message of an epoch, which a gap leaves", () => {
    let kept: Cursor | undefined = { epoch: "e0", seq: 5 };
    const cursorStore: CursorStore = { get: () => kept, set: (newer) => void (kept = newer) };
    const first = new ClientSetUp({ cursorStore });
    first.client.connect();
    first.socket.accept();
    first.socket.receive(...answer({ first: 1, through: 0, newest: 3, recovered: false, lost: "epoch" }));
    expect(kept).to.deep.equal(cursor(0));
    const second = new ClientSetUp({ cursorStore });
    second.client.connect();
    second.socket.accept();
    expect(second.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: cursor(0) }]);
    expect([first.gaps.length, second.errors]).to.deep.equal([1, []]);
  });

  it("in memory returns the last cursor", () => {
    const store = memoryCursorStore();
    expect(store.get()).to.equal(undefined);
    store.set(cursor(1));
    expect(store.get()).to.deep.equal(cursor(1));
  });

  it("in a browser's storage survives the client", () => {
    const items = new Map<string, string>();
    const storage = {
      getItem: (key: string) => items.get(key) ?? null,
      setItem: (key: string, value: string) => void items.set(key, value),
    };
    const first = new ClientSetUp({ cursorStore: webStorageCursorStore(storage, "relay 42 chat 7") });
    first.connected().receive(...messages(1, 3));
    first.client.close();
    const second = new ClientSetUp({ cursorStore: webStorageCursorStore(storage, "relay 42 chat 7") });
    second.client.connect();
    second.socket.accept();
    expect(second.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: cursor(3) }]);
  });

  for (const [what, storage] of Object.entries({
    "may not be named": (): never => {
      throw new DOMException("Access is denied for this document.", "SecurityError");
    },
    "is null": () => null as never,
    "may not be read or written": { getItem: refuse, setItem: refuse },
    "is full": { getItem: () => null, setItem: refuse },
  })) {
    it(`in a browser's storage that ${what} falls back to memory, with one error`, () => {
      const cursorStore = webStorageCursorStore(storage, "key");
      const first = new ClientSetUp({ cursorStore });
      const socket = first.connected();
      for (const each of messages(1, 3)) socket.receive(each);
      first.client.close();
      expect(first.messages).to.deep.equal(bodies(1, 3));
      expect(first.errorCodes).to.deep.equal(["store"]);
      expect(first.errors[0]?.cause).to.be.instanceOf(Error);

      const second = new ClientSetUp({ cursorStore });
      second.client.connect();
      second.socket.accept();
      expect(second.errorCodes).to.deep.equal([]);
      expect(second.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: cursor(3) }]);
    });
  }

  it("in a browser's storage may be given as a function, which is not called before the client connects", () => {
    const items = new Map([["key", JSON.stringify(cursor(7))]]);
    let calls = 0;
    const storage = () => {
      calls++;
      return { getItem: (key: string) => items.get(key) ?? null, setItem: () => undefined };
    };
    const setUp = new ClientSetUp({ cursorStore: webStorageCursorStore(storage, "key") });
    expect(calls).to.equal(0);
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.take("resume")).to.deep.equal([{ action: "resume", cursor: cursor(7) }]);
  });

  it("in a browser's storage that contains another value is reported", () => {
    const setUp = new ClientSetUp({
      cursorStore: webStorageCursorStore({ getItem: () => "not JSON", setItem: () => undefined }, "key"),
    });
    setUp.client.connect();
    expect(setUp.errorCodes).to.deep.equal(["store"]);
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });
});

function refuse(): never {
  throw new DOMException("The quota has been exceeded.", "QuotaExceededError");
}
