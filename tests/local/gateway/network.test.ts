import { expect } from "chai";
import { Fixture } from "./gatewayFixture";

const tenMinutesMs = 10 * 60_000;

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  describe("the network", () => {
    it("that breaks is noticed on both sides, and $disconnect says 1006", async () => {
      await fixture.deployed("$disconnect");
      const { client, id } = await fixture.open();
      expect(fixture.gateways.drop(id)).to.equal(true);
      expect((await client.closed).code).to.equal(1006);
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext).to.include({ connectionId: id, disconnectStatusCode: 1006 });
      expect(fixture.labels).to.include(`Client->Gateway: the connection is cut …${id.slice(-5)}`);
      expect(fixture.failures).to.deep.equal([[id, "cut"]]);
      expect(fixture.gateways.drop(id)).to.equal(false);
    });

    it("that is gone unnoticed answers 200 to POST and GET, and the message is lost", async () => {
      await fixture.deployed("$default");
      const { client, id } = await fixture.open();
      await fixture.manage("POST", id, "before");
      expect(fixture.gateways.halfOpen(id)).to.equal(true);
      expect((await fixture.manage("POST", id, "after")).status).to.equal(200);
      expect((await fixture.manage("GET", id)).status).to.equal(200);
      expect(fixture.gateways.connections()).to.deep.equal([{ id, state: "half-open" }]);
      expect(fixture.failures).to.deep.equal([
        [id, "half-open"],
        [id, "message lost"],
      ]);
      // The end of the TCP connection is ordered after everything that was let through before it.
      const closed = client.closed;
      await fixture.gateways.close();
      await closed;
      expect(await client.message()).to.equal("before");
      expect(client.unread).to.deep.equal([]);
    });

    it("that is gone unnoticed hides the client's message, close and kill from the gateway", async () => {
      await fixture.deployed("$default", "$disconnect");
      const { client, id } = await fixture.open();
      const other = await fixture.open();
      fixture.gateways.halfOpen(id);
      client.send("lost");
      client.ws.close(1000);
      client.ws.terminate();
      await client.closed;
      other.client.send("arrives");
      expect((await fixture.invoker.next("$default")).event.body).to.equal("arrives");
      await other.client.roundTrip();
      expect(fixture.invoker.count("$default")).to.equal(1);
      expect(fixture.invoker.count("$disconnect")).to.equal(0);
      expect(fixture.connection(id).state).to.equal("half-open");
      expect((await fixture.manage("GET", id)).status).to.equal(200);
    });

    it("that is gone unnoticed ends with DELETE, of which the client hears nothing", async () => {
      await fixture.deployed("$disconnect");
      const { client, id } = await fixture.open();
      fixture.gateways.halfOpen(id);
      expect((await fixture.manage("DELETE", id)).status).to.equal(204);
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext).to.include({ connectionId: id, disconnectStatusCode: 1000 });
      expect((await fixture.manage("GET", id)).status).to.equal(410);
      expect(client.ws.readyState).to.equal(client.ws.OPEN);
    });

    it("that is gone unnoticed ends with the idle timeout, however often is posted", async () => {
      fixture = new Fixture({ timeScale: tenMinutesMs / 1000 });
      await fixture.deployed("$disconnect");
      const { id } = await fixture.open();
      fixture.gateways.halfOpen(id);
      const closing = fixture.traced("close 1001");
      let posts = 0;
      while ((await fixture.manage("POST", id, "lost")).status === 200) posts++;
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext.disconnectStatusCode).to.equal(1001);
      expect(await closing).to.contain("idle timeout");
      expect(posts).to.be.above(0);
    });

    it("is not there for an unknown connection, nor for one whose $connect has not returned", async () => {
      await fixture.deployed("$connect");
      expect([fixture.gateways.halfOpen("x="), fixture.gateways.drop("x=")]).to.deep.equal([false, false]);
      fixture.invoker.routes.$connect = ({ requestContext: { connectionId } }) => {
        expect(fixture.gateways.connections()).to.deep.equal([{ id: connectionId, state: "connecting" }]);
        const refused = !fixture.gateways.halfOpen(connectionId) && !fixture.gateways.drop(connectionId);
        return { payload: { statusCode: refused ? 200 : 500 } };
      };
      await fixture.client().opened;
    });
  });
});
