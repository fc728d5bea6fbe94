import { request as httpRequest } from "node:http";
import { once } from "node:events";
import { expect } from "chai";
import { refusal } from "../../support/refusal";
import { Fixture } from "./gatewayFixture";
import { policyOf, registerRole } from "../iam/roles";

const domain = "ws.relay.dev";
const domainNameConfiguration = {
  certificateArn: "arn:aws:acm:us-east-1:000000000000:certificate/c",
  endpointType: "REGIONAL",
  securityPolicy: "TLS_1_2",
};
const host = { headers: { Host: domain } };

describe("a custom domain name", () => {
  let fixture: Fixture;
  beforeEach(async () => {
    fixture = await new Fixture().deployed("$connect", "$default", "$disconnect");
  });
  afterEach(() => fixture.close());

  const createDomain = (inputs: object = {}) =>
    fixture.create("domainName", { domainName: domain, domainNameConfiguration, ...inputs });
  const createMapping = (inputs: object = {}) =>
    fixture.create("apiMapping", { domainName: domain, stage: "dev", ...inputs });

  /** A call to the management API by the domain's name, which fetch would not send. */
  async function manage(method: string, path: string): Promise<number | undefined> {
    const request = httpRequest(`${fixture.apiEndpoint.replace("ws:", "http:")}${path}`, { method, ...host });
    request.end(method === "POST" ? "hello" : undefined);
    const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  it("has the outputs of the aws provider, which a preview does not know", async () => {
    const { id, outputs } = await createDomain();
    expect(id).to.equal(domain);
    expect(outputs.arn).to.equal("arn:aws:apigateway:us-east-1::/domainnames/ws.relay.dev");
    const { targetDomainName, ...configuration } = outputs.domainNameConfiguration as Record<string, string>;
    expect(configuration).to.deep.equal({ ...domainNameConfiguration, hostedZoneId: "Z1UJRXOUMOOFQ8" });
    expect(targetDomainName).to.match(/^d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com$/);
    expect(fixture.resource("domainName").computedInputs).to.deep.equal(["domainNameConfiguration"]);
    const tagged = { domainName: domain, domainNameConfiguration, tags: { team: "a" } };
    const updated = await fixture.resource("domainName").update(id, { name: "domain", inputs: tagged }, outputs);
    expect(updated.domainNameConfiguration).to.include({ targetDomainName });
  });

  it("leads a client that names it in the Host header to the stage that its path is mapped to", async () => {
    await createDomain();
    await createMapping({ apiMappingKey: "live" });
    const client = fixture.client("/live?context=chat", [], { headers: { Host: `${domain}:8443` } });
    await client.opened;
    const { event, caller } = await fixture.invoker.next("$connect");
    expect(event.requestContext).to.include({ domainName: domain, stage: "dev", apiId: fixture.apiId });
    expect(event.headers.Host).to.equal(`${domain}:8443`);
    expect(event.queryStringParameters).to.deep.equal({ context: "chat" });
    expect(caller?.sourceArn).to.equal(`${fixture.executionArn}/dev/$connect`);
    client.send("hello");
    expect((await fixture.invoker.next("$default")).event.requestContext.domainName).to.equal(domain);
    client.ws.close();
    const { event: disconnect } = await fixture.invoker.next("$disconnect");
    expect(disconnect.requestContext.domainName).to.equal(domain);
    expect(disconnect.headers.Host).to.equal(domain);
  });

  it("may be mapped as a whole", async () => {
    await createDomain();
    await createMapping();
    await fixture.client("/?context=chat", [], host).opened;
    expect((await fixture.invoker.next("$connect")).event.requestContext.stage).to.equal("dev");
  });

  it("leads to another API than the one whose port the client came to", async () => {
    await createDomain();
    await createMapping();
    const { apiId } = fixture;
    await fixture.api();
    await fixture.client("/", [], host).opened;
    expect((await fixture.invoker.next("$connect")).event.requestContext.apiId).to.equal(apiId);
  });

  it("answers 403 to a path without a mapping, the stage's own among them, and invokes nothing", async () => {
    await createDomain();
    await createMapping({ apiMappingKey: "live" });
    for (const path of ["/dev", "/", "/live/more", "/liv"]) {
      const refused = await fixture.client(path, [], host).refused;
      expect(refused, path).to.deep.equal({ status: 403, body: '{"message":"Forbidden"}' });
    }
    expect(await manage("POST", "/dev/@connections/abc=")).to.equal(403);
    expect(fixture.invoker.invoked).to.deep.equal([]);
  });

  it("keeps the API's own address in service", async () => {
    await createDomain();
    await createMapping();
    await fixture.client("/dev").opened;
    const { event } = await fixture.invoker.next("$connect");
    expect(event.requestContext.domainName).to.equal(fixture.apiEndpoint.slice("ws://".length));
  });

  it("is the only way in where the API's own address is disabled, for management calls too", async () => {
    await createDomain();
    await createMapping();
    const inputs = { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action" };
    const disabled = { ...inputs, disableExecuteApiEndpoint: true };
    await fixture.resource("api").update(fixture.apiId, { name: "test", inputs: disabled }, {});
    expect(await fixture.client("/dev").refused).to.deep.equal({ status: 403, body: '{"message":"Forbidden"}' });
    expect((await fixture.manage("GET", "abc=")).status).to.equal(403);
    await fixture.client("/", [], host).opened;
    await fixture.resource("api").update(fixture.apiId, { name: "test", inputs }, {});
    await fixture.client("/dev").opened;
  });

  for (const key of ["", "live", "relay/v1"]) {
    it(`takes management calls without the stage in the path, below ${JSON.stringify(key)}`, async () => {
      await createDomain();
      await createMapping({ apiMappingKey: key });
      const client = fixture.client(`/${key}`, [], host);
      await client.opened;
      const id = fixture.gateways.connections()[0]?.id ?? "";
      const path = `${key && `/${key}`}/@connections/${encodeURIComponent(id)}`;
      expect(await manage("POST", path)).to.equal(200);
      expect(await client.message()).to.equal("hello");
      expect(await manage("GET", path)).to.equal(200);
      expect((await fixture.manage("GET", id)).status, "at the API's own address").to.equal(200);
      expect(await manage("DELETE", path)).to.equal(204);
    });
  }

  it("sends header names in lower case behind a path of several parts, and else as they came", async () => {
    await createDomain();
    await createMapping({ apiMappingKey: "relay/v1" });
    await createMapping({ apiMappingKey: "live" });
    const headers = { ...host.headers, AUTHORIZATION: "Bearer X" };
    for (const [path, name] of [
      ["/relay/v1", "authorization"],
      ["/live", "AUTHORIZATION"],
    ] as const) {
      await fixture.client(path, [], { headers }).opened;
      expect(fixture.invoker.invoked.at(-1)?.event.headers).to.include({ [name]: "Bearer X" });
    }
  });

  it("follows a mapping that changes in place, and nothing once it is deleted", async () => {
    await createDomain();
    const { id } = await createMapping({ apiMappingKey: "old" });
    const inputs = { apiId: fixture.apiId, domainName: domain, stage: "dev", apiMappingKey: "new" };
    await fixture.resource("apiMapping").update(id, { name: "mapping", inputs }, {});
    expect((await fixture.client("/old", [], host).refused).status).to.equal(403);
    await fixture.client("/new", [], host).opened;
    await fixture.resource("apiMapping").delete(id, {});
    expect((await fixture.client("/new", [], host).refused).status).to.equal(403);
  });

  const configured = (changes: object) => ({ domainNameConfiguration: { ...domainNameConfiguration, ...changes } });
  const refusedDomains: [what: string, inputs: object, message: string][] = [
    ["without a configuration", { domainNameConfiguration: undefined }, "certificateArn"],
    ["without a certificate", configured({ certificateArn: undefined }), "certificateArn"],
    [
      "with a certificate of another region",
      configured({ certificateArn: domainNameConfiguration.certificateArn.replace("us-east-1", "eu-west-1") }),
      "us-east-1",
    ],
    ["that is optimized for the edge", configured({ endpointType: "EDGE" }), "endpointType"],
    ["with an older TLS", configured({ securityPolicy: "TLS_1_0" }), "securityPolicy"],
    ["with client certificates", { mutualTlsAuthentication: {} }, "mutualTlsAuthentication"],
    ["that is no domain name", { domainName: "https://ws.relay.dev" }, "domainName"],
  ];
  for (const [what, inputs, message] of refusedDomains) {
    it(`is refused ${what}`, async () => {
      expect((await refusal(createDomain(inputs))).message).to.include(message);
    });
  }

  it("is refused a second time", async () => {
    await createDomain();
    expect((await refusal(createDomain())).message).to.include("already exists");
  });

  const refusedMappings: [what: string, inputs: object, message: string][] = [
    ["to an unknown stage", { stage: "prod" }, "Invalid stage identifier"],
    ["to an unknown API", { apiId: "none" }, "Invalid API identifier"],
    ["of an unknown domain", { domainName: "other.relay.dev" }, "Invalid domain name identifier"],
    ["of a path with other characters", { apiMappingKey: "a b" }, "apiMappingKey"],
    ["of a path that begins with a slash", { apiMappingKey: "/live" }, "apiMappingKey"],
    ["of a path of more than 300 characters", { apiMappingKey: "x".repeat(301) }, "300"],
    ["of a path that is mapped already", { apiMappingKey: "taken" }, "already exists"],
  ];
  for (const [what, inputs, message] of refusedMappings) {
    it(`is refused a mapping ${what}`, async () => {
      await createDomain();
      await createMapping({ apiMappingKey: "taken" });
      expect((await refusal(createMapping(inputs))).message).to.include(message);
    });
  }

  it("keeps its stage and its API from being deleted while they are mapped", async () => {
    await createDomain();
    const { id } = await createMapping();
    const { apiId } = fixture;
    expect((await refusal(fixture.resource("stage").delete("dev", { apiId }))).message).to.include(domain);
    expect((await refusal(fixture.resource("api").delete(apiId, {}))).message).to.include(domain);
    await fixture.resource("apiMapping").delete(id, {});
    await fixture.resource("stage").delete("dev", { apiId });
    await fixture.resource("api").delete(apiId, {});
  });
});

describe("the account's settings", () => {
  const fixture = new Fixture();
  const create = (inputs: object) =>
    Promise.resolve(
      fixture.resources["aws:apigateway/account:Account"]?.create({ name: "account", inputs: { ...inputs } }),
    );

  it("take a role of somebody else's on trust, and the same again", async () => {
    const cloudwatchRoleArn = "arn:aws:iam::000000000000:role/logs";
    expect(await create({ cloudwatchRoleArn })).to.include({ id: "api-gateway-account" });
    expect(await create({ cloudwatchRoleArn })).to.include({ id: "api-gateway-account" });
  });

  it("refuse a role of the program that API Gateway may not assume, or that may not write", async () => {
    const { iam } = fixture.gateways;
    const { arn: cloudwatchRoleArn } = registerRole(iam, "writer");
    const message = async () => (await refusal(create({ cloudwatchRoleArn }))).message;
    expect(await message())
      .to.include("required permissions")
      .and.include("apigateway.amazonaws.com");
    const trust = { Principal: { Service: "apigateway.amazonaws.com" }, Action: "sts:AssumeRole" };
    iam.roles.put({ name: "writer", arn: cloudwatchRoleArn, assumeRolePolicy: policyOf(trust) });
    expect(await message())
      .to.include("required permissions")
      .and.include("logs:CreateLogGroup");
    iam.roles.putInlinePolicy("writer", "write", policyOf({ Action: "logs:*", Resource: "*" }));
    expect(await create({ cloudwatchRoleArn })).to.include({ id: "api-gateway-account" });
  });

  it("refuse what is no role", async () => {
    expect((await refusal(create({ cloudwatchRoleArn: "logs" }))).message).to.include("cloudwatchRoleArn");
  });
});
