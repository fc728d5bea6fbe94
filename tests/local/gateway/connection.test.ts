import { expect } from "chai";
import type { Connection } from "../../../local/gateway/connection";
import { AccessDeniedError } from "../../../local/lambda/invoker";
import { type Client, Fixture } from "./gatewayFixture";

const tenMinutesMs = 10 * 60_000;
const twoHoursMs = 2 * 60 * 60_000;

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  /** Resolves when a frame has made its way to the gateway and back: what was sent before it has arrived. */
  async function roundTrip({ ws }: Client): Promise<void> {
    const pong = new Promise<void>((resolve) => ws.once("pong", () => resolve()));
    ws.ping();
    await pong;
  }

  function connection(id: string): Connection {
    const found = fixture.gateways.server(fixture.apiId).api.connections.get(id);
    if (!found) throw new Error("no connection");
    return found;
  }

  /** Resolves with the label once something is traced that contains `text`. */
  function traced(text: string): Promise<string> {
    return new Promise((resolve) => {
      fixture.trace.subscribe(({ label }) => {
        if (label.includes(text)) resolve(label);
      });
    });
  }

  describe("messages", () => {
    it("invokes the route that the message names, with its body and without headers or query", async () => {
      await fixture.deployed("ping", "$default");
      const { client, id } = await fixture.open();
      client.send({ action: "ping", n: 1 });
      const { event, caller } = await fixture.invoker.next("ping");
      expect(event).to.have.all.keys("requestContext", "body", "isBase64Encoded");
      expect(event.body).to.equal('{"action":"ping","n":1}');
      expect(event.requestContext).to.include({ routeKey: "ping", eventType: "MESSAGE", connectionId: id });
      expect(event.requestContext.messageId).to.be.a("string");
      expect(caller?.sourceArn).to.equal(`${fixture.executionArn}/dev/ping`);
    });

    for (const message of ["no JSON", '{"action":"other"}', "{}", '{"action":"$connect"}']) {
      it(`routes ${message} to $default`, async () => {
        await fixture.deployed("$connect", "ping", "$default");
        const { client } = await fixture.open();
        client.send(message);
        expect((await fixture.invoker.next("$default")).event.body).to.equal(message);
        expect(fixture.invoker.count("$connect")).to.equal(1);
      });
    }

    it("answers Forbidden to a message without a route, and keeps the connection", async () => {
      await fixture.deployed("ping");
      const { client, id } = await fixture.open();
      client.send({ action: "other" });
      const frame = JSON.parse(await client.message());
      expect(frame)
        .to.include({ message: "Forbidden", connectionId: id })
        .and.to.have.keys(["message", "connectionId", "requestId"]);
      await roundTrip(client);
    });

    it("answers Too Many Requests over the limit, each route for itself", async () => {
      await fixture.api();
      await fixture.route("ping");
      await fixture.deploy({ defaultRouteSettings: { throttlingRateLimit: 0.001, throttlingBurstLimit: 1 } });
      const { client, id } = await fixture.open();
      client.send({ action: "ping" });
      client.send({ action: "ping" });
      expect(JSON.parse(await client.message())).to.include({ message: "Too Many Requests", connectionId: id });
      expect(fixture.invoker.count("ping")).to.equal(1);
    });

    it("sends a function's answer back only with a route response", async () => {
      await fixture.api();
      await fixture.route("oneWay");
      await fixture.route("halfDeclared", {}, { routeResponseSelectionExpression: "$default" });
      const routeId = await fixture.route("twoWay", {}, { routeResponseSelectionExpression: "$default" });
      await fixture.create("routeResponse", { routeId, routeResponseKey: "$default" });
      await fixture.deploy();
      for (const routeKey of ["oneWay", "halfDeclared", "twoWay"]) {
        fixture.invoker.routes[routeKey] = () => ({ payload: { statusCode: 200, body: `from ${routeKey}` } });
      }
      const { client } = await fixture.open();
      client.send({ action: "oneWay" });
      client.send({ action: "halfDeclared" });
      client.send({ action: "twoWay" });
      expect(await client.message()).to.equal("from twoWay");
    });

    for (const [what, answer] of [
      ["fails", () => ({ functionError: "Unhandled" as const, payload: { errorType: "E", errorMessage: "m" } })],
      ["may not be invoked", () => Promise.reject(new AccessDeniedError("no"))],
      ["answers without a status", () => ({ payload: "ok" })],
    ] as const) {
      it(`answers Internal server error where the function ${what}, and logs it`, async () => {
        await fixture.deployed("ping");
        fixture.invoker.routes.ping = answer;
        const { client, id } = await fixture.open();
        client.send({ action: "ping" });
        const frame = JSON.parse(await client.message());
        expect(frame).to.include({ message: "Internal server error", connectionId: id });
        expect(frame.requestId).to.be.a("string");
        expect(fixture.logs).to.have.length(1);
      });
    }
  });

  describe("mock integrations", () => {
    const integration = {
      integrationType: "MOCK",
      integrationUri: undefined,
      integrationMethod: undefined,
      templateSelectionExpression: "\\$default",
      requestTemplates: { $default: '{"statusCode":200}' },
    };

    async function ping(options: { responses: Record<string, string>; twoWay?: boolean; request?: string }) {
      await fixture.api();
      const requestTemplates = { $default: options.request ?? '{"statusCode":200}' };
      const { id } = await fixture.create("integration", { ...integration, requestTemplates });
      for (const [integrationResponseKey, template] of Object.entries(options.responses)) {
        const responseTemplates = { $default: template };
        await fixture.create("integrationResponse", { integrationId: id, integrationResponseKey, responseTemplates });
      }
      const route = { routeKey: "ping", target: `integrations/${id}`, routeResponseSelectionExpression: "$default" };
      const routeId = (await fixture.create("route", route)).id;
      if (options.twoWay !== false) await fixture.create("routeResponse", { routeId, routeResponseKey: "$default" });
      await fixture.deploy();
      const opened = await fixture.open();
      opened.client.send({ action: "ping" });
      return opened;
    }

    it("answer by the response template, without a function", async () => {
      const { client, id } = await ping({ responses: { $default: '{"pong":"$context.connectionId"}' } });
      expect(await client.message()).to.equal(`{"pong":"${id}"}`);
      expect(fixture.invoker.invoked).to.deep.equal([]);
    });

    it("prefer the response whose pattern matches the whole status", async () => {
      const responses = { $default: "default", "/20/": "start", "/00/": "end", "/2\\d\\d/": "success" };
      expect(await (await ping({ responses })).client.message()).to.equal("success");
    });

    it("fall back to $default for another status", async () => {
      const { client } = await ping({
        responses: { "/2../": "success", $default: "else" },
        request: '{"statusCode":404}',
      });
      expect(await client.message()).to.equal("else");
    });

    it("send nothing without a route response", async () => {
      const { client } = await ping({ responses: { $default: "pong" }, twoWay: false });
      client.send({ action: "no route" });
      expect(JSON.parse(await client.message()).message).to.equal("Forbidden");
    });

    it("answer Internal server error where no response fits, or the request template names no status", async () => {
      const { client } = await ping({ responses: { "/4../": "no" } });
      expect(JSON.parse(await client.message()).message).to.equal("Internal server error");
      await fixture.close();
      fixture = new Fixture();
      const other = await ping({ responses: { $default: "no" }, request: "{}" });
      expect(JSON.parse(await other.client.message()).message).to.equal("Internal server error");
    });
  });

  describe("limits", () => {
    it("takes a frame of 32 KB and closes with 1009 at one byte more, without invoking anything", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.send("x".repeat(32768));
      await fixture.invoker.next("$default");
      client.send("x".repeat(32769));
      expect((await client.closed).code).to.equal(1009);
      expect(fixture.invoker.count("$default")).to.equal(1);
    });

    it("takes a message of 128 KB in fragments of 32 KB", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      for (let part = 1; part <= 4; part++) client.ws.send("x".repeat(32768), { fin: part === 4 });
      expect((await fixture.invoker.next("$default")).event.body).to.equal("x".repeat(131072));
    });

    it("closes with 1009 once the fragments of a message exceed 128 KB", async () => {
      await fixture.deployed("$default", "$disconnect");
      const { client } = await fixture.open();
      for (let part = 1; part <= 5; part++) client.ws.send("x".repeat(32768), { fin: part === 5 });
      expect((await client.closed).code).to.equal(1009);
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext.disconnectStatusCode).to.equal(1009);
      expect(fixture.invoker.count("$default")).to.equal(0);
    });

    it("closes with 1003 at a binary frame", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.ws.send(Buffer.from("binary"));
      expect((await client.closed).code).to.equal(1003);
      expect(fixture.invoker.count("$default")).to.equal(0);
    });

    it("closes with 1003 at the first fragment of a binary message", async () => {
      await fixture.deployed("$default");
      const { client } = await fixture.open();
      client.ws.send(Buffer.from("bin"), { fin: false });
      expect((await client.closed).code).to.equal(1003);
    });

    it("closes an idle connection with 1001", async () => {
      fixture = new Fixture({ timeScale: tenMinutesMs / 20 });
      await fixture.deployed("$disconnect");
      const closing = traced("close 1001");
      const client = fixture.client();
      expect(await client.closed).to.deep.equal({ code: 1001, reason: "Going away" });
      expect(await closing).to.contain("idle timeout");
      const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
      expect(requestContext).to.include({ disconnectStatusCode: 1001, disconnectReason: "Going away" });
    });

    it("closes a connection at its maximum duration with 1001, however busy it is", async () => {
      // A twelfth of it may pass between two pings, on a busy machine too.
      fixture = new Fixture({ timeScale: twoHoursMs / 8_400 });
      await fixture.deployed("$disconnect");
      const closing = traced("close 1001");
      const client = fixture.client();
      client.ws.on("open", () => client.ws.ping());
      client.ws.on("pong", () => client.ws.ping());
      expect((await client.closed).code).to.equal(1001);
      expect(await closing).to.contain("maximum duration");
    });
  });

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
      const lost = traced("is lost");
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
      const lost = traced("is lost");
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
  });

  it("is named in everything that is traced of it, with the route of what its client sends", async () => {
    await fixture.deployed("$connect", "ping", "$disconnect");
    const { client, id: connectionId } = await fixture.open();
    client.send({ action: "ping" });
    await fixture.invoker.next("ping");
    await fixture.manage("GET", connectionId);
    const answered = traced("200 $disconnect");
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
      await roundTrip(other.client);
      expect(fixture.invoker.count("$default")).to.equal(1);
      expect(fixture.invoker.count("$disconnect")).to.equal(0);
      expect(connection(id).state).to.equal("half-open");
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
      const closing = traced("close 1001");
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
