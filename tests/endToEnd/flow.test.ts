import { expect } from "chai";
import { pause } from "./pause";
import { recipient, Relay } from "./relay";
import { describeStreamsInRetryMode } from "./streams";

describe("the relay, end to end on one machine", () => {
  let relay: Relay;

  before(async () => {
    // Sixty seconds of back-off in one; the functions' own clocks run as on Lambda.
    relay = await Relay.start(["--time-scale", "60"]);
  });
  after(() => relay.stop());

  it("delivers a message to the connection of the user and context that it is addressed to, and to no other", async () => {
    const [alice, bob] = [recipient(), recipient()];
    const aliceClient = await relay.connect(alice);
    const otherContext = await relay.connect({ ...alice, contextId: "8" });
    const bobClient = await relay.connect(bob);
    await relay.publish(alice, "for alice");
    await aliceClient.message("for alice");
    await relay.publish(bob, "for bob");
    await bobClient.message("for bob");
    await relay.publish({ ...alice, contextId: "8" }, "for alice in 8");
    await otherContext.message("for alice in 8");
    expect(aliceClient.messages).to.deep.equal(["for alice"]);
    expect(bobClient.messages).to.deep.equal(["for bob"]);
    expect(otherContext.messages).to.deep.equal(["for alice in 8"]);
  });

  it("saves exactly the five attributes of a session, its map of connections and a revision", async () => {
    const to = recipient();
    const before = Date.now();
    await relay.connect(to);
    const session = await relay.session(to);
    expect(Object.keys(session ?? {}).sort()).to.deep.equal([
      "caller_id",
      "connected_at",
      "connection_id",
      "connections",
      "context",
      "expiration_date",
      "revision",
    ]);
    const { connection_id, connected_at, expiration_date, connections } = session ?? {};
    expect(connections).to.deep.equal({ M: { [connection_id?.S ?? ""]: { M: { connected_at, expiration_date } } } });
    expect(session?.caller_id).to.deep.equal({ S: `user#${to.user}` });
    expect(session?.context).to.deep.equal({ S: "chat#7" });
    const connectedAt = Number(session?.connected_at?.N);
    expect(connectedAt).to.be.within(before, Date.now());
    expect(Number(session?.expiration_date?.N)).to.equal(Math.floor(connectedAt / 1000) + 10_800);
  });

  it("keeps a message while its client is gone, delivers it after the reconnect, and clears the session in the end", async () => {
    const to = recipient();
    const first = await relay.connect(to);
    const lost = await relay.session(to);
    await relay.fault({ disconnects: "lose" });
    first.socket.terminate();
    await untilGone(relay, lost?.connection_id?.S ?? "");
    await relay.fault({ disconnects: "deliver" });

    await relay.publish(to, "while you were away");
    await relay.log({ event: "failed", reason: "connection-gone", callerId: `user#${to.user}` });
    expect(await relay.session(to), "a young row survives the 410").to.deep.equal(lost);

    const second = await relay.connect(to);
    await second.message("while you were away");
    const connectionId = (await relay.session(to))?.connection_id?.S;
    expect(connectionId).to.be.a("string").and.not.equal(lost?.connection_id?.S);

    await second.close();
    await relay.log({ event: "disconnected", connectionId, sessions: 1 });
    expect((await relay.session(to))?.connection_id).to.equal(undefined);
  });

  it("forgets a connection that both the post and GetConnection call gone, and keeps its message", async () => {
    const to = recipient();
    const first = await relay.connect(to);
    const connectionId = (await relay.session(to))?.connection_id?.S ?? "";
    await relay.fault({ disconnects: "lose" });
    first.socket.terminate();
    await untilGone(relay, connectionId);
    await relay.fault({ disconnects: "deliver" });
    await relay.table.ageSession(to, 120);
    await relay.publish(to, "kept");
    await relay.log({ event: "failed", reason: "connection-gone", callerId: `user#${to.user}` });
    await relay.log({ event: "failed", reason: "no-session", callerId: `user#${to.user}` });
    expect(await relay.session(to)).to.equal(undefined);
    await (await relay.connect(to)).message("kept");
  });

  it("leaves the new connection's session alone when the old one's $disconnect comes late", async () => {
    const to = recipient();
    await relay.connect(to);
    const oldId = (await relay.session(to))?.connection_id?.S ?? "";
    await relay.control(`/connections/${encodeURIComponent(oldId)}/half-open`);
    const second = await relay.connect(to);
    const session = await relay.session(to);
    // The gateway ends the old connection only now.
    expect((await relay.management("DELETE", oldId)).status).to.equal(204);
    await relay.log({ event: "disconnected", connectionId: oldId, sessions: 0 });
    expect((await relay.session(to))?.connection_id).to.deep.equal(session?.connection_id);
    await relay.publish(to, "to the new one");
    await second.message("to the new one");
  });

  it("refuses a connection that is older than its session with 409, and keeps the newer one", async () => {
    const to = recipient();
    const expiration_date = { N: String(Math.floor(Date.now() / 1000) + 10_800) };
    const newer = { connection_id: { S: "newer=" }, connected_at: { N: String(Date.now() + 60_000) } };
    await relay.table.putSession(to, { ...newer, expiration_date });
    const token = await relay.token(to.user);
    const late = await relay.handshake(relay.url(to), { headers: { authorization: `Bearer ${token}` } });
    expect(late.status).to.equal(409);
    expect((await relay.session(to))?.connection_id).to.deep.equal({ S: "newer=" });
  });

  it("loses no message, nor the session, while $connect has saved its row but not yet returned", async () => {
    const to = recipient();
    // The first write is the connection's lookup.
    await relay.fault({ table: "hold-answers", after: 1 });
    const arriving = await relay.open(to);
    const session = await relay.untilSession(to);
    expect((await relay.management("GET", session.connection_id?.S ?? "")).status).to.equal(410);
    await relay.publish(to, "early");
    await relay.log({ event: "failed", reason: "connection-gone", callerId: `user#${to.user}` });
    await relay.fault({ table: "release" });
    await arriving.opened;
    await arriving.message("early");
    expect(await relay.session(to)).to.deep.equal(session);
  });

  it("dead-letters a message after its last attempt, with reason, attempts, body, attributes and original id", async () => {
    const to = recipient();
    await relay.publish(to, "no client");
    const { Body, MessageAttributes: attributes = {} } = await relay.deadLetter("no client");
    expect(Body).to.equal("no client");
    const failed = await relay.log({ event: "failed", callerId: `user#${to.user}` });
    const values = Object.fromEntries(Object.entries(attributes).map(([key, { StringValue }]) => [key, StringValue]));
    expect(values).to.deep.equal({
      ...to,
      reason: "no-session",
      attempts: "10",
      originalMessageId: failed.sqsMessageId,
    });
  });

  it("dead-letters at once what can never be delivered, saying why", async () => {
    const to = recipient();
    await relay.publish({ user: to.user, context: to.context }, "no contextId");
    expect(reasonOf(await relay.deadLetter("no contextId"))).to.match(/^missing-attribute.*contextId/);
    await relay.publish({ ...to, context: "a#b" }, "bad context");
    expect(reasonOf(await relay.deadLetter("bad context"))).to.match(/^unusable-attribute.*context/);
    const large = "x".repeat(131_073);
    await relay.publish(to, large);
    const deadLetter = await relay.deadLetter(large);
    expect(reasonOf(deadLetter)).to.match(/^payload-too-large/);
    expect(deadLetter.MessageAttributes?.attempts?.StringValue).to.equal("1");
  });

  it("dead-letters what has expired, and names it by its publisher's id from its publishing to its end", async () => {
    const [to, messageId] = [recipient(), "order-7 shipped"];
    const client = await relay.connect(to);
    await relay.publish({ ...to, messageId, expiresAt: new Date().toISOString() }, "too late");
    const { MessageAttributes: attributes } = await relay.deadLetter("too late");
    expect(attributes?.reason?.StringValue).to.equal("expired");
    expect(attributes?.messageId?.StringValue).to.equal(messageId);
    const logged = await relay.log({ event: "dead-lettered", messageId });
    expect(logged.sqsMessageId).to.equal(attributes?.originalMessageId?.StringValue);

    await relay.publish({ ...to, expiresAt: new Date(Date.now() + 3_600_000).toISOString() }, "in time");
    await client.message("in time");
    expect(client.messages).to.deep.equal(["in time"]);
  });

  it("delivers and dead-letters any text, emoji included", async () => {
    const [to, away] = [recipient(), recipient()];
    const client = await relay.connect(to);
    await relay.publish(to, "naïve 日本 😀");
    await client.message("naïve 日本 😀");
    await relay.publish({ user: away.user }, "lost 😀");
    expect(reasonOf(await relay.deadLetter("lost 😀"))).to.match(/^missing-attribute/);
  });

  it("does not slow one user for another who is away", async () => {
    const [away, present] = [recipient(), recipient()];
    const client = await relay.connect(present);
    await relay.publish(away, "for the one who is away");
    await relay.publish(present, "for the one who is here");
    await client.message("for the one who is here");
    const delivered = await relay.log({ event: "delivered", callerId: `user#${present.user}` });
    expect(delivered.attempt).to.equal(1);
    const back = await relay.connect(away);
    await back.message("for the one who is away");
    expect(client.messages).to.deep.equal(["for the one who is here"]);
  });

  it("keeps a live connection's session, and delivers, after a false 410", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    await relay.table.ageSession(to, 120);
    const session = await relay.session(to);
    await relay.fault({ management: 410, times: 1 });
    await relay.publish(to, "after a false 410");
    await client.message("after a false 410");
    expect(await relay.session(to)).to.deep.equal(session);
    const delivered = await relay.log({ event: "delivered", callerId: `user#${to.user}` });
    expect(delivered.attempt).to.equal(2);
  });

  for (const status of [429, 500]) {
    it(`retries after a ${status} of the management API, and keeps the session`, async () => {
      const to = recipient();
      const client = await relay.connect(to);
      const session = await relay.session(to);
      await relay.fault({ management: status, times: 1 });
      await relay.publish(to, `after a ${status}`);
      await client.message(`after a ${status}`);
      expect(await relay.session(to)).to.deep.equal(session);
    });
  }

  it("loses nothing when the deliver process dies in the middle of a batch", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const messages = Array.from({ length: 20 }, (_, index) => `crash ${index}`);
    await relay.fault({ crash: "deliver", times: 2 });
    await Promise.all(messages.map((message) => relay.publish(to, message)));
    for (const message of messages) {
      await client.message(message);
    }
    expect([...new Set(client.messages)].sort()).to.deep.equal([...messages].sort());
  });

  it("brings a client back whose session has expired, by closing its connection", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    await relay.table.expireSession(to);
    const closed = new Promise((resolve) => client.socket.once("close", resolve));
    await relay.publish(to, "expired");
    await closed;
    await (await relay.connect(to)).message("expired");
  });

  it("answers a post into a half-open connection with 200: accepted is not delivered", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const connectionId = (await relay.session(to))?.connection_id?.S ?? "";
    await relay.control(`/connections/${encodeURIComponent(connectionId)}/half-open`);
    await relay.publish(to, "into the void");
    await relay.log({ event: "delivered", callerId: `user#${to.user}` });
    const back = await relay.connect(to);
    await relay.publish(to, "heard");
    await back.message("heard");
    expect(back.messages).to.deep.equal(["heard"]);
    expect(client.messages).to.deep.equal([]);
  });

  it("answers a ping without a function, and any other message as AWS does", async () => {
    const client = await relay.connect(recipient());
    client.socket.send('{"action":"ping"}');
    await client.message('{"type":"pong"}');
    client.socket.send('{"action":"else"}');
    while (client.messages.length < 2) await new Promise((resolve) => client.socket.once("message", resolve));
    expect(JSON.parse(client.messages[1] ?? "")).to.include({ message: "Forbidden" });
  });

  it("logs neither a token nor a payload", async () => {
    const to = recipient();
    const client = await relay.connect(to);
    const token = await relay.token(to.user);
    await relay.publish(to, "a secret of the user's");
    await client.message("a secret of the user's");
    await relay.log({ event: "delivered", callerId: `user#${to.user}` });
    const logs = JSON.stringify(relay.logs);
    expect(logs).not.to.include("a secret of the user's").and.not.include(token.split(".")[1]);
    expect(logs).to.include(to.user);
  });

  describeStreamsInRetryMode(() => relay);
});

/** Resolves when the gateway knows that the connection is gone. */
async function untilGone(relay: Relay, connectionId: string): Promise<void> {
  while ((await relay.management("GET", connectionId)).status !== 410) await pause();
}

function reasonOf(message: { MessageAttributes?: Record<string, { StringValue?: string }> }): string | undefined {
  return message.MessageAttributes?.reason?.StringValue;
}
