import { expect } from "chai";
import { History } from "./history";
import { startProgram } from "./program";
import { ReceiptsInbox, receiptsQueue } from "./receipts";
import { type Client, recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const program = `
const relay = new WebsocketRelay("relay", {
  auth,
  delivery: "replay",
  connections: "all",
  receipts: true,
  maxAttempts: 10,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 10,
});
${receiptsQueue}`;

const refusing = `const relay = new WebsocketRelay("relay", { auth, delivery: "replay", rawClients: false });`;

describe("clients without the protocol, in replay mode, end to end on one machine", () => {
  let relay: Relay;
  let history: History;
  let inbox: ReceiptsInbox;

  before(async () => {
    relay = await startProgram(program, ["--time-scale", "10"]);
    history = new History(relay);
    inbox = new ReceiptsInbox(relay);
  });
  after(async () => {
    history?.close();
    inbox?.close();
    await relay?.stop();
  });

  // First: late requests of other tests' clients would take the answers.
  it("get a missed message although the gateway accepts none at first", async () => {
    const to = recipient();
    await publishInOrder(relay, to, ["kept"]);
    await relay.fault({ management: 429, times: 2 });
    const client = await relay.connect(to);
    await client.message("kept");
    expect(client.messages).to.deep.equal(["kept"]);
    await relay.log({ event: "missed messages not sent yet: will be retried", callerId: `user#${to.user}` });
  });

  it("get messages as they were published, whatever raw subprotocol they offer", async () => {
    for (const subprotocols of [undefined, ["websocket-relay.raw"]]) {
      const to = recipient();
      const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
      const client = await relay.connectByUrl(relay.url(to), { headers }, subprotocols);
      expect(client.socket.protocol).to.equal(subprotocols?.[0] ?? "");
      await relay.publish(to, "one");
      await client.message("one");
      await relay.publish(to, "two");
      await client.message("two");
      expect(client.messages).to.deep.equal(["one", "two"]);
      await history.untilAcknowledged(to, 2);
    }
  });

  it("get what was published before they connected, in order and once, before what comes then", async () => {
    const to = recipient();
    await publishInOrder(relay, to, ["one", "two", "three"]);
    const client = await relay.connect(to);
    await client.message("three");
    await relay.publish(to, "four");
    await client.message("four");
    expect(client.messages).to.deep.equal(["one", "two", "three", "four"]);
    await history.untilAcknowledged(to, 4);
  });

  it("get what was published while they were away, and nothing again when they come back", async () => {
    const to = recipient();
    const first = await relay.connect(to);
    await relay.publish(to, "before");
    await first.message("before");
    await first.close();
    await relay.untilNoSession(to);
    await publishInOrder(relay, to, ["meanwhile", "meanwhile, too"]);
    const second = await relay.connect(to);
    await second.message("meanwhile, too");
    expect(second.messages).to.deep.equal(["meanwhile", "meanwhile, too"]);
    await history.untilAcknowledged(to, 3);
    await second.close();
    await relay.untilNoSession(to);
    const third = await relay.connect(to);
    await relay.publish(to, "after");
    await third.message("after");
    expect(third.messages).to.deep.equal(["after"]);
  });

  it("do not get what has expired, which is reported, and the backend learns what the gateway has accepted", async () => {
    const to = recipient();
    await relay.publish({ ...to, messageId: "late" }, "too late");
    await relay.untilQueueIsEmpty();
    await publishInOrder(relay, { ...to, messageId: "in-time" }, ["in time"]);
    await history.pass(to, "late", { isDue: false });
    const client = await relay.connect(to);
    await client.message("in time");
    expect(client.messages).to.deep.equal(["in time"]);
    expect(await inbox.receipt("late", "expired")).to.include({ reason: "expires-at", user: to.user, seq: 1 });
    expect(await inbox.receipt("in-time", "accepted")).to.include({ user: to.user, contextId: "7", seq: 2 });
  });

  it("share a session with clients that speak the protocol: those alone acknowledge then", async () => {
    const to = recipient();
    const replaying = await ReplayClient.connect(relay, to);
    await replaying.resume();
    const raw = await relay.connect(to);
    await relay.publish({ ...to, messageId: "for-both" }, "for both");
    await raw.message("for both");
    const { epoch } = await replaying.message(1);
    expect(await inbox.receipt("for-both", "accepted")).to.include({ seq: 1 });
    replaying.send({ action: "ack", cursor: { epoch, seq: 1 } });
    expect(await inbox.receipt("for-both", "delivered")).to.include({ seq: 1 });
    expect(raw.messages).to.deep.equal(["for both"]);
  });

  it("get nothing old while a client that speaks the protocol is connected", async () => {
    const to = recipient();
    await publishInOrder(relay, to, ["old"]);
    await history.age(to, 60);
    const replaying = await ReplayClient.connect(relay, to);
    await replaying.resume();
    const raw = await relay.connect(to);
    await relay.log({ event: "no missed messages sent: another connection is open", callerId: `user#${to.user}` });
    await relay.publish(to, "new");
    await raw.message("new");
    expect(raw.messages).to.deep.equal(["new"]);
  });

  it("all get each message, if the session has several of them", async () => {
    const to = recipient();
    const clients: Client[] = [];
    for (let i = 0; i < 3; i++) clients.push(await relay.connect(to));
    await relay.publish(to, "for all");
    await Promise.all(clients.map((client) => client.message("for all")));
    await relay.untilQueueIsEmpty();
    expect(clients.map(({ messages }) => messages)).to.deep.equal([["for all"], ["for all"], ["for all"]]);
  });

  it("may be refused by the setting rawClients: with 400, and the subprotocol to offer", async () => {
    const strict = await startProgram(refusing);
    try {
      const to = recipient();
      const headers = { authorization: `Bearer ${await strict.token(to.user)}` };
      for (const subprotocols of [undefined, ["websocket-relay.raw"]]) {
        const { status, body } = await strict.handshake(strict.url(to), { headers }, subprotocols);
        expect(status, String(subprotocols)).to.equal(400);
        expect(body).to.include("websocket-relay.v1");
      }
      const client = await ReplayClient.connect(strict, to);
      expect(await client.resume()).to.include({ recovered: true });
      expect(strict.lines.filter((line) => line.includes("flush"))).to.deep.equal([]);
    } finally {
      await strict.stop();
    }
  });
});

/** Each is stored before the next one is published: a standard queue has no order. */
async function publishInOrder(relay: Relay, to: Recipient & { messageId?: string }, messages: string[]): Promise<void> {
  for (const message of messages) {
    await relay.publish(to, message);
    await relay.untilQueueIsEmpty();
  }
}
