import { expect } from "chai";
import { sqsRecord } from "../../support/events";
import { now } from "../history/segments";
import { row, setUp } from "./deliverReplaySetUp";

const raw = { ...row, subprotocol: undefined };

describe("deliver in replay: a connection that is gone", () => {
  it("is done with its messages once that is confirmed, and closes what may live all the same", async () => {
    const { run, connections, rows, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: connection-gone" });
    expect(rows()).to.deep.equal([]);
    expect(connections.closed).to.deep.equal(["c1"]);
  });

  for (const [name, arrange, closed = []] of [
    ["is young", ({ sessions }) => sessions.put({ ...row, connectedAt: now - 59_999 })],
    ["is known to the gateway", ({ connections }) => (connections.gone = false)],
    ["cannot be asked for", ({ connections }) => (connections.gone = undefined)],
    ["cannot be closed", ({ connections }) => (connections.closeFails = true), ["c1"]],
    ["has a row that cannot be deleted", ({ sessions }) => sessions.failing.add("removeConnection"), ["c1"]],
  ] as [string, (relay: ReturnType<typeof setUp>) => unknown, string[]?][]) {
    it(`keeps them for later where it ${name}`, async () => {
      const relay = setUp();
      relay.connections.answers.set("c1", "gone");
      arrange(relay);
      expect(await relay.run(sqsRecord())).to.deep.equal(["m1"]);
      expect(relay.outcomes()).to.deep.equal({ m1: "failed: connection-gone" });
      expect(relay.rows()).to.have.length(1);
      expect(relay.connections.closed).to.deep.equal(closed);
    });
  }

  it("is done with them where its session is gone too", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.rows.clear();
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(outcomes()).to.deep.equal({ m1: "stored: no-session" });
  });

  it("is not followed by the next one, whose client asks for them itself", async () => {
    const { run, connections, sessions, posted, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 });
    const large = (messageId: string) => sqsRecord({ messageId, body: "x".repeat(100_000) });
    expect(await run(large("m1"), large("m2"))).to.deep.equal([]);
    expect(posted()).to.deep.equal(["c1: 1"]);
    expect(outcomes()).to.deep.equal({ m1: "stored: connection-gone", m2: "stored: connection-gone" });
  });
});

describe("deliver in replay: a session that is over", () => {
  for (const [name, over, reason] of [
    ["has expired", { ...row, expirationDate: now / 1000 }, "session-expired"],
    ["has a token that has", { ...row, tokenExpiresAt: now / 1000 }, "token-expired"],
    ["is of a connection that gets messages as they are", raw, "subprotocol-changed"],
  ] as const) {
    it(`closes the connection and is done where it ${name}`, async () => {
      const { run, connections, sessions, outcomes } = setUp();
      sessions.put(over);
      expect(await run(sqsRecord())).to.deep.equal([]);
      expect(outcomes()).to.deep.equal({ m1: `stored: ${reason}` });
      expect(connections.closed).to.deep.equal(["c1"]);
      expect(connections.posts).to.deep.equal([]);
    });

    it(`is tried again where it ${name}, and the connection may still be open`, async () => {
      const { run, connections, sessions, outcomes } = setUp();
      sessions.put(over);
      connections.closeFails = true;
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: `failed: ${reason}` });
    });

    for (const [age, isDone] of [
      [60_000, true],
      [59_999, false],
    ] as const) {
      it(`${isDone ? "is done" : "is tried again"} where it ${name}, and a connection ${age} ms old is gone`, async () => {
        const { run, connections, sessions, outcomes } = setUp();
        sessions.put({ ...over, connectedAt: now - age });
        // A younger one may be just arriving, and is to be closed once it has.
        connections.close = () => Promise.resolve("gone");
        expect(await run(sqsRecord())).to.deep.equal(isDone ? [] : ["m1"]);
        expect(outcomes()).to.deep.equal({ m1: `${isDone ? "stored" : "failed"}: ${reason}` });
      });
    }
  }
});
