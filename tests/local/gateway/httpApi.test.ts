import { expect } from "chai";
import { once } from "node:events";
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import type { Invocation } from "../../../local/lambda/invoker";
import { refusal } from "../../support/refusal";
import { type Answer, Fixture, invokeArn } from "./gatewayFixture";

const destinationArn = "arn:aws:logs:us-east-1:000000000000:log-group:access";

describe("a local HTTP API", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  const api = async () => {
    const { id, outputs } = await fixture.create("api", { protocolType: "HTTP" });
    fixture.apiId = id;
    fixture.apiEndpoint = outputs.apiEndpoint as string;
    fixture.executionArn = outputs.executionArn as string;
  };
  const route = (routeKey: string) => fixture.route(routeKey, { payloadFormatVersion: "2.0" });
  const stage = (inputs: object = {}) => fixture.create("stage", { name: "$default", autoDeploy: true, ...inputs });
  const served = async (...routeKeys: string[]) => {
    await api();
    for (const routeKey of routeKeys) await route(routeKey);
    await stage();
  };
  const answering = (routeKey: string, payload: unknown) => {
    fixture.invoker.routes[routeKey] = () => ({ payload }) as Invocation;
  };
  const send = async (path: string, options: RequestOptions = {}, body?: string): Promise<Answer> => {
    const request = httpRequest(`${fixture.apiEndpoint}${path}`, { agent: false, ...options });
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() };
  };

  it("hands its function a request in payload format 2.0", async () => {
    await served("ANY /");
    await send("/?context=a%20b&context=c&id=%2F", {
      headers: [
        ...["Host", "api", "Authorization", "Bearer t", "X-Two", "1", "x-two", "2", "Cookie", "a=1; b=2"],
        ...["User-Agent", "reader", "X-Forwarded-For", "203.0.113.9"],
      ],
    });
    const { event, caller } = await fixture.invoker.next("ANY /");
    const { time, timeEpoch, requestId, ...context } = event.requestContext;
    expect(time).to.match(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/);
    expect(timeEpoch).to.be.a("number");
    expect(requestId).to.be.a("string");
    const domainName = new URL(fixture.apiEndpoint).host;
    expect({ ...event, requestContext: context }).to.deep.equal({
      version: "2.0",
      routeKey: "ANY /",
      rawPath: "/",
      rawQueryString: "context=a%20b&context=c&id=%2F",
      cookies: ["a=1", "b=2"],
      headers: {
        host: "api",
        authorization: "Bearer t",
        "x-two": "1,2",
        "user-agent": "reader",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-port": domainName.split(":")[1],
        "x-forwarded-proto": "http",
      },
      queryStringParameters: { context: "a b,c", id: "/" },
      requestContext: {
        accountId: "000000000000",
        apiId: fixture.apiId,
        domainName,
        domainPrefix: fixture.apiId,
        http: { method: "GET", path: "/", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "reader" },
        routeKey: "ANY /",
        stage: "$default",
      },
      isBase64Encoded: false,
    });
    expect(caller).to.deep.equal({
      principal: "apigateway.amazonaws.com",
      sourceArn: `${fixture.executionArn}/$default/GET/`,
    });
  });

  it("gives a body as text or, unless its type is one of text, in Base64", async () => {
    await served("POST /");
    await send("/", { method: "POST", headers: { "content-type": "application/json" } }, '{"a":"é"}');
    await send("/", { method: "POST", headers: { "content-type": "image/png" } }, "png");
    const bodies = fixture.invoker.invoked.map(({ event }) => [event.body, event.isBase64Encoded]);
    expect(bodies).to.deep.equal([
      ['{"a":"é"}', false],
      [Buffer.from("png").toString("base64"), true],
    ]);
  });

  it("decodes the path before it looks for a route, so that %2F separates parts and %3F ends it", async () => {
    await served("GET /of/{context}/{contextId}");
    await send("/of/chat/a%20b%2523");
    await send("/of/chat/7%3Fx");
    const { status } = await send("/of/chat/a%2Fb");
    expect(status).to.equal(404);
    const paths = fixture.invoker.invoked.map(({ event }) => [event.rawPath, event.pathParameters]);
    expect(paths).to.deep.equal([
      ["/of/chat/a b%23", { context: "chat", contextId: "a b%23" }],
      ["/of/chat/7", { context: "chat", contextId: "7" }],
    ]);
    expect((await send("/of/chat/%E0%A4%A")).status).to.equal(400);
  });

  for (const [method, path, routeKey] of [
    ["GET", "/items/7", "GET /items/{id}"],
    ["PUT", "/items/7", "ANY /items/{id}"],
    ["GET", "/items/all", "GET /items/all"],
    ["GET", "/items/7/parts/1", "GET /items/{rest+}"],
    ["GET", "/other", "$default"],
    ["DELETE", "/items/7/parts", "$default"],
  ] as const) {
    it(`routes ${method} ${path} to ${routeKey}`, async () => {
      await served("GET /items/{rest+}", "$default", "ANY /items/{id}", "GET /items/{id}", "GET /items/all");
      await send(path, { method });
      expect(fixture.invoker.invoked.map(({ event }) => event.routeKey)).to.deep.equal([routeKey]);
    });
  }

  it("answers 404, and never 405, where no route has the path and the method", async () => {
    await served("GET /items");
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/items/"],
      ["POST", "/items"],
    ] as const) {
      const answer = await send(path, { method });
      expect([answer.status, answer.body]).to.deep.equal([404, '{"message":"Not Found"}']);
    }
    expect(fixture.invoker.invoked).to.deep.equal([]);
  });

  it("answers 404 without a stage, and with the stage's name in the path if it is not $default", async () => {
    await api();
    await route("GET /items");
    expect((await send("/items")).status).to.equal(404);
    await stage({ name: "v1" });
    expect((await send("/items")).status).to.equal(404);
    expect((await send("/v1/items")).status).to.equal(200);
    expect(fixture.invoker.invoked.map(({ event }) => [event.rawPath, event.requestContext.stage])).to.deep.equal([
      ["/v1/items", "v1"],
    ]);
  });

  it("passes on the status, headers, cookies and body of its function", async () => {
    await served("GET /");
    answering("GET /", {
      statusCode: 410,
      headers: { "X-Number": 7, "Content-Type": "application/problem+json" },
      cookies: ["a=1; Secure", "b=2"],
      body: '{"é":1}',
    });
    const { status, headers, body } = await send("/");
    expect([status, body]).to.deep.equal([410, '{"é":1}']);
    expect(headers).to.include({
      "x-number": "7",
      "content-type": "application/problem+json",
      "content-length": "8",
    });
    expect(headers["set-cookie"]).to.deep.equal(["a=1; Secure", "b=2"]);
    expect(headers["apigw-requestid"]).to.be.a("string");
  });

  for (const [what, payload, expected] of [
    [
      "a body in Base64",
      { statusCode: 200, body: "aGk=", isBase64Encoded: true },
      [200, "text/plain;charset=UTF-8", "hi"],
    ],
    ["a body without a type", { statusCode: 200, body: "hi" }, [200, "text/plain;charset=UTF-8", "hi"]],
    ["no body", { statusCode: 204 }, [204, undefined, ""]],
    ["a text alone", "hi", [200, "application/json", "hi"]],
    ["an object without a status", { a: 1 }, [200, "application/json", '{"a":1}']],
    ["an invalid status", { statusCode: "200" }, [500, "application/json", '{"message":"Internal Server Error"}']],
    [
      "a body of no text",
      { statusCode: 200, body: {} },
      [500, "application/json", '{"message":"Internal Server Error"}'],
    ],
    ["nothing", null, [500, "application/json", '{"message":"Internal Server Error"}']],
  ] as const) {
    it(`answers as API Gateway does where its function answers ${what}`, async () => {
      await served("GET /");
      answering("GET /", payload);
      const { status, headers, body } = await send("/");
      expect([status, headers["content-type"], body]).to.deep.equal(expected);
    });
  }

  it("sends no body in answer to HEAD, but its length", async () => {
    await served("ANY /");
    answering("ANY /", { statusCode: 200, body: "four" });
    const { headers, body } = await send("/", { method: "HEAD" });
    expect([headers["content-length"], body]).to.deep.equal(["4", ""]);
  });

  it("answers 500 where its function fails, and 503 where it takes too long, and logs why", async () => {
    await served("GET /failing");
    await fixture.route("GET /slow", { payloadFormatVersion: "2.0", timeoutMilliseconds: 50 });
    fixture.invoker.routes["GET /failing"] = () => ({
      functionError: "Unhandled",
      payload: { errorType: "Error", errorMessage: "secret" },
    });
    fixture.invoker.routes["GET /slow"] = () => new Promise(() => undefined);
    const failed = await send("/failing");
    expect([failed.status, failed.body]).to.deep.equal([500, '{"message":"Internal Server Error"}']);
    const slow = await send("/slow");
    expect([slow.status, slow.body]).to.deep.equal([503, '{"message":"Service Unavailable"}']);
    expect(fixture.logs[0]).to.contain("secret");
    expect(fixture.logs[1]).to.contain("has not answered within 50 ms");
  });

  it("answers 429 beyond the limits of its stage, which apply to each route", async () => {
    await api();
    for (const path of ["/one", "/two"]) await route(`GET ${path}`);
    await stage({ defaultRouteSettings: { throttlingRateLimit: 0.001, throttlingBurstLimit: 1 } });
    const statuses = [];
    for (const path of ["/one", "/one", "/two"]) statuses.push((await send(path)).status);
    expect(statuses).to.deep.equal([200, 429, 200]);
    expect((await send("/one")).body).to.equal('{"message":"Too Many Requests"}');
  });

  it("answers 413 to a body over 10 MB", async () => {
    await served("POST /");
    for (const surplus of [1, 1024 * 1024]) {
      const { status } = await send("/", { method: "POST" }, "x".repeat(10 * 1024 * 1024 + surplus));
      expect(status).to.equal(413);
    }
    expect(fixture.invoker.invoked).to.deep.equal([]);
  });

  it("deploys a change at once where the stage has autoDeploy", async () => {
    await served("GET /one");
    const id = await route("GET /two");
    expect((await send("/two")).status).to.equal(200);
    await fixture.resource("route").delete(id, { apiId: fixture.apiId });
    expect((await send("/two")).status).to.equal(404);
  });

  it("logs one line for a request, also for one without a route", async () => {
    await api();
    await route("GET /");
    const names = ["requestId", "routeKey", "httpMethod", "status", "stage", "responseLength", "identity.sourceIp"];
    const format = names.map((name) => `$context.${name}`).join(" ");
    await stage({ accessLogSettings: { destinationArn, format } });
    answering("GET /", { statusCode: 200, body: "four" });
    await send("/");
    await send("/none");
    expect(fixture.logs.map((line) => line.replace(/^access: \S+ /, ""))).to.deep.equal([
      "GET / GET 200 $default 4 127.0.0.1",
      "- GET 404 $default 23 127.0.0.1",
    ]);
  });

  it("traces each request, without its query, which may hold a token", async () => {
    await served("GET /");
    await send("/?token=secret");
    expect(fixture.labels).to.deep.equal([
      "Client->Gateway: GET /",
      "Gateway->Lambda: GET /",
      "Lambda->Gateway: 200 GET /",
      "Gateway->Client: 200 GET",
    ]);
  });

  it("leaves the port of the first API to a WebSocket API", async () => {
    const port = await fixture.gateways.reservePort();
    await api();
    expect(fixture.apiEndpoint)
      .to.match(/^http:\/\/127\.0\.0\.1:\d+$/)
      .and.not.contain(`:${port}`);
    await fixture.api();
    expect(fixture.apiEndpoint).to.equal(`ws://127.0.0.1:${port}`);
  });

  it("has the URL of the aws provider, and no address once it is deleted", async () => {
    await api();
    expect((await stage()).outputs.invokeUrl).to.equal(`${fixture.apiEndpoint}/`);
    expect((await stage({ name: "v1" })).outputs.invokeUrl).to.equal(`${fixture.apiEndpoint}/v1`);
    await fixture.resource("stage").delete("v1", { apiId: fixture.apiId });
    await fixture.resource("api").delete(fixture.apiId, {});
    expect(fixture.gateways.has(fixture.apiId)).to.equal(false);
    expect(await refusal(send("/"))).to.have.property("code", "ECONNREFUSED");
  });

  describe("refuses", () => {
    for (const [type, inputs, message] of [
      [
        "api",
        { protocolType: "HTTP", routeSelectionExpression: "$request.body.a" },
        /^routeSelectionExpression is \$request\.body\.a: /,
      ],
      ["api", { protocolType: "HTTP", disableExecuteApiEndpoint: true }, /^disableExecuteApiEndpoint is true: /],
      ["api", { protocolType: "REST" }, /^protocolType is REST: it must be WEBSOCKET or HTTP$/],
      [
        "route",
        { routeKey: "connect" },
        /^The provided route key is not formatted properly for HTTP protocol: connect$/,
      ],
      ["route", { routeKey: "GET /{rest+}/a" }, /^The provided route key is not formatted properly/],
      ["route", { routeKey: "GET /", authorizationType: "JWT" }, /^authorizationType of route GET \/ is JWT: /],
      ["route", { routeKey: "GET /", routeResponseSelectionExpression: "$default" }, /route responses$/],
      ["integration", { integrationType: "HTTP_PROXY" }, /^integrationType is HTTP_PROXY: /],
      ["integration", lambda({ integrationMethod: "GET" }), /^integrationMethod is GET: /],
      ["integration", lambda({ integrationUri: "arn" }), /^integrationUri arn is not the invoke ARN/],
      ["integration", lambda({ payloadFormatVersion: "1.0" }), /^payloadFormatVersion is 1\.0: /],
      ["integration", lambda({ payloadFormatVersion: undefined }), /^payloadFormatVersion is undefined: /],
      [
        "integration",
        lambda({ timeoutMilliseconds: 30_001 }),
        /^timeoutMilliseconds is 30001: it must be 50 to 30000$/,
      ],
      ["integration", lambda({ requestTemplates: { a: "b" } }), /for WEBSOCKET APIs only$/],
      [
        "integrationResponse",
        { integrationResponseKey: "$default" },
        /^integration responses are for WEBSOCKET APIs only$/,
      ],
      ["routeResponse", { routeResponseKey: "$default" }, /^route responses are for WEBSOCKET APIs only$/],
      ["stage", { name: "a b", autoDeploy: true }, /^the stage's name is a b: /],
      ["stage", { name: "$default", autoDeploy: true, deploymentId: "d" }, /^deploymentId: /],
      [
        "stage",
        { name: "$default", defaultRouteSettings: { loggingLevel: "OFF" } },
        /^Execution logs are not supported on protocolType HTTP$/,
      ],
      [
        "stage",
        { name: "$default", defaultRouteSettings: { dataTraceEnabled: true } },
        /^Execution logs are not supported/,
      ],
    ] as const) {
      it(`${type} ${JSON.stringify(inputs)}`, async () => {
        if (type !== "api") await api();
        const error = await refusal(fixture.create(type, inputs));
        expect(error).to.include({ name: "BadRequestException" });
        expect(error.message).to.match(message);
      });
    }

    it("payload format 2.0 for a WebSocket API", async () => {
      await fixture.api();
      const error = await refusal(fixture.create("integration", lambda({ payloadFormatVersion: "2.0" })));
      expect(error.message).to.match(/^payloadFormatVersion is 2\.0: /);
    });

    it("a custom domain's mapping to it", async () => {
      await served("GET /");
      const mapping = { domainName: "api.relay.dev", stage: "$default" };
      const error = await refusal(fixture.create("apiMapping", mapping));
      expect(error.message).to.contain("an HTTP API has only its own address here");
    });
  });
});

function lambda(inputs: object): Record<string, unknown> {
  return {
    integrationType: "AWS_PROXY",
    integrationMethod: "POST",
    integrationUri: invokeArn,
    payloadFormatVersion: "2.0",
    ...inputs,
  };
}
