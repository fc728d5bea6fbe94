import { expect } from "chai";
import { Fixture } from "./gatewayFixture";

describe("the local gateway's connections", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

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

    it("may be shared by routes, of which only those with a route response answer", async () => {
      await fixture.api();
      const { id } = await fixture.create("integration", integration);
      const response = { integrationResponseKey: "$default", responseTemplates: { $default: "pong" } };
      await fixture.create("integrationResponse", { integrationId: id, ...response });
      const target = { target: `integrations/${id}` };
      await fixture.create("route", { routeKey: "ack", ...target });
      const ping = { routeKey: "ping", ...target, routeResponseSelectionExpression: "$default" };
      const routeId = (await fixture.create("route", ping)).id;
      await fixture.create("routeResponse", { routeId, routeResponseKey: "$default" });
      await fixture.deploy();
      const { client } = await fixture.open();
      client.send({ action: "ack" });
      client.send({ action: "ping" });
      expect(await client.message()).to.equal("pong");
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
});
