import { expect } from "chai";
import { answer, bodies, ClientSetUp, message, messages } from "./clientSetUp";
import { cursor, resumeAfter } from "./clientSetUp";

describe("the client, resuming", () => {
  it("requests the messages after the acknowledged ones with its first frame, and is connected once the response arrives", () => {
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

  it("requests the messages after its own cursor when it reconnects", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(3).receive(message(4));
    setUp.socket.end();
    await setUp.clock.advance(1_000);
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([resumeAfter(4)]);
  });

  it("requests from the oldest message with from: oldest", () => {
    const setUp = new ClientSetUp({ from: "oldest" });
    setUp.client.connect();
    setUp.socket.accept();
    expect(setUp.socket.sent).to.deep.equal([{ action: "resume", from: "oldest" }]);
  });

  it("keeps live messages that arrive before the response until it knows their position", () => {
    const setUp = new ClientSetUp();
    setUp.client.connect();
    setUp.socket.accept();
    setUp.socket.receive(message(7));
    expect(setUp.messages).to.deep.equal([]);
    setUp.socket.receive(...answer({ first: 4, through: 6 }));
    expect(setUp.messages).to.deep.equal(bodies(4, 7));
  });

  it("orders messages and removes duplicates", () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected();
    for (const seq of [2, 3, 1, 1, 3, 5, 4, 2]) socket.receive(message(seq));
    expect(setUp.messages).to.deep.equal(bodies(1, 5));
  });

  it("reads a frame of more messages than its buffer holds", () => {
    const setUp = new ClientSetUp({ maxBufferedMessages: 10 });
    setUp.connected().receive(...messages(1, 100));
    expect(setUp.messages).to.deep.equal(bodies(1, 100));
  });

  it("requests the next page as soon as one is complete", () => {
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

  it("waits briefly for a number that arrives late, and requests one that does not arrive", async () => {
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

  it("requests nothing while many messages wait, and the rest after that", async () => {
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

  describe("while messages wait for a slow onMessage", () => {
    let finish: (() => void)[];
    let setUp: ClientSetUp;
    beforeEach(() => {
      finish = [];
      setUp = new ClientSetUp({
        heartbeatIntervalMs: 540_000,
        onMessage: ({ body }) => {
          setUp.messages.push(body);
          return new Promise((resolve) => finish.push(resolve));
        },
      });
    });
    const handle = async (count: number) => {
      for (let handled = 0; handled < count; handled++) {
        finish.shift()?.();
        await setUp.clock.advance(0);
      }
    };

    it("requests after the last handled one when it reconnects, and drops the others when they come again", async () => {
      setUp.connected(3).receive(...messages(4, 7));
      await handle(1);
      setUp.socket.end();
      await setUp.clock.advance(1_000);
      setUp.socket.accept();
      expect(setUp.socket.sent).to.deep.equal([resumeAfter(4)]);
      setUp.socket.receive(...answer({ first: 5, through: 8 }));
      await handle(4);
      expect(setUp.messages).to.deep.equal(bodies(4, 8));
      expect(setUp.gaps).to.deep.equal([]);
    });

    it("still requests a number that does not arrive", async () => {
      const socket = setUp.connected();
      socket.receive(...messages(1, 3), ...messages(5, 6));
      await handle(1);
      await setUp.clock.advance(250);
      expect(socket.take("resume")).to.deep.equal([resumeAfter(1)]);
      socket.receive(...answer({ first: 2, through: 6 }));
      await setUp.clock.advance(60_000);
      expect(socket.take("resume"), "nothing is missing").to.deep.equal([]);
      await handle(5);
      expect(setUp.messages).to.deep.equal(bodies(1, 6));
    });

    it("requests the next page once the last message of a page is handled, and not the same page again", async () => {
      setUp.client.connect();
      const { socket } = setUp;
      socket.accept();
      socket.sent.length = 0;
      socket.receive(...answer({ first: 1, through: 3, newest: 5 }));
      await handle(2);
      await setUp.clock.advance(120_000);
      expect(socket.sent).to.deep.equal([]);
      await handle(1);
      expect(socket.sent).to.deep.equal([resumeAfter(3)]);
      socket.receive(...answer({ first: 4, through: 5 }));
      await handle(2);
      expect(setUp.messages).to.deep.equal(bodies(1, 5));
    });

    it("goes on after a page that brings nothing new and ends before the missing number", async () => {
      const socket = setUp.connected();
      socket.receive(...messages(1, 3), message(5));
      await setUp.clock.advance(250);
      expect(socket.take("resume")).to.deep.equal([resumeAfter(0)]);
      socket.receive(...answer({ first: 1, through: 2, newest: 5 }));
      await setUp.clock.advance(60_000);
      expect(socket.sent, "it would get the same page").to.deep.equal([]);
      await handle(3);
      expect(socket.take("resume")).to.deep.equal([resumeAfter(3)]);
      socket.receive(...answer({ first: 4, through: 5 }));
      await handle(2);
      expect(setUp.messages).to.deep.equal(bodies(1, 5));
    });

    it("counts as missed nothing of them if the page ends", async () => {
      setUp.connected().receive(...messages(1, 3));
      await handle(1);
      const { cursor: kept } = setUp.client;
      const next = new ClientSetUp({ cursorStore: { get: () => kept, set: () => undefined } });
      next.client.connect();
      next.socket.accept();
      expect(next.socket.sent).to.deep.equal([resumeAfter(1)]);
    });
  });
});
