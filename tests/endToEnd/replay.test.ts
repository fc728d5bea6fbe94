import { expect } from "chai";
import type { Receipt } from "../../protocol";
import { History } from "./history";
import { LiteralClient } from "./literalClient";
import { startProgram } from "./program";
import { ReceiptsInbox, receiptsQueue } from "./receipts";
import { recipient, type Recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";

const retentionSeconds = 86_400;

const program = `
const relay = new WebsocketRelay("relay", {
  auth,
  delivery: "replay",
  historyRetentionSeconds: ${retentionSeconds},
  receipts: true,
  deadLetterExpired: true,
  maxAttempts: 10,
  backoffMinSeconds: 1,
  backoffMaxSeconds: 10,
});
${receiptsQueue}`;

/** Past the retention, and what is added to it before anything is deleted. */
const longAgoSeconds = retentionSeconds + 600;

describe("a relay that delivers by replay, end to end on one machine", () => {
  let relay: Relay;
  let history: History;
  let inbox: ReceiptsInbox;

  before(async () => {
    relay = await startProgram(program, ["--time-scale", "60"]);
    history = new History(relay);
    inbox = new ReceiptsInbox(relay);
  });
  after(async () => {
    history?.close();
    inbox?.close();
    await relay?.stop();
  });

  it("refuses a client that does not ask for the protocol with 400, and says what to offer", async () => {
    const to = recipient();
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    for (const subprotocols of [undefined, ["websocket-relay.raw"], ["websocket-relay.v2"]]) {
      const { status, body } = await relay.handshake(relay.url(to), { headers }, subprotocols);
      expect(status, String(subprotocols)).to.equal(400);
      expect(body).to.include("websocket-relay.v1");
    }
    expect(await relay.session(to)).to.equal(undefined);
  });

  it("tells a client that there is nothing yet, and gives live messages their numbers", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    expect(client.client.socket.protocol).to.equal("websocket-relay.v1");
    const nothing = { type: "resumed", recovered: true, first: 1, through: 0 };
    expect(await client.resume()).to.deep.equal(nothing);
    expect(client.envelopes[0]).to.deep.equal({ type: "hello", oldest: 1, newest: 0 });

    await relay.publish({ ...to, messageId: "one" }, "first");
    const { epoch, ...first } = await client.message(1);
    expect(first).to.deep.equal({ type: "message", seq: 1, id: "one", body: "first" });
    await relay.publish({ ...to, messageId: "two" }, "second");
    expect(await client.message(2)).to.deep.equal({ type: "message", epoch, seq: 2, id: "two", body: "second" });
    await relay.untilQueueIsEmpty();
  });

  it("keeps what is published while nobody is there, and sends it in order to whoever resumes", async () => {
    const to = recipient();
    for (const message of ["one", "two", "three"]) {
      await relay.publish(to, message);
      // The queue is done with it once it stands: nothing is retried until the client is back.
      await relay.untilQueueIsEmpty();
    }
    const client = await ReplayClient.connect(relay, to);
    expect(await client.resume()).to.deep.include({ recovered: true, first: 1, through: 3 });
    expect(client.messages).to.deep.equal([
      [1, "one"],
      [2, "two"],
      [3, "three"],
    ]);
    expect(client.client.messages, "all in one frame").to.have.lengthOf(1);
  });

  it("sends again what was lost in a half-open connection, from the cursor on", async () => {
    const to = recipient();
    const lost = await ReplayClient.connect(relay, to);
    await relay.publish(to, "seen");
    const { epoch } = await lost.message(1);
    await relay.control(`/connections/${encodeURIComponent(lost.connectionId)}/half-open`);
    await relay.publish(to, "into the void");
    await relay.publish(to, "and after it");
    // As far as the relay can tell, they have arrived.
    await relay.untilQueueIsEmpty();

    const back = await ReplayClient.connect(relay, to);
    expect(await back.resume({ cursor: { epoch, seq: 1 } })).to.deep.include({
      ...{ recovered: true, first: 2, through: 3 },
    });
    expect(back.messages.map(([, body]) => body).sort()).to.deep.equal(["and after it", "into the void"]);
    expect(lost.messages).to.deep.equal([[1, "seen"]]);
  });

  it("goes on where the session's clients have acknowledged, on whatever device", async () => {
    const to = recipient();
    const phone = await ReplayClient.connect(relay, to);
    for (const message of ["one", "two", "three"]) await relay.publish(to, message);
    await phone.message(3);
    const { epoch } = await phone.acknowledge(2);
    await history.untilAcknowledged(to, 2);

    const tablet = await ReplayClient.connect(relay, to);
    expect(await tablet.resume()).to.deep.include({ recovered: true, first: 3, through: 3 });
    expect(await tablet.resume({ from: "oldest" })).to.deep.include({ recovered: true, first: 1, through: 3 });
    expect(await tablet.resume({ cursor: { epoch, seq: 3 } })).to.deep.include({
      recovered: true,
      first: 4,
      through: 3,
    });
  });

  it("says that nothing is recovered where the cursor is of another sequence, or ahead of it, and sends all", async () => {
    const to = recipient();
    await relay.publish(to, "all there is");
    await relay.untilQueueIsEmpty();
    const client = await ReplayClient.connect(relay, to);
    const { first, through } = await client.resume({ cursor: { epoch: "elsewhere", seq: 1 } });
    expect([first, through]).to.deep.equal([1, 1]);
    const { epoch } = await client.message(1);
    expect(client.envelopes[1]).to.deep.equal({ type: "resumed", recovered: false, lost: "epoch", first, through });
    expect(await client.resume({ cursor: { epoch, seq: 9 } })).to.deep.include({ recovered: false, lost: "ahead" });
  });

  it("tells a connection that another one has its session, and takes its acknowledgements all the same", async () => {
    const to = recipient();
    const first = await ReplayClient.connect(relay, to);
    await relay.publish(to, "for both");
    await first.message(1);
    const second = await ReplayClient.connect(relay, to);
    await first.until("superseded");
    await first.acknowledge(1);
    await history.untilAcknowledged(to, 1);
    await second.resume();
    await relay.publish(to, "for the second alone");
    await second.message(2);
    expect(first.messages).to.deep.equal([[1, "for both"]]);

    const told = first.envelopes.length;
    first.send({ action: "resume" });
    await first.until("superseded", told);
  });

  it("gives a message that is published twice one number, and tells of it once", async () => {
    const to = { ...recipient(), messageId: "order-7" };
    const client = await ReplayClient.connect(relay, to);
    await relay.publish(to, "shipped");
    await client.message(1);
    await relay.publish(to, "shipped");
    await relay.publish({ ...to, messageId: "order-8" }, "the next");
    expect((await client.message(2)).id).to.equal("order-8");
    await relay.untilQueueIsEmpty();
    expect(await history.log(to)).to.have.lengthOf(2);
  });

  it("loses nothing, and leaves no hole, where deliver dies in the middle", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    await client.resume();
    const messages = Array.from({ length: 20 }, (_, index) => `crash ${index}`);
    await relay.fault({ crash: "deliver", times: 2 });
    await Promise.all(messages.map((message) => relay.publish({ ...to, messageId: message }, message)));
    await relay.untilQueueIsEmpty();
    const resumed = await client.resume({ from: "oldest" });
    expect([resumed.first, resumed.through]).to.deep.equal([1, 20]);
    const bodies = new Map(client.messages);
    expect([...bodies.keys()].sort((one, other) => one - other)).to.deep.equal(messages.map((_, index) => index + 1));
    expect([...bodies.values()].sort()).to.deep.equal([...messages].sort());
  });

  it("answers a frame that is not of the protocol, and one of a connection that it does not know", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    client.client.socket.send('{"action":"resume","cursor":{"seq":"1"}}');
    expect(await client.until("error")).to.include({ code: "bad-request" });
    const told = client.envelopes.length;
    await relay.forgetLookup(client.connectionId);
    client.send({ action: "resume" });
    expect(await client.until("error", told)).to.include({ code: "no-session" });
  });

  describe("serves a client that was written from docs/protocol.md alone, which", () => {
    const clients: LiteralClient[] = [];
    const clientOf = (to: Recipient, cursor?: { epoch: string; seq: number }) => {
      const client = new LiteralClient(relay.url(to), () => relay.token(to.user), cursor);
      clients.push(client);
      return client;
    };
    afterEach(() => clients.splice(0).forEach((client) => client.close()));

    it("replaces its connection without a gap, and is not ended by the notice to the old one", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      await client.until(() => client.cursor !== undefined);
      await relay.publish(to, "before");
      await client.until(() => client.shown.length === 1);
      await client.connect();
      await relay.publish(to, "meanwhile");
      await client.until(() => client.shown.length === 2 && client.resumes >= 2);
      await relay.publish(to, "after");
      await client.until(() => client.shown.length === 3);
      expect(client.shown).to.deep.equal(["before", "meanwhile", "after"]);
      expect(client.notices).to.equal(1);
      expect(client.isSuperseded).to.equal(false);
    });

    it("ends where another client takes the session", async () => {
      const to = recipient();
      const [first, second] = [clientOf(to), clientOf(to)];
      await first.connect();
      await first.until(() => first.cursor !== undefined);
      await second.connect();
      await first.until(() => first.isSuperseded);
      await relay.publish(to, "for the second");
      await second.until(() => second.shown.length === 1);
      expect(first.shown).to.deep.equal([]);
      expect(second.isSuperseded).to.equal(false);
    });

    it("asks for number 1 of a session that was empty where number 2 comes first", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      await client.until(() => client.cursor !== undefined);
      expect(client.cursor).to.deep.equal({ seq: 0 });
      await relay.fault({ management: 429, times: 1 });
      await relay.publish({ ...to, messageId: "empty-one" }, "one");
      await relay.log({ event: "failed", messageId: "empty-one" });
      await relay.publish(to, "two");
      await client.until(() => client.shown.length === 2);
      expect(client.shown).to.deep.equal(["one", "two"]);
    });

    it("drops a cursor that is of another epoch, of an empty session too", async () => {
      const to = recipient();
      const client = clientOf(to, { epoch: "elsewhere", seq: 7 });
      await client.connect();
      await client.until(() => client.cursor?.seq === 0);
      await relay.publish(to, "the first");
      await client.until(() => client.shown.length === 2);
      expect(client.shown).to.deep.equal(["missing: epoch", "the first"]);
    });

    it("goes over to another epoch where the history is lost under its connection", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      for (const [index, body] of ["one", "two"].entries()) {
        await relay.publish(to, body);
        await client.until(() => client.shown.length === index + 1);
      }
      await relay.untilQueueIsEmpty();
      await history.lose(to);
      await relay.publish(to, "anew");
      await client.until(() => client.shown.length === 4);
      expect(client.shown).to.deep.equal(["one", "two", "missing: epoch", "anew"]);
    });

    it("asks for what was never posted as soon as the next message comes, shows it in order, and acknowledges", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      await relay.publish(to, "one");
      await client.until(() => client.shown.length === 1);
      await relay.fault({ management: 429, times: 1 });
      await relay.publish({ ...to, messageId: "two" }, "two");
      await relay.log({ event: "failed", messageId: "two" });
      await relay.publish(to, "three");
      await client.until(() => client.shown.length === 3);
      expect(client.shown).to.deep.equal(["one", "two", "three"]);
      client.acknowledge();
      await history.untilAcknowledged(to, 3);
    });
  });

  describe("reports", () => {
    const receiptOf = async (messageId: string, status: Receipt["status"]) => {
      const { at, epoch, ...rest } = await inbox.receipt(messageId, status);
      expect(Number.isNaN(Date.parse(at)), at).to.equal(false);
      return { ...rest, hasEpoch: epoch !== undefined };
    };

    it("a message that was acknowledged as delivered, with all before it", async () => {
      const to = recipient();
      const client = await ReplayClient.connect(relay, to);
      await relay.publish({ ...to, messageId: "report-1" }, "one");
      await relay.publish({ ...to, messageId: "report-2" }, "two");
      await client.message(2);
      await client.acknowledge(2);
      for (const messageId of ["report-1", "report-2"]) {
        const { seq, ...receipt } = await receiptOf(messageId, "delivered");
        expect(receipt).to.deep.equal({ status: "delivered", messageId, ...to, hasEpoch: true });
        expect(seq).to.be.within(1, 2);
      }
    });

    it("one that could never be delivered as dead, with the reason", async () => {
      const to = recipient();
      const large = "x".repeat(131_072);
      await relay.publish({ ...to, messageId: "too-large" }, large);
      expect(await receiptOf("too-large", "dead")).to.deep.include({ ...to, hasEpoch: false });
      expect((await inbox.receipt("too-large", "dead")).reason).to.match(/^payload-too-large/);
      await relay.deadLetter(large);
      expect(await history.log(to)).to.deep.equal([]);
    });

    it("one whose own time has passed as expired, dead-letters it, and has its number count as seen", async () => {
      const to = recipient();
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      await relay.publish({ ...to, messageId: "offer", expiresAt }, "for an hour");
      await relay.publish({ ...to, messageId: "after" }, "for longer");
      await relay.untilQueueIsEmpty();
      await history.pass(to, "offer", { isDue: true });
      expect(await receiptOf("offer", "expired")).to.deep.include({ ...to, reason: "expires-at", hasEpoch: true });
      const letter = await relay.deadLetter("for an hour");
      expect(letter.MessageAttributes?.reason?.StringValue).to.equal("expired");
      const client = await ReplayClient.connect(relay, to);
      expect(await client.resume()).to.deep.include({ recovered: true, through: 2 });
      const offer = client.envelopes.find((envelope) => envelope.type === "message" && envelope.id === "offer");
      expect(offer).to.include({ expired: true }).and.not.to.have.property("body");
      expect(client.messages.map(([, body]) => body)).to.include("for longer");
    });

    it("one that has expired under its number as expired, and tells a connected client at once", async () => {
      const to = recipient();
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      const publish = () => relay.publish({ ...to, messageId: "flash", expiresAt }, "for a moment");
      await publish();
      await relay.untilQueueIsEmpty();
      await history.pass(to, "flash", { isDue: false });
      const client = await ReplayClient.connect(relay, to);
      // As the queue gives it again where an attempt has failed.
      await publish();
      const told = await client.message(1);
      expect(told).to.include({ id: "flash", expired: true }).and.not.to.have.property("body");
      expect(await receiptOf("flash", "expired")).to.deep.include({ ...to, reason: "expires-at", seq: 1 });
      await relay.deadLetter("for a moment");
      await client.acknowledge(1);
      await history.untilAcknowledged(to, 1);
    });

    it("what nobody has acknowledged within the retention as expired, and deletes it, but never the last number", async () => {
      const to = recipient();
      for (const message of ["old-1", "old-2"]) await relay.publish({ ...to, messageId: message }, message);
      await relay.untilQueueIsEmpty();
      const [{ epoch } = {}] = await history.log(to);
      await history.age(to, longAgoSeconds);
      const letters = new Set<string>();
      await relay.deadLetterOf(({ Body = "" }) => letters.add(Body).size === 2, relay.addresses.deadLetterQueueUrl);
      expect([...letters].sort()).to.deep.equal(["old-1", "old-2"]);
      for (const message of letters) {
        expect(await receiptOf(message, "expired")).to.deep.include({ ...to, reason: "retention", hasEpoch: true });
      }
      await history.untilForgotten(to, 2);
      expect((await history.log(to)).map(({ seq, body }) => [seq?.N, body])).to.deep.equal([["2", undefined]]);

      await relay.publish(to, "new");
      // Before there is a client: else it may get the message live too.
      await relay.untilQueueIsEmpty();
      const client = await ReplayClient.connect(relay, to);
      const cursor = { epoch: epoch?.S ?? "", seq: 1 };
      expect(await client.resume({ cursor })).to.deep.include({ recovered: false, lost: "expired", first: 3 });
      expect(client.messages).to.deep.equal([[3, "new"]]);
    });

    it("counts what was stored, acknowledged, expired and resumed", async () => {
      const counted = await relay.metrics();
      const reasons = { Stored: "no-session", Expired: "retention", Resumed: "recovered" };
      for (const [name, reason] of Object.entries({ ...reasons, Acknowledged: undefined, Delivered: undefined })) {
        expect(counted(name, reason), name).to.be.greaterThan(0);
      }
    });
  });
});
