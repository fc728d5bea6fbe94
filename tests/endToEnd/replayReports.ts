import { expect } from "chai";
import type { Receipt } from "../../protocol";
import type { History } from "./history";
import type { ReceiptsInbox } from "./receipts";
import { recipient, type Relay } from "./relay";
import { longAgoSeconds, type ReplayRun } from "./replayRun";
import { ReplayClient } from "./replayClient";

/** Part of the tests of a relay in replay mode: receipts and dead letters. They share its run. */
export function describeReports(run: () => ReplayRun): void {
  describe("and receipts", () => {
    let relay: Relay;
    let history: History;
    let inbox: ReceiptsInbox;
    before(() => ({ relay, history, inbox } = run()));

    const receiptOf = async (messageId: string, status: Receipt["status"]) => {
      const { at, epoch, ...rest } = await inbox.receipt(messageId, status);
      expect(Number.isNaN(Date.parse(at)), at).to.equal(false);
      return { ...rest, hasEpoch: epoch !== undefined };
    };

    it("reports an acknowledged message, and all messages before it, as delivered", async () => {
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

    it("reports a message that can never be delivered as dead, with the reason", async () => {
      const to = recipient();
      const large = "x".repeat(131_072);
      await relay.publish({ ...to, messageId: "too-large" }, large);
      expect(await receiptOf("too-large", "dead")).to.deep.include({ ...to, hasEpoch: false });
      expect((await inbox.receipt("too-large", "dead")).reason).to.match(/^payload-too-large/);
      await relay.deadLetter(large);
      expect(await history.log(to)).to.deep.equal([]);
    });

    it("reports a message after its expiresAt as expired, dead-letters it, and counts its number as seen", async () => {
      const to = recipient();
      const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
      await relay.publish({ ...to, messageId: "offer", expiresAt }, "for an hour");
      await relay.publish({ ...to, messageId: "after" }, "for longer");
      await relay.untilQueueIsEmpty();
      await history.pass(to, "offer", { isDue: true });
      expect(await receiptOf("offer", "expired")).to.deep.include({ ...to, reason: "expires-at", hasEpoch: true });
      const deadLetter = await relay.deadLetter("for an hour");
      expect(deadLetter.MessageAttributes?.reason?.StringValue).to.equal("expired");
      const client = await ReplayClient.connect(relay, to);
      expect(await client.resume()).to.deep.include({ recovered: true, through: 2 });
      const offer = client.envelopes.find((envelope) => envelope.type === "message" && envelope.id === "offer");
      expect(offer).to.include({ expired: true }).and.not.to.have.property("body");
      expect(client.messages.map(([, body]) => body)).to.include("for longer");
    });

    it("reports a stored message that expires as expired, and tells a connected client at once", async () => {
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

    it("reports a message that is not acknowledged within the retention as expired, and keeps nothing but the last number", async () => {
      const to = recipient();
      for (const message of ["old-1", "old-2"]) await relay.publish({ ...to, messageId: message }, message);
      await relay.untilQueueIsEmpty();
      const [{ epoch = "" } = {}] = await history.log(to);
      await history.age(to, longAgoSeconds);
      const deadLetters = new Set<string>();
      await relay.deadLetterOf(({ Body = "" }) => deadLetters.add(Body).size === 2, relay.addresses.deadLetterQueueUrl);
      expect([...deadLetters].sort()).to.deep.equal(["old-1", "old-2"]);
      for (const message of deadLetters) {
        expect(await receiptOf(message, "expired")).to.deep.include({ ...to, reason: "retention", hasEpoch: true });
      }
      const [tail] = (await history.untilSealed(to)).slice(-1);
      expect(tail).to.include({ epoch, ttlMs: undefined });

      await relay.publish(to, "new");
      // Before there is a client: else it may get the message live too.
      await relay.untilQueueIsEmpty();
      const client = await ReplayClient.connect(relay, to);
      const cursor = { epoch, seq: 1 };
      expect(await client.resume({ cursor })).to.deep.include({ recovered: false, lost: "expired", first: 3 });
      expect(client.messages).to.deep.equal([[3, "new"]]);
    });

    it("counts stored, acknowledged, expired and resumed messages", async () => {
      const counted = await relay.metrics();
      const reasons = { Stored: "no-session", Expired: "retention", Resumed: "recovered" };
      for (const [name, reason] of Object.entries({ ...reasons, Acknowledged: undefined, Delivered: undefined })) {
        expect(counted(name, reason), name).to.be.greaterThan(0);
      }
    });
  });
}
