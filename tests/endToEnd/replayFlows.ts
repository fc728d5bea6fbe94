import { once } from "node:events";
import { expect } from "chai";
import { backendOf, type Flows, idsIn, loseConnection, refusedWithoutTrace, watches } from "./flows";
import { History } from "./history";
import { ReceiptsInbox } from "./receipts";
import { recipient, type Recipient, type Relay } from "./relay";
import type { Receipt } from "../../protocol";
import { ReplayClient } from "./replayClient";
import { longAgoSeconds } from "./replayRun";

/** The {@link flows} of a relay in replay mode, with receipts and dead letters of expired messages. */
export const replayFlows: Flows = {
  "a client connects, resumes, and its session is cleared when it disconnects; TTL clears its lookup": async (
    relay,
  ) => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    expect(await client.resume()).to.deep.include({ recovered: true, through: 0 });
    await client.client.close();
    await relay.log({ event: "disconnected", connectionId: client.connectionId });
    expect(await relay.session(to)).to.equal(undefined);
    expect(await relay.table.lookup(client.connectionId)).to.have.nested.property("expiration_date.N");
  },

  "live messages are numbered, acknowledged and told of, and leave the queue": async (relay) => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    for (const [index, message] of ["first", "second"].entries()) {
      await relay.publish({ ...to, messageId: idOf(to, message) }, message);
      expect(await client.message(index + 1)).to.include({ body: message });
    }
    await client.acknowledge(2);
    await told(relay, idOf(to, "second"), "delivered");
    // Told first, and stored then.
    await relay.log({ event: "acknowledged", connectionId: client.connectionId, seq: 2 });
    await relay.untilQueueIsEmpty();
  },

  "a session is read over HTTP, from its oldest message and from an offset": async (relay) => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    await relay.publish(to, "hello");
    await client.message(1);
    const { context, contextId } = to;
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    let offset = "-1";
    for (const bodies of [["hello"], []]) {
      const url = `${relay.addresses.readUrl}?${new URLSearchParams({ context, contextId, offset }).toString()}`;
      const response = await fetch(url, { headers, signal: relay.signal });
      const read = (await response.json()) as { body: string }[];
      expect(read.map(({ body }) => body)).to.deep.equal(bodies);
      offset = response.headers.get("stream-next-offset") ?? "";
    }
    await relay.untilQueueIsEmpty();
  },

  "a message for all sessions of a user is stored for each session that the user has connected to": async (relay) => {
    const to = recipient();
    const news = { ...to, context: "news" };
    const away = await ReplayClient.connect(relay, news);
    await away.client.close();
    const client = await ReplayClient.connect(relay, to);
    await relay.publish({ user: to.user, scope: "user" }, "to the user");
    expect(await client.message(1)).to.include({ body: "to the user" });
    await relay.untilQueueIsEmpty();
    const back = await ReplayClient.connect(relay, news);
    await back.resume();
    expect(back.messages).to.deep.equal([[1, "to the user"]]);
  },

  "a message for all sessions of a user is posted once more only to the session that it failed for": async (relay) => {
    const to = recipient();
    const clients = await Promise.all([to, { ...to, contextId: "8" }].map((each) => ReplayClient.connect(relay, each)));
    await relay.fault({ management: 500, times: 1 });
    await relay.publish({ user: to.user, scope: "user" }, "once");
    for (const client of clients) await client.message(1);
    await relay.untilQueueIsEmpty();
    expect(clients.map(({ messages }) => messages)).to.deep.equal([[[1, "once"]], [[1, "once"]]]);
  },

  "a raw client gets what it has missed once it has connected, and what comes then": async (relay) => {
    const to = recipient();
    await relay.publish({ ...to, messageId: idOf(to, "missed") }, "missed");
    await relay.untilQueueIsEmpty();
    await relay.fault({ management: 500, times: 1 });
    const client = await relay.connect(to);
    await client.message("missed");
    await told(relay, idOf(to, "missed"), "accepted");
    await relay.publish({ ...to, messageId: idOf(to, "live") }, "live");
    await client.message("live");
    await told(relay, idOf(to, "live"), "accepted");
    await relay.untilQueueIsEmpty();
  },

  "a raw client's request removes an older connection that is gone, whose disconnect was lost": async (relay) => {
    const to = recipient();
    await relay.connect(to);
    const connectionId = (await relay.session(to))?.connection_id?.S ?? "";
    // Its own request is done, so that nothing else writes the row.
    await relay.log({ event: "missed messages sent", connectionId });
    await relay.table.addOlderConnection(to, "gone=", 120);
    await relay.queues.requestFlush({ callerId: `user#${to.user}`, context: "chat#7", connectionId });
    await relay.log({ event: "removed a connection that is gone", callerId: `user#${to.user}`, connectionId: "gone=" });
    expect(await idsIn(relay, to)).to.deep.equal([connectionId]);
  },

  "an expired message is reported when a raw client connects": async (relay) => {
    const to = recipient();
    const messageId = idOf(to, "raw offer");
    await relay.publish({ ...to, messageId }, messageId);
    await relay.untilQueueIsEmpty();
    await withHistory(relay, (history) => history.pass(to, messageId, { isDue: false }));
    await relay.connect(to);
    await relay.deadLetter(messageId);
    await told(relay, messageId, "expired");
  },

  "the poller watches the queue while messages come": async (relay) => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    const before = await watches(relay);
    for (let count = 1; (await watches(relay)) === before; count++) {
      await relay.publish(to, `message ${count}`);
      await client.message(count);
    }
    await relay.untilQueueIsEmpty();
  },

  "a message is stored for a client whose connection is gone for good, and is sent when it is back": async (relay) => {
    const to = recipient();
    const lost = await ReplayClient.connect(relay, to);
    await loseConnection(relay, lost.client, lost.connectionId);
    await relay.table.ageSession(to, 120);
    await relay.publish(to, "kept");
    await relay.untilQueueIsEmpty();
    expect(await relay.session(to)).to.equal(undefined);
    const back = await ReplayClient.connect(relay, to);
    await back.resume();
    expect(back.messages).to.deep.equal([[1, "kept"]]);
  },

  "a connection that is gone for good leaves superseded ones in its session's row": async (relay) => {
    const to = recipient();
    const superseded = await ReplayClient.connect(relay, to);
    const lost = await ReplayClient.connect(relay, to);
    await loseConnection(relay, lost.client, lost.connectionId);
    await relay.table.ageSession(to, 120);
    await relay.publish(to, "kept");
    await relay.untilQueueIsEmpty();
    expect(await idsIn(relay, to)).to.deep.equal([superseded.connectionId]);
  },

  "a client whose session's row is not the relay's is refused, and leaves nothing in the table": async (relay) => {
    const to = recipient();
    await relay.table.putSession(to, { connected_at: { N: "1" } });
    await refusedWithoutTrace(relay, to, ["websocket-relay.v1"]);
  },

  "a message that the gateway does not take is tried again under its number": async (relay) => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    await relay.fault({ management: 500, times: 1 });
    await relay.publish(to, "again");
    expect(await client.message(1)).to.include({ body: "again" });
    await relay.untilQueueIsEmpty();
  },

  "the first message after the last one has expired gets the next number": async (relay) => {
    const to = recipient();
    // The function remembers its last segment for some seconds. A copy of what is in it makes the function read again.
    const again = { ...to, messageId: "used-again" };
    await relay.publish(again, "before");
    await relay.untilQueueIsEmpty();
    await withHistory(relay, async (history) => {
      await history.age(to, longAgoSeconds);
      await history.untilSealed(to);
    });
    await relay.publish(again, "after");
    const client = await ReplayClient.connect(relay, to);
    await client.resume();
    expect(await client.message(2)).to.include({ body: "after" });
    await relay.untilQueueIsEmpty();
  },

  "a segment that was stored after the last one was sealed replaces that": async (relay) => {
    const to = recipient();
    for (const message of ["sealed", "stored"]) {
      await relay.publish(to, message);
      await relay.untilQueueIsEmpty();
    }
    await withHistory(relay, async (history) => {
      await history.sealPredecessor(to);
      await history.untilLength(to, 1);
      expect((await history.log(to)).map(({ first }) => first)).to.deep.equal([2]);
    });
  },

  "a client whose session has expired is closed, and comes back": async (relay) => {
    const to = recipient();
    const { client } = await ReplayClient.connect(relay, to);
    await relay.table.expireSession(to);
    await relay.publish(to, "expired");
    await once(client.socket, "close");
    const back = await ReplayClient.connect(relay, to);
    await back.resume();
    expect(back.messages).to.deep.equal([[1, "expired"]]);
    await relay.untilQueueIsEmpty();
  },

  "a superseded connection is told so, again if it resumes, and leaves the newer one's session alone": async (
    relay,
  ) => {
    const to = recipient();
    const first = await ReplayClient.connect(relay, to);
    await ReplayClient.connect(relay, to);
    await first.until("superseded");
    const [newer] = await idsIn(relay, to);
    expect(await idsIn(relay, to)).to.deep.equal([newer, first.connectionId]);
    const told = first.envelopes.length;
    first.send({ action: "resume" });
    await first.until("superseded", told);
    await relay.management("DELETE", first.connectionId);
    await relay.log({ event: "disconnected", connectionId: first.connectionId });
    expect((await relay.session(to))?.connection_id?.S).to.equal(newer);
    expect(await idsIn(relay, to)).to.deep.equal([newer]);
  },

  "a backend reads a session's position, by its role's rights": async (relay) => {
    const to = recipient();
    const backend = await backendOf(relay);
    expect(await backend.position(to)).to.equal(undefined);
    await relay.publish(to, "counted");
    await relay.untilQueueIsEmpty();
    expect(await backend.position(to)).to.include({ seq: 1 });
  },

  "a client that arrives late is refused": async (relay) => {
    const to = recipient();
    const expiration_date = { N: String(Math.floor(Date.now() / 1000) + 10_800) };
    const connected_at = { N: String(Date.now() + 60_000) };
    await relay.table.putSession(to, { connection_id: { S: "newer=" }, connected_at, expiration_date });
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    expect((await relay.handshake(relay.url(to), { headers }, ["websocket-relay.v1"])).status).to.equal(409);
  },

  "a frame that is not of the protocol is answered, whichever it is": async (relay) => {
    for (const action of ["resume", "ack"]) {
      const { client, until } = await connected(relay);
      client.client.socket.send(JSON.stringify({ action, cursor: "none" }));
      expect(await until("error")).to.include({ code: "bad-request" });
    }
  },

  "a message that cannot be delivered is dead-lettered and reported": async (relay) => {
    const to = recipient();
    const { user } = to;
    await relay.publish({ user, messageId: idOf(to, "dead") }, `${user} has no context`);
    await relay.deadLetter(`${user} has no context`);
    await told(relay, idOf(to, "dead"), "dead");
    await relay.untilQueueIsEmpty();
  },

  "a message that the retry queue cannot take is in the subscription's dead-letter queue": async (relay) => {
    const to = recipient();
    const tooLarge = `${to.user} ${"x".repeat(1_024)}`;
    const { subscriptionDeadLetterQueueUrl } = relay.addresses;
    await relay.queues.withMaximumMessageSize(1_024, async () => {
      await relay.publish(to, tooLarge);
      await relay.deadLetter(tooLarge, subscriptionDeadLetterQueueUrl);
    });
  },

  "a message that is not acknowledged is reported, and nothing but the last number is kept": async (relay) => {
    const to = recipient();
    const messages = ["older", "newer"].map((message) => `${message} of ${to.user}`);
    for (const message of messages) await relay.publish({ ...to, messageId: message }, message);
    await relay.untilQueueIsEmpty();
    await withHistory(relay, async (history) => {
      await history.age(to, longAgoSeconds);
      const deadLetters = new Set<string | undefined>();
      const isLast = (Body?: string) => messages.includes(Body ?? "") && deadLetters.add(Body).size === messages.length;
      await relay.deadLetterOf(({ Body }) => isLast(Body), relay.addresses.deadLetterQueueUrl);
      await told(relay, messages[1] ?? "", "expired");
      const tail = (await history.untilSealed(to)).at(-1);
      expect((tail?.first ?? 0) + (tail?.count ?? 0) - 1).to.equal(2);
    });
  },

  "an expired message is reported to the next client that resumes": async (relay) => {
    const to = recipient();
    const messageId = idOf(to, "offer");
    await relay.publish({ ...to, messageId }, messageId);
    await relay.untilQueueIsEmpty();
    await withHistory(relay, (history) => history.pass(to, messageId, { isDue: false }));
    const client = await ReplayClient.connect(relay, to);
    await client.resume();
    expect(await client.message(1)).to.include({ expired: true });
    await relay.deadLetter(messageId);
    await told(relay, messageId, "expired");
  },
};

function idOf({ user }: Recipient, message: string): string {
  return `${user}/${message}`;
}

async function connected(relay: Relay): Promise<{ client: ReplayClient; until: ReplayClient["until"] }> {
  const client = await ReplayClient.connect(relay, recipient());
  return { client, until: client.until.bind(client) };
}

async function told(relay: Relay, messageId: string, status: Receipt["status"]): Promise<void> {
  const inbox = new ReceiptsInbox(relay);
  await inbox.receipt(messageId, status).finally(() => inbox.close());
}

async function withHistory<T>(relay: Relay, use: (history: History) => Promise<T>): Promise<T> {
  const history = new History(relay);
  return use(history).finally(() => history.close());
}
