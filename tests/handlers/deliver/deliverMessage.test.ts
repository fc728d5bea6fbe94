import { expect } from "chai";
import { backoffOf, now, reconnected, row, setUp } from "./deliverSetUp";
import { sqsRecord } from "../../support/events";

describe("deliver: one message", () => {
  it("is done with a message that was posted", async () => {
    const { run, connections, queue, rows } = setUp();
    expect(await run(sqsRecord({ body: "hello" }))).to.deep.equal([]);
    expect(connections.posts).to.deep.equal([{ connectionId: "c1", body: "hello" }]);
    expect(queue.visibilities).to.deep.equal([]);
    expect(rows()).to.deep.equal([row]);
  });

  it("retries with back-off where there is no session", async () => {
    const { run, connections, queue, sessions, outcomes } = setUp();
    sessions.rows.clear();
    expect(await run(sqsRecord({ attempt: 3 }))).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session" });
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 4)]]);
    expect(connections.posts).to.deep.equal([]);
  });

  for (const [name, over, reason] of [
    ["an expired session's connection", { expirationDate: now / 1000 }, "session-expired"],
    ["the connection of a session whose token has expired", { tokenExpiresAt: now / 1000 }, "token-expired"],
    ["a connection that gets envelopes", { subprotocol: "websocket-relay.v1" }, "subprotocol-changed"],
  ] as const) {
    for (const closeFails of [false, true]) {
      it(`closes ${name}${closeFails ? ", even in vain," : ""} and retries`, async () => {
        const { run, connections, sessions, queue, outcomes, rows, log } = setUp();
        const expired = { ...row, ...over };
        sessions.put(expired);
        connections.closeFails = closeFails;
        expect(await run(sqsRecord())).to.deep.equal(["m1"]);
        expect(outcomes()).to.deep.equal({ m1: reason });
        expect(connections.closed).to.deep.equal(["c1"]);
        expect(connections.posts).to.deep.equal([]);
        expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 1)]]);
        expect(rows()).to.deep.equal([expired]);
        expect(log.lines[0]).to.include(
          closeFails
            ? { level: "warn", event: "connection of an expired session not closed", reason }
            : { level: "info", event: "connection of an expired session closed", reason },
        );
      });
    }

    it(`does not log that it closed ${name} where that had ended`, async () => {
      const { run, connections, sessions, log } = setUp();
      sessions.put({ ...row, ...over });
      connections.close = () => Promise.resolve("gone");
      await run(sqsRecord());
      expect(log.lines[0]).to.include({ level: "info", event: "connection of an expired session gone", reason });
    });
  }

  it("posts to a session whose token holds for another second", async () => {
    const { run, connections, sessions } = setUp();
    sessions.put({ ...row, tokenExpiresAt: now / 1000 + 1 });
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(connections.posts).to.have.length(1);
    expect(connections.closed).to.deep.equal([]);
  });

  for (const result of ["throttled", "gateway-error", "network-error", "timeout", "forbidden"] as const) {
    it(`retries with back-off and keeps the row after ${result}`, async () => {
      const { run, connections, queue, sessions, outcomes, rows, log } = setUp();
      connections.answers.set("c1", result);
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: result });
      expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 1)]]);
      expect(rows()).to.deep.equal([row]);
      expect(sessions.calls).to.deep.equal(["readAll"]);
      const errors = log.lines.filter(({ level }) => level === "error").map(({ event }) => event);
      expect(errors).to.deep.equal(
        result === "forbidden" ? ["configuration error: the function may not post to connections"] : [],
      );
    });
  }

  it("dead-letters a message that the gateway finds too large, at once", async () => {
    const { run, connections, reasons } = setUp();
    connections.answers.set("c1", "payload-too-large");
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(reasons()).to.deep.equal(["payload-too-large"]);
  });

  for (const [given, reason] of [
    [{ attributes: { contextId: undefined } }, "missing-attribute: contextId"],
    [{ attributes: { context: "a#b" } }, "unusable-attribute: context contains #"],
    [{ attributes: { messageId: "" } }, "unusable-attribute: messageId is empty"],
    [
      { attributes: { expiresAt: "soon" } },
      "unusable-attribute: expiresAt is no RFC 3339 date and time, such as 2026-11-25T12:00:00Z",
    ],
    [{ body: "x".repeat(131_073) }, "payload-too-large"],
  ] as const) {
    it(`dead-letters ${reason} at the first attempt, without a look at the table`, async () => {
      const { run, queue, reasons, sessions, connections } = setUp();
      expect(await run(sqsRecord(given))).to.deep.equal([]);
      expect(reasons()).to.deep.equal([reason]);
      expect(queue.deadLetters[0]?.attributes.attempts?.stringValue).to.equal("1");
      expect(sessions.calls).to.deep.equal([]);
      expect(connections.posts).to.deep.equal([]);
    });
  }

  it("reports an undeliverable message as failed where it cannot be dead-lettered", async () => {
    const { run, queue } = setUp();
    queue.deadLetterFails = true;
    expect(await run(sqsRecord({ attempt: 2, attributes: { user: undefined } }))).to.deep.equal(["m1"]);
    expect(queue.visibilities).to.deep.equal([[backoffOf("m1", 2)]]);
  });
});

