import { expect } from "chai";
import { postToConnection } from "../../../handlers/connections/postToConnection";
import type { Session } from "../../../handlers/sessions/sessionItems";
import { MemoryConnections, MemorySessions, RecordedLog } from "../../support/boundaries";

const now = 1_700_000_000_000;
const c1: Session = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: now - 60_000,
  expirationDate: now / 1000 + 1,
};
const c2 = { ...c1, connectionId: "c2", connectedAt: c1.connectedAt + 1 };

/** A session with c1, and with c2 if the session's setting is `all`; by default c1 gets a raw message. */
function setUp(given: Partial<Session> = {}, others: Session[] = [c2]) {
  const sessions = new MemorySessions();
  const connection = { ...c1, ...given };
  for (const each of [connection, ...others]) sessions.put(each, "all");
  const connections = new MemoryConnections();
  const log = new RecordedLog();
  const post = (signal = new AbortController().signal, isLate = () => false) =>
    postToConnection(
      { text: "hello", isLate, fields: { messageId: "m1" } },
      connection,
      { sessions, connections, log, now: () => now, subprotocols: [undefined] },
      signal,
    );
  return { sessions, connections, log, post };
}

const live = (row: { connections: readonly { connectionId: string }[] } | undefined) =>
  row?.connections.map(({ connectionId }) => connectionId);

