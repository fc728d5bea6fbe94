import { expect } from "chai";
import { describeClientStreams } from "./clientStreams";
import { History } from "./history";
import { startProgram } from "./program";
import { ReceiptsInbox, receiptsQueue } from "./receipts";
import { recipient, type Relay } from "./relay";
import { ReplayClient } from "./replayClient";
import { describeLiteralClient } from "./replayLiteralClient";
import { describeReports } from "./replayReports";
import { retentionSeconds } from "./replayRun";
import { describeStreamsInReplayMode } from "./streams";

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

describe("a relay in replay mode, end to end on one machine", () => {
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

  it("refuses a client that offers only versions of the protocol that the relay does not speak, with 400 and what to offer", async () => {
    const to = recipient();
    const headers = { authorization: `Bearer ${await relay.token(to.user)}` };
    const { status, body } = await relay.handshake(relay.url(to), { headers }, ["websocket-relay.v2"]);
    expect(status).to.equal(400);
    expect(body).to.include("websocket-relay.v1");
    expect(await relay.session(to)).to.equal(undefined);
  });

  it("tells a client that its history is empty, and numbers live messages", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    expect(client.client.socket.protocol).to.equal("websocket-relay.v1");
    const nothing = { type: "resumed", recovered: true, first: 1, through: 0 };
    expect(await client.resume()).to.deep.equal(nothing);
    expect(client.envelopes[0]).to.deep.equal({ type: "hello", oldest: 1, newest: 0, ackSeconds: 5 });

    await relay.publish({ ...to, messageId: "one" }, "first");
    const { epoch, ...first } = await client.message(1);
    expect(first).to.deep.equal({ type: "message", seq: 1, id: "one", body: "first" });
    await relay.publish({ ...to, messageId: "two" }, "second");
    expect(await client.message(2)).to.deep.equal({ type: "message", epoch, seq: 2, id: "two", body: "second" });
    await relay.untilQueueIsEmpty();
  });

  it("keeps messages that are published while no client is connected, and sends them in order on resume", async () => {
    const to = recipient();
    for (const message of ["one", "two", "three"]) {
      await relay.publish(to, message);
      // The queue is done with it once it is stored: nothing is retried until the client is back.
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

  it("resends messages lost in a half-open connection, from the cursor on", async () => {
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
      recovered: true,
      first: 2,
      through: 3,
    });
    expect(back.messages.map(([, body]) => body).sort()).to.deep.equal(["and after it", "into the void"]);
    expect(lost.messages).to.deep.equal([[1, "seen"]]);
  });

  it("resumes after the last acknowledged message on any device", async () => {
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

  it("answers recovered: false and sends all messages if the cursor is of another sequence or ahead of its own", async () => {
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

  it("tells a superseded connection so, and still accepts its acknowledgements", async () => {
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

  it("numbers and delivers a message that is published twice once", async () => {
    const to = { ...recipient(), messageId: "order-7" };
    const client = await ReplayClient.connect(relay, to);
    await relay.publish(to, "shipped");
    await client.message(1);
    await relay.publish(to, "shipped");
    await relay.publish({ ...to, messageId: "order-8" }, "the next");
    expect((await client.message(2)).id).to.equal("order-8");
    await relay.untilQueueIsEmpty();
    expect(await history.messageIds(to)).to.deep.equal(["order-7", "order-8"]);
  });

  it("loses no message and leaves no gap when deliver crashes in the middle of a batch", async () => {
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

  it("answers an invalid frame with bad-request, and a frame of an unknown connection with no-session", async () => {
    const to = recipient();
    const client = await ReplayClient.connect(relay, to);
    client.client.socket.send('{"action":"resume","cursor":{"seq":"1"}}');
    expect(await client.until("error")).to.include({ code: "bad-request" });
    const told = client.envelopes.length;
    await relay.table.forgetLookup(client.connectionId);
    client.send({ action: "resume" });
    expect(await client.until("error", told)).to.include({ code: "no-session" });
  });

  describeLiteralClient(() => ({ relay, history, inbox }));
  describeReports(() => ({ relay, history, inbox }));
  describeStreamsInReplayMode(() => relay);
  describeClientStreams(() => relay);
});