describe("deliver: a connection that is gone", () => {
  it("finds no session any more, and retries", async () => {
    const { run, connections, sessions, outcomes } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.rows.clear();
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "no-session" });
    expect(connections.asked).to.deep.equal([]);
  });

  it("posts to the connection that the row names by now", async () => {
    const { run, connections, sessions } = setUp();
    connections.answers.set("c1", "gone");
    sessions.beforeRead = () => sessions.put(reconnected);
    expect(await run(sqsRecord())).to.deep.equal([]);
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c2"]);
  });

  it("tries three connections at most, and judges none that it has not tried", async () => {
    const { run, connections, sessions, outcomes, rows } = setUp();
    let n = 1;
    for (const id of ["c1", "c2", "c3", "c4"]) connections.answers.set(id, "gone");
    sessions.beforeRead = () => sessions.put({ ...row, connectionId: `c${++n}`, connectedAt: row.connectedAt + n });
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(connections.posts.map(({ connectionId }) => connectionId)).to.deep.equal(["c1", "c2", "c3"]);
    expect(connections.asked).to.deep.equal([]);
    expect(rows().map(({ connectionId }) => connectionId)).to.deep.equal(["c4"]);
  });

  for (const [over, reason] of [
    [{ expirationDate: now / 1000 }, "session-expired"],
    [{ tokenExpiresAt: now / 1000 }, "token-expired"],
  ] as const) {
    it(`closes the new connection where its row says ${reason}`, async () => {
      const { run, connections, sessions, outcomes } = setUp();
      connections.answers.set("c1", "gone");
      sessions.beforeRead = () => sessions.put({ ...reconnected, ...over });
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: reason });
      expect(connections.closed).to.deep.equal(["c2"]);
    });
  }

  it("keeps the row of a connection younger than 60 s, unasked", async () => {
    const { run, connections, sessions, rows, outcomes } = setUp();
    const young = { ...row, connectedAt: now - 59_999 };
    sessions.put(young);
    connections.answers.set("c1", "gone");
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(connections.asked).to.deep.equal([]);
    expect(rows()).to.deep.equal([young]);
  });

  for (const [name, gone, kept] of [
    ["deletes the row where the gateway confirms it", true, 0],
    ["keeps the row where the gateway knows the connection", false, 1],
    ["keeps the row where the gateway cannot be asked", undefined, 1],
  ] as const) {
    it(`${name}, and retries`, async () => {
      const { run, connections, rows, outcomes } = setUp();
      connections.answers.set("c1", "gone");
      connections.gone = gone;
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
      expect(connections.asked).to.deep.equal(["c1"]);
      expect(rows()).to.have.length(kept);
      // A live client would be mute for ever where the gateway was wrong.
      expect(connections.closed).to.deep.equal(kept === 0 ? ["c1"] : []);
    });
  }

  it("never deletes the row of a client that comes back while the gateway is asked", async () => {
    const { run, connections, sessions, rows } = setUp();
    const back = { ...row, connectionId: "c2", connectedAt: now };
    connections.answers.set("c1", "gone");
    connections.isGone = () => (sessions.put(back), Promise.resolve(true));
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(rows()).to.deep.equal([back]);
  });

  for (const [method, reason] of [
    ["read", "session-store-unavailable"],
    ["removeConnection", "connection-gone"],
  ] as const) {
    it(`retries where ${method} fails`, async () => {
      const { run, connections, sessions, outcomes, rows } = setUp();
      connections.answers.set("c1", "gone");
      sessions.failing.add(method);
      expect(await run(sqsRecord())).to.deep.equal(["m1"]);
      expect(outcomes()).to.deep.equal({ m1: reason });
      expect(rows()).to.deep.equal([row]);
    });
  }

  it("keeps the row where the connection cannot be closed, and retries: disconnectUser has to find it", async () => {
    const { run, connections, outcomes, rows } = setUp();
    connections.answers.set("c1", "gone");
    connections.closeFails = true;
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(outcomes()).to.deep.equal({ m1: "connection-gone" });
    expect(rows()).to.deep.equal([row]);
  });

  it("keeps the superseded connections of the row", async () => {
    const { run, connections, sessions, rows } = setUp();
    sessions.rows.clear();
    sessions.put({ ...row, connectionId: "c0", connectedAt: row.connectedAt - 1 });
    sessions.put(row);
    connections.answers.set("c1", "gone");
    expect(await run(sqsRecord())).to.deep.equal(["m1"]);
    expect(rows()).to.deep.equal([]);
    expect(sessions.connectionIds()).to.deep.equal(["c0"]);
  });
});
