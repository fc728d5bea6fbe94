import { expect } from "chai";
import { memoryCursorStore } from "../../client";
import { SUBPROTOCOLS } from "../../protocol";
import {
  answer,
  bodies,
  ClientSetUp,
  cursor,
  grownOld,
  living,
  message,
  messages,
  RENEWAL_MS,
  resumeAfter,
} from "./clientSetUp";

const superseded = { type: "superseded" };

/** With `connections: "all"`, the relay supersedes no connection that a client replaces, and posts each message to both. */
describe("the client of a relay that serves all connections, replacing its own", () => {
  it("closes the replaced connection itself once the new one has resumed, and not before", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    setUp.socket.accept();
    expect(old.state).to.equal("open");
    setUp.socket.receive(...answer({ first: 1, through: 0 }));
    expect(old.closedWith).to.equal(1000);
    expect(setUp.sockets.all.filter(({ state }) => state === "open")).to.deep.equal([setUp.socket]);
  });

  it("closes the connection whose replacement it opens because pings are not answered", async () => {
    const setUp = new ClientSetUp();
    const old = setUp.connected();
    await setUp.clock.advance(60_000);
    expect(setUp.sockets.all.length).to.be.greaterThan(1);
    expect(old.closedWith).to.equal(1000);
  });

  it("closes the replaced connection in retry mode, too, and has only one then", async () => {
    const setUp = new ClientSetUp({ heartbeatIntervalMs: 540_000, heartbeatTimeoutMs: 540_000 });
    setUp.client.connect();
    const old = setUp.socket;
    old.accept(SUBPROTOCOLS.raw);
    await living(setUp, RENEWAL_MS);
    setUp.socket.accept(SUBPROTOCOLS.raw);
    await setUp.clock.advance(5_000);
    expect(old.closedWith).to.equal(1000);
    expect(setUp.sockets.all.filter(({ state }) => state === "open")).to.deep.equal([setUp.socket]);
  });

  it("shows each message once and in order, over whichever of both it comes", async () => {
    const connections = ["old", "new", "both"] as const;
    const ways = connections.flatMap((one) =>
      connections.flatMap((two) => connections.map((three) => [one, two, three] as const)),
    );
    for (const way of ways) {
      // The answer has what was stored before it was made. It may arrive after messages that were stored later.
      for (const [stored, arrived] of [0, 1, 2, 3].flatMap((n) => [0, 1, 2, 3].map((late) => [n, n + late] as const))) {
        if (arrived > way.length) continue;
        const setUp = new ClientSetUp();
        const old = await grownOld(setUp);
        const fresh = setUp.socket;
        fresh.accept();
        for (const [index, over] of way.entries()) {
          if (index === arrived) fresh.receive(...answer({ first: 1, through: stored }));
          if (over !== "new") old.receive(message(index + 1));
          // What is stored later is posted to both.
          if (over !== "old" || index >= stored) fresh.receive(message(index + 1));
        }
        if (arrived === way.length) fresh.receive(...answer({ first: 1, through: stored }));
        expect(setUp.messages, `${way.join()}, ${stored} stored, answered after ${arrived}`).to.deep.equal(
          bodies(1, 3),
        );
        setUp.client.close();
      }
    }
  });

  it("continues over the new connection if an eleventh supersedes the old one meanwhile, and the relay closes it", async () => {
    const setUp = new ClientSetUp();
    const old = await grownOld(setUp);
    old.receive(superseded);
    old.end(1000);
    setUp.accepted();
    expect(setUp.client.state).to.equal("connected");
    expect(setUp.sockets.all).to.have.lengthOf(2);
  });
});

describe("the client, superseded by an eleventh connection", () => {
  it("has ended, also once the relay has closed its connection", async () => {
    const setUp = new ClientSetUp();
    const socket = setUp.connected(1);
    socket.receive(superseded);
    socket.end(1000);
    await setUp.clock.advance(10_000_000);
    expect(setUp.client.state).to.equal("superseded");
    expect(setUp.sockets.all).to.have.lengthOf(1);
  });

  it("asks once if the notice was lost with the connection, and then has ended", async () => {
    const setUp = new ClientSetUp();
    setUp.connected(1).end(1000);
    await setUp.clock.advance(1_000);
    setUp.socket.accept();
    setUp.socket.receive(superseded);
    await setUp.clock.advance(10_000_000);
    expect(setUp.client.state).to.equal("superseded");
    expect(setUp.sockets.all).to.have.lengthOf(2);
  });
});

describe("two clients of one session", () => {
  /** Clients that are connected at the same time, over one store or one each. */
  const two = (stores: [ReturnType<typeof memoryCursorStore>, ReturnType<typeof memoryCursorStore>]) =>
    stores.map((cursorStore) => new ClientSetUp({ cursorStore })) as [ClientSetUp, ClientSetUp];

  it("both show every message, and each resumes from its own cursor with a store of its own", () => {
    const stores = [memoryCursorStore(), memoryCursorStore()] as const;
    const [one, other] = two([...stores]);
    for (const each of [one, other]) each.connected();
    one.socket.receive(messages(1, 3));
    other.socket.receive(messages(1, 2));
    expect([one.messages, other.messages]).to.deep.equal([bodies(1, 3), bodies(1, 2)]);

    const [reloaded] = two([stores[1], stores[1]]);
    reloaded.client.connect();
    reloaded.socket.accept();
    expect(reloaded.socket.take("resume")).to.deep.equal([resumeAfter(2)]);
  });

  it("that share a store begin where the last one to handle a message was", () => {
    const store = memoryCursorStore();
    const [one, other] = two([store, store]);
    for (const each of [one, other]) each.connected();
    other.socket.receive(messages(1, 1));
    one.socket.receive(messages(1, 3));
    expect(store.get()).to.deep.equal(cursor(3));
    other.socket.receive(messages(2, 2));
    expect(store.get(), "a slow one sets it back").to.deep.equal(cursor(2));

    const [reloaded] = two([store, store]);
    reloaded.client.connect();
    reloaded.socket.accept();
    expect(reloaded.socket.take("resume")).to.deep.equal([resumeAfter(2)]);
  });
});