describe("postToConnection", () => {
  it("posts to that connection, and reads nothing", async () => {
    const { post, connections, sessions } = setUp();
    expect(await post()).to.deep.equal({ kind: "accepted" });
    expect(connections.posts).to.deep.equal([{ connectionId: "c1", body: "hello" }]);
    expect(sessions.calls).to.deep.equal([]);
  });

  it("posts nothing where it is too late", async () => {
    const { post, connections } = setUp();
    expect(await post(undefined, () => true)).to.deep.equal({ kind: "late", reason: "expired" });
    expect(connections.posts).to.deep.equal([]);
  });

  it("says that the gateway will never accept it", async () => {
    const { post, connections } = setUp();
    connections.answers.set("c1", "payload-too-large");
    expect(await post()).to.deep.equal({ kind: "refused", reason: "payload-too-large" });
  });

  for (const result of ["throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`says that it failed after ${result}, and names the message and the connection in the log`, async () => {
      const { post, connections, sessions, log } = setUp();
      connections.answers.set("c1", result);
      expect(await post()).to.deep.equal({ kind: "failed", reason: result });
      expect(sessions.calls).to.deep.equal([]);
      expect(log.lines).to.have.lengthOf(1);
      expect(log.lines[0]).to.include({ messageId: "m1", connectionId: "c1" });
    });
  }

  for (const [over, reason] of [
    [{ expirationDate: now / 1000 }, "session-expired"],
    [{ tokenExpiresAt: now / 1000 }, "token-expired"],
    [{ subprotocol: "websocket-relay.v1" }, "subprotocol-changed"],
  ] as const) {
    describe(`to a connection that is over: ${reason}`, () => {
      it("closes it, and leaves its place in the row to $disconnect", async () => {
        const { post, connections, sessions } = setUp(over);
        expect(await post()).to.deep.equal({ kind: "ended", reason, row: undefined });
        expect(connections.closed).to.deep.equal(["c1"]);
        expect(connections.posts).to.deep.equal([]);
        expect(sessions.calls).to.deep.equal([]);
        expect(sessions.connectionIds()).to.deep.equal(["c1", "c2"]);
      });

      it("removes it from the row where the gateway no longer knows it: $disconnect was lost", async () => {
        const { post, connections, sessions } = setUp(over);
        connections.close = () => Promise.resolve("gone");
        expect(await post()).to.deep.equal({ kind: "ended", reason, row: undefined });
        expect(sessions.connectionIds()).to.deep.equal(["c2"]);
      });

      it("keeps it where it may be just connecting", async () => {
        const { post, connections, sessions } = setUp({ ...over, connectedAt: now - 59_999 });
        connections.close = () => Promise.resolve("gone");
        expect(await post()).to.deep.equal({ kind: "failed", reason });
        expect(sessions.connectionIds()).to.deep.equal(["c1", "c2"]);
      });

      for (const [name, arrange] of [
        ["it may still be open", ({ connections }) => void (connections.closeFails = true)],
        [
          "the row cannot be written",
          ({ connections, sessions }) => {
            connections.close = () => Promise.resolve("gone");
            sessions.failing.add("removeConnection");
          },
        ],
      ] as [string, (relay: ReturnType<typeof setUp>) => void][]) {
        it(`fails where ${name}`, async () => {
          const relay = setUp(over);
          arrange(relay);
          expect(await relay.post()).to.deep.equal({ kind: "failed", reason });
          expect(relay.log.lines.at(-1)).to.include({ level: "warn", messageId: "m1", connectionId: "c1" });
        });
      }
    });
  }

  describe("to a connection that is gone", () => {
    it("asks the gateway again, closes it, and removes only this one from the row", async () => {
      const { post, connections, sessions } = setUp();
      connections.answers.set("c1", "gone");
      const posted = await post();
      expect(posted).to.include({ kind: "ended", reason: "connection-gone" });
      expect(live("row" in posted ? posted.row : undefined)).to.deep.equal(["c2"]);
      expect(connections.asked).to.deep.equal(["c1"]);
      expect(connections.closed).to.deep.equal(["c1"]);
      expect(sessions.calls).to.deep.equal(["read", "removeConnection"]);
      expect(sessions.connectionIds()).to.deep.equal(["c2"]);
    });

    it("has no row where it was the only one", async () => {
      const { post, connections, sessions } = setUp({}, []);
      connections.answers.set("c1", "gone");
      expect(await post()).to.deep.equal({ kind: "ended", reason: "connection-gone", row: undefined });
      expect(sessions.connectionIds()).to.deep.equal([]);
    });

    it("asks nothing where the row no longer has it, and gives the row that has others", async () => {
      const { post, connections, sessions } = setUp();
      connections.answers.set("c1", "gone");
      sessions.beforeRead = (key) => {
        sessions.beforeRead = () => undefined;
        void sessions.removeConnection(key, "c1");
      };
      const posted = await post();
      expect(posted).to.include({ kind: "ended", reason: "connection-gone" });
      expect(live("row" in posted ? posted.row : undefined)).to.deep.equal(["c2"]);
      expect(connections.asked).to.deep.equal([]);
    });

    it("asks nothing where it was superseded meanwhile", async () => {
      const { post, connections, sessions } = setUp();
      connections.answers.set("c1", "gone");
      sessions.beforeRead = () => sessions.put({ ...c2, connectionId: "c3", connectedAt: now }, "newest");
      expect(await post()).to.include({ kind: "ended", reason: "connection-gone" });
      expect(connections.asked).to.deep.equal([]);
    });

    it("says that there is no session where the row is gone, too", async () => {
      const { post, connections, sessions } = setUp();
      connections.answers.set("c1", "gone");
      sessions.beforeRead = () => sessions.sessionRows.clear();
      expect(await post()).to.deep.equal({ kind: "ended", reason: "no-session", row: undefined });
    });

    for (const [name, arrange, reason = "connection-gone"] of [
      ["the gateway knows it", ({ connections }) => void (connections.gone = false)],
      ["the gateway cannot be asked", ({ connections }) => void (connections.gone = undefined)],
      ["it cannot be closed", ({ connections }) => void (connections.closeFails = true)],
      ["the row cannot be written", ({ sessions }) => void sessions.failing.add("removeConnection")],
      ["the row cannot be read", ({ sessions }) => void sessions.failing.add("read"), "session-store-unavailable"],
    ] as [string, (relay: ReturnType<typeof setUp>) => void, string?][]) {
      it(`fails, and keeps all connections, where ${name}`, async () => {
        const relay = setUp();
        relay.connections.answers.set("c1", "gone");
        arrange(relay);
        expect(await relay.post()).to.deep.equal({ kind: "failed", reason });
        expect(relay.sessions.connectionIds()).to.deep.equal(["c1", "c2"]);
      });
    }

    it("fails, and asks nothing, where it is younger than 60 s: it may be just connecting", async () => {
      const { post, connections, sessions } = setUp({ connectedAt: now - 59_999 });
      connections.answers.set("c1", "gone");
      expect(await post()).to.deep.equal({ kind: "failed", reason: "connection-gone" });
      expect(connections.asked).to.deep.equal([]);
      expect(sessions.connectionIds()).to.deep.equal(["c1", "c2"]);
    });

    it("fails for want of time where that was up while the row was read", async () => {
      const { post, connections, sessions } = setUp();
      const time = new AbortController();
      connections.answers.set("c1", "gone");
      sessions.read = () => (time.abort(), Promise.reject(new Error("aborted")));
      expect(await post(time.signal)).to.deep.equal({ kind: "failed", reason: "timeout" });
    });
  });
});
