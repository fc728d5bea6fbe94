import { expect } from "chai";
import { AccessDeniedError } from "../../../local/lambda/invoker";
import { Fixture } from "./gatewayFixture";

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

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
      await client.roundTrip();
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

    describe("with limits of the route's own", () => {
      const limits = (rate: number, burst: number) => ({ throttlingRateLimit: rate, throttlingBurstLimit: burst });

      it("answers Too Many Requests over them, and counts other routes by the stage's", async () => {
        await fixture.api();
        for (const routeKey of ["ping", "other"]) await fixture.route(routeKey);
        await fixture.deploy({
          defaultRouteSettings: limits(0.001, 3),
          routeSettings: [{ routeKey: "ping", ...limits(0.001, 1) }],
        });
        const { client, id } = await fixture.open();
        client.send({ action: "ping" });
        client.send({ action: "ping" });
        const frame = JSON.parse(await client.message());
        expect(frame)
          .to.include({ message: "Too Many Requests", connectionId: id })
          .and.to.have.keys(["message", "connectionId", "requestId"]);
        for (let count = 0; count < 4; count++) client.send({ action: "other" });
        expect(JSON.parse(await client.message())).to.include({ message: "Too Many Requests", connectionId: id });
        expect([fixture.invoker.count("ping"), fixture.invoker.count("other")]).to.deep.equal([1, 3]);
      });

      it("answers within them what would be over the stage's", async () => {
        await fixture.api();
        await fixture.route("ping");
        await fixture.deploy({
          defaultRouteSettings: limits(0.001, 1),
          routeSettings: [{ routeKey: "ping", ...limits(0.001, 3) }],
        });
        const { client } = await fixture.open();
        for (let count = 0; count < 4; count++) client.send({ action: "ping" });
        expect(JSON.parse(await client.message())).to.include({ message: "Too Many Requests" });
        expect(fixture.invoker.count("ping")).to.equal(3);
      });

      it("keeps the connection, and takes limits that the stage gets later", async () => {
        await fixture.api();
        await fixture.route("ping", {}, { routeResponseSelectionExpression: "$default" });
        const deploymentId = await fixture.deploy({ defaultRouteSettings: limits(0.001, 1) });
        const { client } = await fixture.open();
        client.send({ action: "ping" });
        client.send({ action: "ping" });
        expect(JSON.parse(await client.message())).to.include({ message: "Too Many Requests" });
        const inputs = {
          apiId: fixture.apiId,
          name: "dev",
          deploymentId,
          defaultRouteSettings: limits(0.001, 1),
          routeSettings: [{ routeKey: "ping", ...limits(0.001, 2) }],
        };
        await fixture.resource("stage").update("dev", { name: "stage", inputs }, {});
        for (let count = 0; count < 3; count++) client.send({ action: "ping" });
        expect(JSON.parse(await client.message())).to.include({ message: "Too Many Requests" });
        expect(fixture.invoker.count("ping")).to.equal(3);
      });
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
});
