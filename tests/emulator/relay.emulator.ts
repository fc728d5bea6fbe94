import { expect } from "chai";
import { WebSocket } from "ws";
import { RelayClient } from "../../client";
import type { MessageEnvelope } from "../../protocol";
import { pause } from "../endToEnd/pause";
import { recipient, type Recipient } from "../endToEnd/recipient";
import { ReplayClient } from "../endToEnd/replayClient";
import { isPulumiInstalled } from "../engine/programCopy";
import { EmulatedAws } from "./emulatedAws";
import { EmulatedRelay } from "./emulatedRelay";
import { ReceiptsQueue } from "./receiptsQueue";

describe("this repository's program on ministack", function () {
  this.timeout(120_000);

  let aws: EmulatedAws;
  before(async () => {
    expect(
      isPulumiInstalled(),
      "the pulumi CLI is on PATH: https://www.pulumi.com/docs/iac/download-install/",
    ).to.equal(true);
    aws = await EmulatedAws.start();
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(aws?.ministack.log);
  });
  after(() => aws?.stop());

  describe("in retry mode", () => {
    let relay: EmulatedRelay;
    before(async () => {
      relay = await EmulatedRelay.deploy(aws, {});
    });
    after(() => relay?.remove());

    it("delivers a message to the connection that it is addressed to, and to no other", async () => {
      const [alice, bob] = [recipient(), recipient()];
      const [aliceClient, bobClient] = [await relay.connect(alice), await relay.connect(bob)];
      await relay.publish(alice, "for alice");
      await aliceClient.message("for alice");
      await relay.publish(bob, "for bob");
      await bobClient.message("for bob");
      expect(aliceClient.messages).to.deep.equal(["for alice"]);
      expect(bobClient.messages).to.deep.equal(["for bob"]);
    });

    it("saves a session of the user and context with the connection and a TTL", async () => {
      const to = recipient();
      const before = Date.now();
      await relay.connect(to);
      const session = await relay.session(to);
      expect(session?.caller_id).to.deep.equal({ S: `user#${to.user}` });
      expect(session?.context).to.deep.equal({ S: "chat#7" });
      const connectedAt = Number(session?.connected_at?.N);
      expect(connectedAt).to.be.within(before, Date.now());
      expect(Number(session?.expiration_date?.N)).to.equal(Math.floor(connectedAt / 1000) + 10_800);
    });

    it("keeps a message while its client is gone, delivers it after the reconnect, and clears the session in the end", async () => {
      const to = recipient();
      const lost = await relay.connect(to);
      const session = await relay.session(to);
      lost.socket.terminate();
      await relay.untilDisconnected(to);
      // As if $disconnect had not been called, which is best effort on AWS.
      await relay.table.putSession(to, session ?? {});

      const gone = relay.untilLogged(/reason: 'connection-gone'/);
      await relay.publish(to, "while you were away");
      await gone;
      await relay.untilWaiting(1);

      const back = await relay.connect(to);
      await back.message("while you were away");
      expect(back.messages).to.deep.equal(["while you were away"]);
      expect(await relay.connectionId(to))
        .to.be.a("string")
        .and.not.equal(session?.connection_id?.S);
      await relay.untilWaiting(0);

      await back.close();
      await relay.untilDisconnected(to);
    });

    it("leaves the new connection's session alone when the old one's $disconnect comes late", async () => {
      const to = recipient();
      const old = await relay.connect(to);
      const oldId = await relay.connectionId(to);
      const back = await relay.connect(to);
      const connectionId = await relay.connectionId(to);
      expect(connectionId).to.be.a("string").and.not.equal(oldId);
      await old.close();
      const event = { requestContext: { connectionId: oldId, requestId: "late", eventType: "DISCONNECT" } };
      expect(await relay.invoke("relay-disconnect", event)).to.include({ statusCode: 200 });
      expect(await relay.connectionId(to)).to.equal(connectionId);
      await relay.publish(to, "to the new one");
      await back.message("to the new one");
    });

    it("refuses a client without a valid token, and saves no session", async () => {
      const to = recipient();
      const expired = await relay.issuer.sign(to.user, { expiresInSeconds: -60 });
      const headers = { authorization: `Bearer ${expired}` };
      const refused = await relay.connectByUrl(relay.url(to), { headers }).catch((error: Error) => error.message);
      expect(refused).to.match(/Unexpected server response: 4\d\d/);
      expect(await relay.session(to)).to.equal(undefined);
    });

    it("answers a ping without a function", async () => {
      const client = await relay.connect(recipient());
      client.socket.send('{"action":"ping"}');
      await client.message('{"type":"pong"}');
    });

    it("dead-letters a message that can never be delivered, with the reason", async () => {
      const { user } = recipient();
      await relay.publish({ user }, "without a context");
      const deadLetter = await relay.deadLetter("without a context");
      expect(deadLetter?.MessageAttributes?.reason?.StringValue).to.equal("missing-attribute: context");
    });

    it("admits a client only with the right to save its session", async () => {
      const to = recipient();
      const giveBack = await relay.takeRight("relay-connect-policy", "dynamodb:PutItem");
      const refused = await relay.connect(to).catch((error: Error) => error.message);
      expect(refused).to.include("Unexpected server response");
      await giveBack();
      await relay.connect(to);
    });

    it("delivers only with the right to post to connections, which is given back while the message is retried", async () => {
      const to = recipient();
      const client = await relay.connect(to);
      const giveBack = await relay.takeRight("relay-deliver-policy", "execute-api:ManageConnections");
      const refused = relay.untilLogged(/reason: 'forbidden'/);
      await relay.publish(to, "not yet");
      await refused;
      expect(client.messages).to.deep.equal([]);
      await giveBack();
      await client.message("not yet");
    });

    it("is destroyed, and leaves nothing behind", async () => {
      await relay.program.pulumi("destroy", "--yes", "--skip-preview");
      expect(await aws.names()).to.deep.equal([]);
    });
  });

  describe("in replay mode", () => {
    let relay: EmulatedRelay;
    before(async () => {
      relay = await EmulatedRelay.deploy(aws, { delivery: "replay", receipts: "true", httpRead: "true" });
    });
    after(() => relay?.remove());

    const publishInOrder = async (to: Recipient, messages: string[]) => {
      for (const message of messages) {
        await relay.publish(to, message);
        await relay.untilWaiting(0);
      }
    };

    it("numbers the messages of a session", async () => {
      const to = recipient();
      const client = await ReplayClient.connect(relay, to);
      await client.resume();
      expect(client.envelopes[0]).to.include({ type: "hello", oldest: 1, newest: 0 });
      await publishInOrder(to, ["one", "two"]);
      await client.message(2);
      expect(client.messages).to.deep.equal([
        [1, "one"],
        [2, "two"],
      ]);
    });

    it("sends what was published while the client was away, from its cursor on", async () => {
      const to = recipient();
      const lost = await ReplayClient.connect(relay, to);
      await relay.publish(to, "seen");
      const { epoch } = await lost.message(1);
      lost.client.socket.terminate();
      await relay.untilDisconnected(to);
      await publishInOrder(to, ["missed", "missed, too"]);

      const back = await ReplayClient.connect(relay, to);
      const resumed = await back.resume({ cursor: { epoch, seq: 1 } });
      expect(resumed).to.include({ recovered: true, first: 2, through: 3 });
      expect(back.messages).to.deep.equal([
        [2, "missed"],
        [3, "missed, too"],
      ]);
    });

    it("resumes after the last acknowledged message on another device", async () => {
      const to = recipient();
      const phone = await ReplayClient.connect(relay, to);
      await publishInOrder(to, ["one", "two", "three"]);
      await phone.message(3);
      await phone.acknowledge(2);
      const tablet = await ReplayClient.connect(relay, to);
      while ((await tablet.resume()).first !== 3) await pause();
      expect(await tablet.resume()).to.include({ recovered: true, first: 3, through: 3 });
    });

    it("sends a client without the protocol what was published while it was away, once", async () => {
      const to = recipient();
      const first = await relay.connect(to);
      await relay.publish(to, "before");
      await first.message("before");
      await first.close();
      await relay.untilDisconnected(to);
      await publishInOrder(to, ["missed", "missed, too"]);
      const second = await relay.connect(to);
      await second.message("missed, too");
      expect(second.messages).to.deep.equal(["missed", "missed, too"]);
    });

    it("gives the client library each message once, those included that it missed", async () => {
      const to = recipient();
      const received: string[] = [];
      const library = new RelayClient({
        url: relay.addresses.websocketUrl,
        context: to.context,
        contextId: to.contextId,
        WebSocket,
        token: () => relay.token(to.user),
        onMessage: ({ body }) => void received.push(body),
      });
      try {
        library.connect();
        await relay.until(() => library.state === "connected");
        await publishInOrder(to, ["before"]);
        await relay.until(() => received.length === 1);
        library.close();
        await relay.untilDisconnected(to);
        await publishInOrder(to, ["missed", "missed, too"]);
        library.connect();
        await relay.until(() => received.length === 3);
        expect(received).to.deep.equal(["before", "missed", "missed, too"]);
      } finally {
        library.close();
      }
    });

    it("reports a message that was acknowledged", async () => {
      const to = recipient();
      const receipts = await ReceiptsQueue.create(relay);
      const client = await ReplayClient.connect(relay, to);
      await client.resume();
      await relay.publish(to, "to be reported");
      await client.message(1);
      await client.acknowledge(1);
      expect(await receipts.next(to.user)).to.include({ status: "delivered", context: "chat", contextId: "7", seq: 1 });
      await receipts.remove();
    });

    it("is read over HTTP: a session's messages with its user's token, and nothing without", async () => {
      const to = { ...recipient(), contextId: "a/b?c" };
      await publishInOrder(to, ["one", "two"]);
      const { context, contextId } = to;
      const url = `${relay.addresses.readUrl}?${new URLSearchParams({ context, contextId }).toString()}`;
      const answer = await fetch(url, { headers: { authorization: `Bearer ${await relay.token(to.user)}` } });
      expect(answer.status).to.equal(200);
      const read = (await answer.json()) as MessageEnvelope[];
      expect(read.map(({ seq, body }) => [seq, body])).to.deep.equal([
        [1, "one"],
        [2, "two"],
      ]);
      expect((await fetch(url)).status).to.equal(401);
      expect((await fetch(url, { method: "POST" })).status).to.equal(405);
    });

    it("is destroyed, and leaves nothing behind", async () => {
      await relay.program.pulumi("destroy", "--yes", "--skip-preview");
      expect(await aws.names()).to.deep.equal([]);
    });
  });
});
