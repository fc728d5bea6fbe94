import { expect } from "chai";
import type { History } from "./history";
import { LiteralClient } from "./literalClient";
import { chunkBodies, chunkBody } from "../support/streams";
import { recipient, type Recipient, type Relay } from "./relay";
import type { ReplayRun } from "./replayRun";

/** Part of the tests of a relay in replay mode: a client that was written from docs/protocol.md alone. They share its run. */
export function describeLiteralClient(run: () => ReplayRun): void {
  describe("serves a client that was written from docs/protocol.md alone, which", () => {
    let relay: Relay;
    let history: History;
    before(() => ({ relay, history } = run()));

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

    it("takes the chunks of a stream that it has missed, joined, for all of their numbers", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      await relay.publish(to, "before");
      await client.until(() => client.shown.length === 1);
      const { cursor } = client;
      client.close();
      for (const body of [...chunkBodies(["Your ", "report ", "is ready"]), "after"]) {
        await relay.publish(to, body);
        await relay.untilQueueIsEmpty();
      }
      const again = clientOf(to, cursor as { epoch: string; seq: number });
      await again.connect();
      await again.until(() => again.shown.length === 2);
      expect(again.shown).to.deep.equal([chunkBody(0, "Your report is ready"), "after"]);
      again.acknowledge();
      await history.untilAcknowledged(to, 5);
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
      // The function remembers its last segment for some seconds. A copy of what is in it makes the function read again.
      const again = { ...to, messageId: "used-again" };
      await relay.publish(to, "one");
      await client.until(() => client.shown.length === 1);
      await relay.publish(again, "two");
      await client.until(() => client.shown.length === 2);
      await relay.untilQueueIsEmpty();
      await history.lose(to);
      await relay.publish(again, "anew");
      await client.until(() => client.shown.length === 4);
      expect(client.shown).to.deep.equal(["one", "two", "missing: epoch", "anew"]);
    });

    it("asks for what was never posted as soon as the next message comes, shows it in order, and acknowledges", async () => {
      const to = recipient();
      const client = clientOf(to);
      await client.connect();
      // Else its answer may show the message before `deliver` posts it, whose post would be the one that fails.
      await client.until(() => client.cursor !== undefined);
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
}
