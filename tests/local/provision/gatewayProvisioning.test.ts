import { expect } from "chai";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { Listener } from "../../../local/gateway/listener";
import { refusal } from "../../support/refusal";
import { Fixture, invokeArn } from "../gateway/gatewayFixture";

const websocket = { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action" };

describe("the local gateway's resources", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  it("have the outputs of the aws provider", async () => {
    const api = await fixture.create("api", websocket, "relay-api");
    fixture.apiId = api.id;
    expect(api.id).to.match(/^[a-z0-9]{10}$/);
    expect(api.outputs.apiEndpoint).to.match(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(api.outputs).to.include({
      name: "relay-api",
      arn: `arn:aws:apigateway:us-east-1::/apis/${api.id}`,
      executionArn: `arn:aws:execute-api:us-east-1:000000000000:${api.id}`,
    });
    const stage = await fixture.create("stage", { name: "dev" });
    expect(stage).to.deep.equal({
      id: "dev",
      outputs: {
        name: "dev",
        invokeUrl: `${String(api.outputs.apiEndpoint)}/dev`,
        executionArn: `${String(api.outputs.executionArn)}/dev`,
        arn: `arn:aws:apigateway:us-east-1::/apis/${api.id}/stages/dev`,
      },
    });
  });

  it("replace what the aws provider replaces", () => {
    const replaced = Object.entries(fixture.resources).map(([type, { replaceOnChanges }]) => [
      type.split(":")[2],
      replaceOnChanges?.filter((input) => input !== "region"),
    ]);
    expect(Object.fromEntries(replaced)).to.deep.equal({
      Api: ["protocolType"],
      Stage: ["apiId", "name"],
      Route: ["apiId"],
      Integration: ["apiId", "integrationType", "integrationSubtype"],
      IntegrationResponse: ["apiId", "integrationId"],
      RouteResponse: ["apiId", "routeId"],
      Deployment: ["apiId", "triggers"],
      DomainName: ["domainName"],
      ApiMapping: ["apiId", "domainName"],
      Account: undefined,
    });
  });

  it("take the given port for the first API and a free one for the next", async () => {
    const probe = createServer().listen(0, "127.0.0.1");
    await once(probe, "listening");
    const { port } = probe.address() as AddressInfo;
    fixture = new Fixture({ port });

    const taken = await refusal(fixture.api());
    expect(taken.code).to.equal("EADDRINUSE");
    expect(taken.message).to.contain(`Port ${port}`).and.contain("is taken");

    await new Promise((resolve) => probe.close(resolve));
    await fixture.api();
    expect(fixture.apiEndpoint).to.equal(`ws://127.0.0.1:${port}`);
    await fixture.api();
    expect(fixture.apiEndpoint).to.not.equal(`ws://127.0.0.1:${port}`);
  });

  for (const [what, host, message] of [
    ["of another machine", "203.0.113.9", /^203\.0\.113\.9 is no address of this machine/],
    // Link-local, without the interface that it belongs to.
    ["that cannot be listened on for another reason", "fe80::1", /^Cannot listen on port \d+ of fe80::1 \(EINVAL\)$/],
  ] as const) {
    it(`say what is wrong with a host ${what}`, async () => {
      expect((await refusal(Listener.open(0, host))).message).to.match(message);
    });
  }

  it("deploy what the API has at that moment: a later route is unknown until the next deployment", async () => {
    await fixture.deployed("ping");
    await fixture.route("$connect");
    await fixture.route("later");
    const { client } = await fixture.open();
    expect(fixture.invoker.count("$connect")).to.equal(0);
    client.send({ action: "later" });
    expect(JSON.parse(await client.message()).message).to.equal("Forbidden");

    const deploymentId = (await fixture.create("deployment", {})).id;
    const inputs = { apiId: fixture.apiId, name: "dev", deploymentId };
    await fixture.resource("stage").update("dev", { name: "stage", inputs }, {});
    client.send({ action: "later" });
    await fixture.invoker.next("later");
    await fixture.open();
    expect(fixture.invoker.count("$connect")).to.equal(1);
  });

  it("keep a deployed route in effect though the route is changed and deleted", async () => {
    await fixture.api();
    const routeId = await fixture.route("ping");
    await fixture.deploy();
    const route = fixture.resource("route");
    await route.update(routeId, { name: "route", inputs: { apiId: fixture.apiId, routeKey: "pong" } }, {});
    await route.delete(routeId, { apiId: fixture.apiId });
    const { client } = await fixture.open();
    client.send({ action: "ping" });
    await fixture.invoker.next("ping");
  });

  it("serve no stage without a deployment, and none that was deleted", async () => {
    await fixture.deployed("$default");
    await fixture.create("stage", { name: "empty" });
    expect((await fixture.client("/empty").refused).status).to.equal(403);
    const { client } = await fixture.open();
    await fixture.resource("stage").delete("dev", { apiId: fixture.apiId });
    expect((await client.closed).code).to.equal(1006);
    expect((await fixture.client().refused).status).to.equal(403);
  });

  it("change limits with the stage", async () => {
    await fixture.api();
    await fixture.route("$default");
    const deploymentId = await fixture.deploy({ defaultRouteSettings: { throttlingBurstLimit: 1 } });
    expect((await fixture.client().refused).status).to.equal(429);
    const inputs = { apiId: fixture.apiId, name: "dev", deploymentId };
    await fixture.resource("stage").update("dev", { name: "stage", inputs }, {});
    await fixture.client().opened;
  });

  it("close the server and the connections of a deleted API, and deleting its parts afterwards succeeds", async () => {
    await fixture.deployed("$default", "$disconnect");
    const { client } = await fixture.open();
    await fixture.resource("api").delete(fixture.apiId, {});
    expect((await client.closed).code).to.equal(1006);
    expect((await refusal(fixture.client().opened)).code).to.equal("ECONNREFUSED");
    await fixture.resource("stage").delete("dev", { apiId: fixture.apiId });
    await fixture.resource("route").delete("any", { apiId: fixture.apiId });
    expect(fixture.gateways.connections()).to.deep.equal([]);
  });

  it("end with the gateway, a handshake that still waits for $connect included", async () => {
    await fixture.deployed("$connect", "$disconnect");
    const { client } = await fixture.open();
    fixture.invoker.routes.$connect = () => new Promise(() => undefined);
    const invokedTwice = new Promise<void>((resolve) => {
      fixture.trace.subscribe(({ label }) => label.startsWith("$connect") && resolve());
    });
    const waiting = fixture.client();
    await invokedTwice;
    await fixture.gateways.close();
    expect((await client.closed).code).to.equal(1006);
    expect((await waiting.closed).code).to.equal(1006);
    expect(fixture.invoker.count("$disconnect")).to.equal(0);
  });

  const lambda = { integrationType: "AWS_PROXY", integrationMethod: "POST", integrationUri: invokeArn };
  for (const [why, type, inputs, message] of [
    ["a REST API", "api", { protocolType: "REST" }, "it must be WEBSOCKET or HTTP"],
    ["an API without a route selection", "api", { protocolType: "WEBSOCKET" }, "routeSelectionExpression"],
    ["an unknown API", "route", { apiId: "nope", routeKey: "x" }, "Invalid API identifier"],
    ["a route with an authorizer", "route", { routeKey: "x", authorizationType: "AWS_IAM" }, "authorizationType"],
    ["a route that needs an API key", "route", { routeKey: "x", apiKeyRequired: true }, "apiKeyRequired"],
    ["a second route with the key", "route", { routeKey: "$default" }, "already exists"],
    ["a target that is no integration", "route", { routeKey: "x", target: "integrations/nope" }, "target of route x"],
    ["an HTTP integration", "integration", { integrationType: "HTTP" }, "only AWS_PROXY and MOCK"],
    ["a bare function ARN", "integration", { ...lambda, integrationUri: "arn:aws:lambda:x" }, "not the invoke ARN"],
    ["a GET to Lambda", "integration", { ...lambda, integrationMethod: "GET" }, "Lambda takes POST"],
    [
      "another way for bodies without a template",
      "integration",
      { ...lambda, passthroughBehavior: "NEVER" },
      "passthroughBehavior is NEVER: only WHEN_NO_MATCH",
    ],
    ["a timeout over 29 s", "integration", { ...lambda, timeoutMilliseconds: 30_000 }, "50 to 29000"],
    ["Velocity", "integration", { integrationType: "MOCK", requestTemplates: { a: "#if(1)#end" } }, "Velocity"],
    ["a response key without slashes", "integrationResponse", { integrationResponseKey: "200" }, "pattern"],
    ["a response to no integration", "integrationResponse", { integrationResponseKey: "$default" }, "Invalid Integ"],
    ["a response of no route", "routeResponse", { routeResponseKey: "$default", routeId: "x" }, "Invalid Route id"],
    ["another route response key", "routeResponse", { routeResponseKey: "ok" }, "routeResponseKey is ok"],
    ["a stage that exists", "stage", { name: "dev" }, "already exists"],
    ["a stage named $default", "stage", { name: "$default" }, "the stage's name"],
    ["a stage of an unknown deployment", "stage", { name: "a", deploymentId: "x" }, "does not exist"],
    [
      "settings of a route that does not exist",
      "stage",
      { name: "a", routeSettings: [{ routeKey: "ping", throttlingRateLimit: 1, throttlingBurstLimit: 1 }] },
      "Unable to find Route by key ping within the provided RouteSettings",
    ],
    ["autoDeploy", "stage", { name: "a", autoDeploy: true }, "autoDeploy"],
    [
      "a logging level that there is not",
      "stage",
      { name: "a", defaultRouteSettings: { loggingLevel: "WARN" } },
      "loggingLevel is WARN: it must be OFF, ERROR or INFO",
    ],
    [
      "a logging level of one route that there is not",
      "stage",
      { name: "a", routeSettings: [{ routeKey: "$default", loggingLevel: "error" }] },
      "loggingLevel is error: it must be OFF, ERROR or INFO",
    ],
  ] as const) {
    it(`refuse ${why}`, async () => {
      await fixture.deployed("$default");
      expect((await refusal(fixture.create(type, inputs))).message).to.contain(message);
    });
  }

  it("refuse to deploy an API without routes", async () => {
    await fixture.api();
    expect((await refusal(fixture.create("deployment", {}))).message).to.contain("At least one route");
  });

  it("refuse to delete what is in use: a route's integration, a stage's deployment", async () => {
    await fixture.api();
    const { id } = await fixture.create("integration", lambda);
    const route = await fixture.create("route", { routeKey: "$default", target: `integrations/${id}` });
    const deploymentId = await fixture.deploy();
    const { apiId } = fixture;
    const deleting = (type: string, id: string) => fixture.resource(type).delete(id, { apiId });
    expect((await refusal(deleting("integration", id))).message).to.contain("referenced by the Route $default");
    expect((await refusal(deleting("deployment", deploymentId))).message).to.contain("Active stages");
    await deleting("stage", "dev");
    await deleting("deployment", deploymentId);
    await deleting("route", route.id);
    await deleting("integration", id);
  });
});
