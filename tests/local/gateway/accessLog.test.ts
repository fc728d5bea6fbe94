import { expect } from "chai";
import { accessLogLine } from "../../../local/gateway/accessLog";
import { refusal } from "../../support/refusal";
import { Fixture } from "./gatewayFixture";

const destinationArn = "arn:aws:logs:us-east-1:000000000000:log-group:access";
const names = ["requestId", "eventType", "routeKey", "status", "connectionId", "messageId", "stage", "domainName"];
const paths = [
  "identity.sourceIp",
  "error.message",
  "integrationLatency",
  "integration.error",
  "authorizer.principalId",
];
const format = JSON.stringify(Object.fromEntries([...names, ...paths].map((name) => [name, `$context.${name}`])));

describe("a stage's access log", () => {
  let fixture: Fixture;
  let untilLine: (count: number) => Promise<Record<string, string>[]>;
  beforeEach(async () => {
    let arrived: () => void = () => undefined;
    fixture = new Fixture({
      log: (line) => {
        fixture.logs.push(line);
        arrived();
      },
    });
    untilLine = async (count) => {
      while (lines().length < count) await new Promise<void>((resolve) => (arrived = resolve));
      return lines();
    };
    await fixture.api();
    for (const key of ["$connect", "$disconnect", "chat"]) await fixture.route(key);
    await fixture.deploy({ accessLogSettings: { destinationArn, format } });
  });
  afterEach(() => fixture.close());

  const lines = () =>
    fixture.logs.flatMap((line) => {
      const json = /^access: (.*)$/.exec(line)?.[1];
      return json === undefined ? [] : [JSON.parse(json) as Record<string, string>];
    });

  it("has one line for a handshake, a message and a disconnect each, in the run's own log", async () => {
    const { client, id } = await fixture.open();
    client.send({ action: "chat" });
    await untilLine(2);
    client.ws.close();
    const written = await untilLine(3);
    expect(written.map(({ eventType, routeKey, status }) => [eventType, routeKey, status])).to.deep.equal([
      ["CONNECT", "$connect", "200"],
      ["MESSAGE", "chat", "200"],
      ["DISCONNECT", "$disconnect", "200"],
    ]);
    for (const line of written) {
      expect(line).to.include({
        connectionId: id,
        stage: "dev",
        "identity.sourceIp": "127.0.0.1",
        "error.message": "-",
      });
      expect(line.domainName).to.equal(fixture.apiEndpoint.slice("ws://".length));
      expect(line.integrationLatency).to.match(/^\d+$/);
      expect(line["authorizer.principalId"]).to.equal("-");
    }
    const ids = fixture.invoker.invoked.map(({ event }) => [
      event.requestContext.requestId,
      event.requestContext.messageId,
    ]);
    expect(
      written.map(({ requestId, messageId }) => [requestId, messageId === "-" ? undefined : messageId]),
    ).to.deep.equal(ids);
  });

  it("has the status of a handshake that $connect refuses, and no error of the gateway's own", async () => {
    fixture.invoker.routes.$connect = () => ({ payload: { statusCode: 401, body: "no" } });
    await fixture.client().refused;
    expect((await untilLine(1))[0]).to.include({ status: "401", "error.message": "-", "integration.error": "-" });
  });

  it("has the gateway's error where the function fails, with what the client is not told", async () => {
    fixture.invoker.routes.$connect = () => Promise.reject(new Error("it is broken"));
    await fixture.client().refused;
    const [line] = await untilLine(1);
    expect(line).to.include({ status: "500", "error.message": "Internal server error" });
    expect(line?.["integration.error"]).to.include("it is broken");
  });

  it("has the refusal of a message that no route takes, without an integration", async () => {
    const { client } = await fixture.open();
    client.send({ action: "unknown" });
    const [, line] = await untilLine(2);
    const forbidden = { status: "403", "error.message": "Forbidden", integrationLatency: "-", routeKey: "$default" };
    expect(line).to.include(forbidden);
  });

  it("never has what a client sends", async () => {
    const headers = { Authorization: "Bearer secret", Cookie: "t=secret" };
    const client = fixture.client("/dev?token=secret", ["secret"], { headers });
    fixture.invoker.routes.$connect = () => ({
      payload: { statusCode: 200, headers: { "Sec-WebSocket-Protocol": "secret" } },
    });
    await client.opened;
    client.send({ action: "chat", text: "secret" });
    await untilLine(2);
    expect(fixture.logs.join("\n")).not.to.include("secret");
  });

  it("quotes a message where the format asks for that, and has a hyphen for an unknown name", () => {
    const line = accessLogLine(
      { destinationArn, format: "$context.requestId $context.error.messageString $context.error $context.nothing.\n" },
      { requestId: "r" },
      { status: 500, errorMessage: 'say "no"' },
    );
    expect(line).to.equal('access: r "say \\"no\\"" - -.');
  });

  const refused: [what: string, settings: object, message: string][] = [
    ["a log group that does not exist", { destinationArn: `${destinationArn}-other` }, "no log group access-other"],
    ["a destination that is no log group", { destinationArn: "arn:aws:s3:::bucket" }, "the ARN of a log group"],
    ["a format of several lines", { format: "$context.requestId\n$context.status" }, "a single line"],
    ["a format without a request id", { format: "$context.status" }, "$context.requestId"],
    ["an empty format", { format: "" }, "a single line"],
  ];
  for (const [what, settings, message] of refused) {
    it(`is refused with ${what}`, async () => {
      const accessLogSettings = { destinationArn, format, ...settings };
      const stage = fixture.create("stage", { name: "other", accessLogSettings });
      expect((await refusal(stage)).message).to.include(message);
    });
  }
});
