import {
  ApiGatewayManagementApiClient,
  GetConnectionCommand,
  GoneException,
  PostToConnectionCommand,
} from "@aws-sdk/client-apigatewaymanagementapi";
import { expect } from "chai";
import { credentials, region } from "../../../local/account";
import { refusal } from "../../support/refusal";
import { Fixture } from "./gatewayFixture";

const goneId = "L0SM9cOFvHcCIhw=";

describe("the local gateway's management API", () => {
  let fixture: Fixture;
  beforeEach(() => (fixture = new Fixture()));
  afterEach(() => fixture.close());

  it("sends a POST's body as one text frame and answers 200", async () => {
    await fixture.deployed("$connect");
    const { client, id } = await fixture.open();
    expect((await fixture.manage("POST", id, "héllo")).status).to.equal(200);
    expect(await client.message()).to.equal("héllo");
  });

  it("takes 128 KB and answers 413 to one byte more, sending nothing of it", async () => {
    await fixture.deployed("$connect");
    const { client, id } = await fixture.open();
    const refused = await fixture.manage("POST", id, "x".repeat(131073));
    expect(refused.status).to.equal(413);
    expect(refused.headers["x-amzn-errortype"]).to.equal("PayloadTooLargeException");
    expect((await fixture.manage("POST", id, "y".repeat(131072))).status).to.equal(200);
    expect(await client.message()).to.equal("y".repeat(131072));
  });

  it("answers 413 to a body many times as large", async () => {
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    expect((await fixture.manage("POST", id, Buffer.alloc(4_000_000))).status).to.equal(413);
  });

  it("describes a connection on GET", async () => {
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    const { status, headers, body } = await fixture.manage("GET", id);
    expect(status).to.equal(200);
    expect(headers["content-type"]).to.equal("application/json");
    const described = JSON.parse(body);
    const { connectedAt } = (await fixture.invoker.next("$connect")).event.requestContext;
    expect(described.connectedAt).to.equal(new Date(connectedAt).toISOString());
    expect(new Date(described.lastActiveAt).toISOString()).to.equal(described.lastActiveAt);
    expect(described.identity).to.include({ sourceIp: "127.0.0.1" });
  });

  it("closes a connection on DELETE, answers 204, and delivers $disconnect afterwards", async () => {
    await fixture.deployed("$connect", "$disconnect");
    const { client, id } = await fixture.open();
    const { status, body } = await fixture.manage("DELETE", id);
    expect([status, body]).to.deep.equal([204, ""]);
    expect(await client.closed).to.deep.equal({ code: 1000, reason: "Connection Closed Normally" });
    const { requestContext } = (await fixture.invoker.next("$disconnect")).event;
    expect(requestContext).to.include({ connectionId: id, disconnectStatusCode: 1000 });
    expect((await fixture.manage("DELETE", id)).status).to.equal(410);
  });

  it("answers 410 to everything while $connect has not returned, and no longer once it has", async () => {
    await fixture.deployed("$connect");
    const seen: number[] = [];
    fixture.invoker.routes.$connect = async ({ requestContext }) => {
      for (const method of ["POST", "GET", "DELETE"]) {
        const { status, headers, body } = await fixture.manage(
          method,
          requestContext.connectionId,
          method === "POST" ? "early" : undefined,
        );
        expect(headers["x-amzn-errortype"]).to.equal("GoneException");
        expect(JSON.parse(body)).to.have.keys(["message"]);
        seen.push(status);
      }
      return { payload: { statusCode: 200 } };
    };
    const { client, id } = await fixture.open();
    expect(seen).to.deep.equal([410, 410, 410]);
    expect((await fixture.manage("POST", id, "later")).status).to.equal(200);
    expect(await client.message()).to.equal("later");
  });

  it("answers 410 once the connection is closed, and for one that never was", async () => {
    await fixture.deployed("$connect", "$disconnect");
    const { client, id } = await fixture.open();
    client.ws.close();
    await fixture.invoker.next("$disconnect");
    for (const method of ["POST", "GET", "DELETE"]) {
      expect((await fixture.manage(method, id)).status, method).to.equal(410);
      expect((await fixture.manage(method, goneId)).status, method).to.equal(410);
    }
  });

  it("answers 410 for a connection that was refused", async () => {
    await fixture.deployed("$connect");
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 401 } });
    await fixture.client().refused;
    const { connectionId } = (await fixture.invoker.next("$connect")).event.requestContext;
    expect((await fixture.manage("GET", connectionId)).status).to.equal(410);
  });

  it("answers 400 to an id outside the alphabet, one encoded twice, and one not encoded well", async () => {
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    for (const path of ["no%20id%21", encodeURIComponent(encodeURIComponent(id)), "%zz"]) {
      const { status, headers } = await fixture.http("POST", `/dev/@connections/${path}`, "x");
      expect(status, path).to.equal(400);
      expect(headers["x-amzn-errortype"]).to.equal("BadRequestException");
    }
  });

  it("answers 403 to an unknown stage, and finds a connection on its own stage only", async () => {
    await fixture.deployed("$connect");
    await fixture.deploy({ name: "other" });
    const { id } = await fixture.open();
    const { status, headers, body } = await fixture.manage("POST", id, "x", "prod");
    expect([status, body]).to.deep.equal([403, '{"message":"Forbidden"}']);
    expect(headers["x-amzn-errortype"]).to.equal("ForbiddenException");
    expect((await fixture.manage("POST", id, "x", "other")).status).to.equal(410);
  });

  it("answers an unknown path or method as AWS does", async () => {
    await fixture.deployed("$connect");
    const { id } = await fixture.open();
    const connection = `/dev/@connections/${encodeURIComponent(id)}`;
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", "/dev"],
      ["POST", "/dev/@connections"],
      ["POST", `/@connections/${encodeURIComponent(id)}`],
      ["PUT", connection],
    ] as const) {
      const { status, body } = await fixture.http(method, path);
      expect([status, body], `${method} ${path}`).to.deep.equal([403, '{"message":"Missing Authentication Token"}']);
    }
  });

  it("answers an injected fault as often as asked for, though the connection lives", async () => {
    await fixture.deployed("$connect");
    const { client, id } = await fixture.open();
    fixture.gateways.injectManagementFault(410, 2);
    fixture.gateways.injectManagementFault(429, 1);
    fixture.gateways.injectManagementFault(500, 1);
    const answers = [];
    for (let call = 0; call < 4; call++) answers.push(await fixture.manage("POST", id, "not sent"));
    expect(answers.map(({ status, headers }) => [status, headers["x-amzn-errortype"]])).to.deep.equal([
      [410, "GoneException"],
      [410, "GoneException"],
      [429, "LimitExceededException"],
      [500, "InternalServerErrorException"],
    ]);
    expect((await fixture.manage("POST", id, "sent")).status).to.equal(200);
    expect(await client.message()).to.equal("sent");
  });

  it("is understood by the AWS SDK, in success and in failure", async () => {
    await fixture.deployed("$connect");
    const { client, id } = await fixture.open();
    const endpoint = `${fixture.apiEndpoint.replace("ws:", "http:")}/dev`;
    const sdk = new ApiGatewayManagementApiClient({ endpoint, region, credentials, maxAttempts: 1 });
    try {
      await sdk.send(new PostToConnectionCommand({ ConnectionId: id, Data: "hello" }));
      expect(await client.message()).to.equal("hello");
      expect((await sdk.send(new GetConnectionCommand({ ConnectionId: id }))).ConnectedAt).to.be.instanceOf(Date);
      const gone = await refusal(sdk.send(new PostToConnectionCommand({ ConnectionId: goneId, Data: "x" })));
      expect(gone).to.be.instanceOf(GoneException);
      const tooLarge = new PostToConnectionCommand({ ConnectionId: id, Data: "x".repeat(131073) });
      expect((await refusal(sdk.send(tooLarge))).name).to.equal("PayloadTooLargeException");
      fixture.gateways.injectManagementFault(429, 1);
      const limited = await refusal(sdk.send(new GetConnectionCommand({ ConnectionId: id })));
      expect(limited.name).to.equal("LimitExceededException");
    } finally {
      sdk.destroy();
    }
  });

  it("traces a call and its answer, never the payload", async () => {
    await fixture.deployed("$default");
    const { id } = await fixture.open();
    fixture.labels.length = 0;
    await fixture.manage("POST", id, "secret");
    await fixture.manage("POST", goneId, "secret");
    const end = `…${id.slice(-5)}`;
    expect(fixture.labels).to.deep.equal([
      `Lambda->Gateway: POST @connections ${end}`,
      `Gateway->Client: message ${end}`,
      `Gateway->Lambda: 200 ${end}`,
      "Lambda->Gateway: POST @connections …CIhw=",
      "Gateway->Lambda: 410 Gone …CIhw=",
    ]);
    expect(fixture.failures).to.deep.equal([[goneId, "gone"]]);
  });
});
