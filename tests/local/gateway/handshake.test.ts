import { expect } from "chai";
import { AccessDeniedError } from "../../../local/lambda/invoker";
import { refusal } from "../../support/refusal";
import { Fixture, functionArn } from "./gatewayFixture";

describe("the local gateway's handshake", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  it("refuses an unknown stage with 403 and invokes nothing", async () => {
    await fixture.deployed("$connect");
    for (const path of ["/prod", "/", "/dev/more", "/%zz"]) {
      expect(await fixture.client(path).refused, path).to.deep.equal({ status: 403, body: '{"message":"Forbidden"}' });
    }
    expect(fixture.invoker.invoked).to.deep.equal([]);
  });

  it("accepts a client where there is no $connect route", async () => {
    await fixture.deployed("$default");
    await fixture.client().opened;
    expect(fixture.invoker.invoked).to.deep.equal([]);
    expect(fixture.gateways.connections().map(({ state }) => state)).to.deep.equal(["open"]);
  });

  it("invokes the function named in integrationUri, as API Gateway for this route of this stage", async () => {
    await fixture.deployed("$connect");
    await fixture.client().opened;
    const [invoked] = fixture.invoker.invoked;
    expect(invoked?.functionArn).to.equal(functionArn);
    expect(invoked?.caller).to.deep.equal({
      principal: "apigateway.amazonaws.com",
      sourceArn: `${fixture.executionArn}/dev/$connect`,
    });
  });

  it("sends the client's headers in the client's own casing, without those of the hop", async () => {
    await fixture.deployed("$connect");
    const headers = { AUTHORIZATION: "Bearer x", origin: "https://a.example", "X-Forwarded-For": "1.2.3.4" };
    await fixture.client("/dev", [], { headers }).opened;
    const { event } = await fixture.invoker.next("$connect");
    expect(event.headers).to.include({ AUTHORIZATION: "Bearer x", origin: "https://a.example" });
    expect(event.headers["X-Forwarded-For"]).to.equal("127.0.0.1");
    expect(event.headers).to.not.have.any.keys("Authorization", "authorization", "Connection", "Upgrade");
    expect(event.multiValueHeaders).to.deep.include({ AUTHORIZATION: ["Bearer x"] });
  });

  const origins: [what: string, given: Record<string, string | string[]>, sent: object[]][] = [
    ["an absent header as absent", {}, [[], []]],
    ["an empty header as empty", { Origin: "" }, [[["Origin", ""]], [["Origin", [""]]]]],
    ["a header that comes twice as two", { Origin: ["a", "b"] }, [[["Origin", "b"]], [["Origin", ["a", "b"]]]]],
  ];
  for (const [what, given, sent] of origins) {
    it(`sends ${what}`, async () => {
      await fixture.deployed("$connect");
      await fixture.client("/dev", [], { headers: given as Record<string, string> }).opened;
      const { event } = await fixture.invoker.next("$connect");
      const received = [event.headers, event.multiValueHeaders].map((all) =>
        Object.entries(all as object).filter(([name]) => name.toLowerCase() === "origin"),
      );
      expect(received).to.deep.equal(sent);
    });
  }

  it("decodes the query, the last value of a key winning", async () => {
    await fixture.deployed("$connect");
    await fixture.client("/dev?context=a%20b%3D&id=1&id=2").opened;
    const { event } = await fixture.invoker.next("$connect");
    expect(event.queryStringParameters).to.deep.equal({ context: "a b=", id: "2" });
    expect(event.multiValueQueryStringParameters).to.deep.equal({ context: ["a b="], id: ["1", "2"] });
  });

  it("leaves both query keys out where there is no query", async () => {
    await fixture.deployed("$connect");
    await fixture.client().opened;
    const { event } = await fixture.invoker.next("$connect");
    expect(event).to.have.all.keys("headers", "multiValueHeaders", "requestContext", "isBase64Encoded");
    expect(event.isBase64Encoded).to.equal(false);
  });

  it("describes the connection in requestContext", async () => {
    await fixture.deployed("$connect");
    await fixture.client("/dev", [], { headers: { "User-Agent": "test/1" } }).opened;
    const { requestContext } = (await fixture.invoker.next("$connect")).event;
    expect(requestContext).to.include({
      routeKey: "$connect",
      eventType: "CONNECT",
      messageDirection: "IN",
      stage: "dev",
      apiId: fixture.apiId,
      domainName: fixture.apiEndpoint.slice("ws://".length),
      connectionId: fixture.gateways.connections()[0]?.id,
    });
    expect(requestContext.identity).to.deep.equal({ sourceIp: "127.0.0.1", userAgent: "test/1" });
    expect(requestContext.connectionId).to.match(/=$/);
    expect(requestContext.connectedAt).to.be.a("number");
    expect(requestContext.requestTimeEpoch).to.be.a("number");
    expect(requestContext.requestTime).to.match(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(requestContext).to.include.keys("requestId", "extendedRequestId");
  });

  for (const [statusCode, body] of [
    [401, '{"message":"no token"}'],
    [409, "superseded"],
    [500, undefined],
    [302, "elsewhere"],
  ] as const) {
    it(`refuses with exactly the status ${statusCode} and body that $connect answers`, async () => {
      await fixture.deployed("$connect");
      fixture.invoker.routes.$connect = () => ({ payload: { statusCode, body } });
      expect(await fixture.client().refused).to.deep.equal({ status: statusCode, body: body ?? "" });
      expect(fixture.gateways.connections()).to.deep.equal([]);
    });
  }

  it("accepts any 2xx", async () => {
    await fixture.deployed("$connect");
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 204 } });
    await fixture.client().opened;
  });

  it("answers 500 to a missing permission, and logs which function may not be invoked for what", async () => {
    await fixture.deployed("$connect");
    fixture.invoker.routes.$connect = () => Promise.reject(new AccessDeniedError("no statement allows it"));
    const { status, body } = await fixture.client().refused;
    expect(status).to.equal(500);
    expect(JSON.parse(body))
      .to.include({ message: "Internal server error" })
      .and.to.have.keys(["message", "connectionId", "requestId"]);
    expect(fixture.logs).to.have.length(1);
    expect(fixture.logs[0]).to.contain(functionArn).and.contain("/dev/$connect").and.contain("no statement allows it");
  });

  it("answers 500 where the function fails", async () => {
    await fixture.deployed("$connect");
    fixture.invoker.routes.$connect = () => ({
      functionError: "Unhandled",
      payload: { errorType: "TypeError", errorMessage: "x is undefined" },
    });
    expect((await fixture.client().refused).status).to.equal(500);
    expect(fixture.logs.join()).to.contain("TypeError: x is undefined");
  });

  for (const payload of [
    null,
    undefined,
    "ok",
    {},
    { statusCode: "200" },
    { statusCode: 200.5 },
    { statusCode: 101 },
    { statusCode: 200, body: {} },
  ]) {
    it(`answers 500 to the malformed answer ${JSON.stringify(payload)}`, async () => {
      await fixture.deployed("$connect");
      fixture.invoker.routes.$connect = () => ({ payload });
      expect((await fixture.client().refused).status).to.equal(500);
      expect(fixture.logs.join()).to.contain("statusCode");
    });
  }

  it("answers 504 where the function outlasts the integration's timeout", async () => {
    await fixture.api();
    await fixture.route("$connect", { timeoutMilliseconds: 50 });
    await fixture.deploy();
    fixture.invoker.routes.$connect = () => new Promise(() => undefined);
    const { status, body } = await fixture.client().refused;
    expect(status).to.equal(504);
    expect(JSON.parse(body).message).to.equal("Endpoint request timed out");
  });

  it("answers 429 over the stage's limit, without invoking the function", async () => {
    await fixture.api();
    await fixture.route("$connect");
    await fixture.deploy({ defaultRouteSettings: { throttlingRateLimit: 0.001, throttlingBurstLimit: 1 } });
    await fixture.client().opened;
    const { status, body } = await fixture.client().refused;
    expect(status).to.equal(429);
    expect(JSON.parse(body).message).to.equal("Too Many Requests");
    expect(fixture.invoker.count("$connect")).to.equal(1);
  });

  it("answers 429 to everyone where one of the two limits is omitted", async () => {
    await fixture.api();
    await fixture.route("$connect");
    await fixture.deploy({ defaultRouteSettings: { throttlingRateLimit: 100 } });
    expect((await fixture.client().refused).status).to.equal(429);
  });

  it("passes on Sec-WebSocket-Protocol, whatever its casing, and no other header", async () => {
    await fixture.deployed("$connect");
    const headers = { "sec-WEBSOCKET-protocol": "relay", "Set-Cookie": "a=b" };
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 200, headers } });
    const client = fixture.client("/dev", ["token.abc", "relay"]);
    const upgraded = new Promise<object>((resolve) => client.ws.on("upgrade", ({ headers }) => resolve(headers)));
    await client.opened;
    expect(client.ws.protocol).to.equal("relay");
    expect(await upgraded).to.not.have.property("set-cookie");
  });

  it("names no protocol where $connect returns none, so that the client gives up", async () => {
    await fixture.deployed("$connect");
    expect((await refusal(fixture.client("/dev", ["relay"]).opened)).message).to.equal("Server sent no subprotocol");
  });

  it("names no protocol that was not offered", async () => {
    await fixture.deployed("$connect");
    const headers = { "Sec-WebSocket-Protocol": "other" };
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 200, headers } });
    expect((await refusal(fixture.client("/dev", ["relay"]).opened)).message).to.equal("Server sent no subprotocol");
    expect(fixture.logs.join()).to.contain("has not offered");
  });

  it("negotiates no compression", async () => {
    await fixture.deployed("$connect");
    const client = fixture.client("/dev", [], { perMessageDeflate: true });
    await client.opened;
    expect(client.ws.extensions).to.equal("");
  });

  it("refuses an upgrade that is no WebSocket's before $connect runs", async () => {
    await fixture.deployed("$connect");
    const client = fixture.client("/dev", [], { protocolVersion: 8 });
    expect((await client.refused).status).to.equal(400);
    expect(fixture.invoker.invoked).to.deep.equal([]);
  });

  it("delivers $disconnect for a client that went away while $connect was running", async () => {
    await fixture.deployed("$connect", "$disconnect");
    let answer: (() => void) | undefined;
    fixture.invoker.routes.$connect = () =>
      new Promise((resolve) => (answer = () => resolve({ payload: { statusCode: 200 } })));
    const client = fixture.client();
    const { event } = await fixture.invoker.next("$connect");
    client.ws.terminate();
    await client.closed;
    answer?.();
    const disconnect = await fixture.invoker.next("$disconnect");
    expect(disconnect.event.requestContext.connectionId).to.equal(event.requestContext.connectionId);
    expect(disconnect.event.requestContext.disconnectStatusCode).to.equal(1006);
  });

  it("traces the handshake without any query value but context and contextId", async () => {
    await fixture.deployed("$connect");
    const { id } = await fixture.open("/dev?context=chat&contextId=42&token=secret");
    const end = `…${id.slice(-5)}`;
    expect(fixture.labels).to.deep.equal([
      `Client->Gateway: open ${end} context=chat contextId=42`,
      `Gateway->Lambda: $connect ${end}`,
      `Lambda->Gateway: 200 $connect ${end}`,
      `Gateway->Client: 101 ${end}`,
    ]);
  });
});
