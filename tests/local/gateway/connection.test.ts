import { expect } from "chai";
import { AccessDeniedError } from "../../../local/lambda/invoker";
import { Fixture } from "./gatewayFixture";

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  describe("$disconnect", () => {
    it("comes after the client's close, with its code and reason and synthetic headers only", async () => {
      await fixture.deployed("$connect", "$disconnect");
      const { client, id } = await fixture.open("/dev?context=chat");
      client.ws.close(4001, "bye");
      const { event, caller } = await fixture.invoker.next("$disconnect");
      expect(event).to.have.all.keys("headers", "multiValueHeaders", "requestContext", "isBase64Encoded");
      expect(event.headers).to.deep.equal({
        Host: fixture.apiEndpoint.slice("ws://".length),
        "x-api-key": "",
        "X-Forwarded-For": "",
        "x-restapi": "",
      });
      expect(event.requestContext).to.include({
        routeKey: "$disconnect",
        eventType: "DISCONNECT",
        connectionId: id,
        disconnectStatusCode: 4001,
        disconnectReason: "bye",
      });
      const connected = (await fixture.invoker.next("$connect")).event.requestContext;
      expect(event.requestContext.connectedAt).to.equal(connected.connectedAt);
      expect(caller?.sourceArn).to.equal(`${fixture.executionArn}/dev/$disconnect`);
    });

    it("says 1005 for a close without a code and 1006 for none at all", async () => {
      await fixture.deployed("$disconnect");
      const codes = new Map<string, number>();
      const both = new Promise<void>((resolve) => {
        fixture.invoker.routes.$disconnect = ({ requestContext }) => {
          codes.set(requestContext.connectionId, requestContext.disconnectStatusCode);
          if (codes.size === 2) resolve();
          return { payload: { statusCode: 200 } };
        };
      });
      const closing = await fixture.open();
      const killed = await fixture.open();
      closing.client.ws.close();
      killed.client.ws.terminate();
      await both;
      expect(codes.get(closing.id)).to.equal(1005);
      expect(codes.get(killed.id)).to.equal(1006);
    });

    it("is invoked once, its failure is logged, and the connection is gone all the same", async () => {
      await fixture.deployed("$disconnect");
      fixture.invoker.routes.$disconnect = () => Promise.reject(new AccessDeniedError("no statement allows it"));
      const logged = new Promise<void>((resolve) => {
        fixture.logs.push = (line: string) => {
          expect(line).to.contain("$disconnect").and.contain("no statement allows it");
          resolve();
          return 1;
        };
      });
      const { client, id } = await fixture.open();
      client.ws.close();
      await logged;
      expect(fixture.invoker.count("$disconnect")).to.equal(1);
      expect((await fixture.manage("GET", id)).status).to.equal(410);
    });

    it("is not delivered while disconnects are lost, and is again afterwards", async () => {
      await fixture.deployed("$disconnect");
      fixture.gateways.loseDisconnects = true;
      const lost = fixture.traced("is lost");
      const first = await fixture.open();
      first.client.ws.close();
      expect(await lost).to.contain(first.id.slice(-5));
      fixture.gateways.loseDisconnects = false;
      const second = await fixture.open();
      second.client.ws.close();
      const { event } = await fixture.invoker.next("$disconnect");
      expect(event.requestContext.connectionId).to.equal(second.id);
      expect(fixture.invoker.count("$disconnect")).to.equal(1);
    });

    it("is not delivered for as many connections as are to be lost, and is for the next", async () => {
      await fixture.deployed("$disconnect");
      fixture.gateways.loseNextDisconnects(1);
      const lost = fixture.traced("is lost");
      const first = await fixture.open();
      first.client.ws.close();
      expect(await lost).to.contain(first.id.slice(-5));
      expect(fixture.failures).to.deep.equal([[first.id, "disconnect lost"]]);
      const second = await fixture.open();
      second.client.ws.close();
      const { event } = await fixture.invoker.next("$disconnect");
      expect(event.requestContext.connectionId).to.equal(second.id);
      expect(fixture.invoker.count("$disconnect")).to.equal(1);
    });

    it("is not delivered over the limits of its route, which are none of $connect's", async () => {
      await fixture.api();
      for (const routeKey of ["$connect", "$disconnect"]) await fixture.route(routeKey);
      await fixture.deploy({
        defaultRouteSettings: { throttlingRateLimit: 1_000, throttlingBurstLimit: 1_000 },
        routeSettings: [{ routeKey: "$disconnect", throttlingRateLimit: 0.001, throttlingBurstLimit: 1 }],
      });
      const [first, second] = [await fixture.open(), await fixture.open()];
      first.client.ws.close();
      const { event } = await fixture.invoker.next("$disconnect");
      expect(event.requestContext.connectionId).to.equal(first.id);
      const throttled = fixture.traced("is throttled");
      second.client.ws.close();
      expect(await throttled).to.contain(second.id.slice(-5));
      expect(fixture.failures).to.deep.equal([[second.id, "disconnect lost"]]);
      expect(fixture.invoker.count("$disconnect")).to.equal(1);
    });
  });

  it("is named in everything that is traced of it, with the route of what its client sends", async () => {
    await fixture.deployed("$connect", "ping", "$disconnect");
    const { client, id: connectionId } = await fixture.open();
    client.send({ action: "ping" });
    await fixture.invoker.next("ping");
    await fixture.manage("GET", connectionId);
    const answered = fixture.traced("200 $disconnect");
    client.ws.close(1000);
    await answered;
    expect(new Set(fixture.events.map((event) => event.connectionId))).to.deep.equal(new Set([connectionId]));
    const pings = fixture.events.filter(({ routeKey }) => routeKey === "ping");
    expect(pings.length).to.be.at.least(2);
    expect(fixture.failures).to.deep.equal([]);
  });

  it("is listed with the tag that its client gave, and without one where none was given", async () => {
    await fixture.deployed("$default");
    const { id } = await fixture.open();
    const tagged = await fixture.open("/dev?tag=mine");
    expect(fixture.gateways.connections()).to.deep.equal([
      { id, state: "open" },
      { id: tagged.id, state: "open", tag: "mine" },
    ]);
  });
});
