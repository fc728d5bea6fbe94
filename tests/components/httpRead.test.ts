import type * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../components";
import { valueOf } from "../support/recorder";
import { byType, type RelayRun, runRelay } from "../support/relayRun";

const allowedOrigins = ["https://app.relay.dev"];
const replay = { delivery: "replay" as const, allowedOrigins, tags: { team: "chat" } };
const region = "eu-west-1:111122223333";
const readUrl = "https://api456.execute-api.eu-west-1.amazonaws.com/";

describe("reading over HTTP", () => {
  let run: RelayRun;
  let without: RelayRun;

  before(async () => {
    run = await runRelay({ ...replay, httpRead: true });
    without = await runRelay({ ...replay, httpRead: false });
  });

  it("registers a function with an HTTP API in front of it, its alarms, and nothing else", () => {
    expect(added(run, without)).to.have.members([
      "websocket-relay:index:HttpRead relay-http-read",
      "websocket-relay:index:CallbackFunction relay-read",
      "aws:cloudwatch/logGroup:LogGroup relay-read-logs",
      "aws:iam/role:Role relay-read-role",
      "aws:iam/rolePolicy:RolePolicy relay-read-policy",
      "aws:lambda/function:Function relay-read",
      "aws:apigatewayv2/api:Api relay-read-api",
      "aws:apigatewayv2/integration:Integration relay-read-integration",
      "aws:apigatewayv2/route:Route relay-read-route",
      "aws:apigatewayv2/stage:Stage relay-read-stage",
      "aws:lambda/permission:Permission relay-read-permission",
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-read-errors-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-read-throttles-alarm",
    ]);
    expect(added(without, run)).to.deep.equal([]);
  });

  it("changes no other resource when it is switched on or off, except for the dashboard, which shows the function", () => {
    for (const { type, name, inputs } of without.registrations) {
      if (type === "aws:cloudwatch/dashboard:Dashboard") continue;
      // The archives of the functions are objects of Pulumi's.
      expect(text(run.inputs(type, name)), name).to.equal(text(inputs));
    }
    const shown = ({ inputs }: RelayRun) =>
      String(inputs("aws:cloudwatch/dashboard:Dashboard", "relay-dashboard").dashboardBody);
    expect(shown(run)).to.include('"FunctionName","relay-read"');
    expect(shown(without)).not.to.include("relay-read");
  });

  it("registers the same in a preview, where what AWS computes is unknown", async () => {
    const preview = await runRelay({ ...replay, httpRead: true }, { preview: true });
    expect(byType(preview.registrations)).to.deep.equal(byType(run.registrations));
  });

  it("answers every method at the root of an HTTP API, whose stage deploys itself", () => {
    expect(run.inputs("aws:apigatewayv2/api:Api", "relay-read-api")).to.deep.equal({
      protocolType: "HTTP",
      ipAddressType: "ipv4",
      tags: { team: "chat" },
    });
    expect(run.inputs("aws:apigatewayv2/integration:Integration", "relay-read-integration")).to.deep.equal({
      apiId: "relay-read-api-id",
      integrationType: "AWS_PROXY",
      integrationMethod: "POST",
      integrationUri: "invoke:relay-read",
      payloadFormatVersion: "2.0",
    });
    expect(run.inputs("aws:apigatewayv2/route:Route", "relay-read-route")).to.deep.equal({
      apiId: "relay-read-api-id",
      routeKey: "ANY /",
      target: "integrations/relay-read-integration-id",
    });
    expect(run.inputs("aws:apigatewayv2/stage:Stage", "relay-read-stage")).to.deep.equal({
      apiId: "relay-read-api-id",
      name: "$default",
      autoDeploy: true,
      defaultRouteSettings: { throttlingRateLimit: 500, throttlingBurstLimit: 500 },
      tags: { team: "chat" },
    });
  });

  it("opens the stage after the route and its right to call the function exist, and lets no other API call the function", () => {
    expect(run.dependencies["relay-read-stage"]).to.deep.equal(["relay-read-permission", "relay-read-route"]);
    expect(run.inputs("aws:lambda/permission:Permission", "relay-read-permission")).to.deep.equal({
      action: "lambda:InvokeFunction",
      function: "relay-read",
      principal: "apigateway.amazonaws.com",
      sourceArn: `arn:aws:execute-api:${region}:api456/*/*/`,
    });
  });

  it("authenticates as connect does, without the origins of the API, and may only read", () => {
    const connect = run.variables("relay-connect");
    const { AUTH, ALLOWED_ORIGINS, ...others } = run.variables("relay-read");
    expect(AUTH).to.equal(connect.AUTH);
    expect(ALLOWED_ORIGINS).to.equal('["https://app.relay.dev"]');
    expect(others).to.deep.equal({
      TABLE_NAME: "relay-table",
      HISTORY_TABLE_NAME: "relay-history-table",
      HISTORY_RETENTION_SECONDS: "86400",
      RELAY_NAME: run.relay.relayName,
    });
    const rights = run.statements("relay-read-policy");
    expect(rights.filter(({ Action }) => !Action.includes("logs:PutLogEvents"))).to.deep.equal([
      { Effect: "Allow", Action: ["dynamodb:GetItem"], Resource: [`arn:aws:dynamodb:${region}:table/relay-table`] },
      {
        Effect: "Allow",
        Action: ["dynamodb:Query", "dynamodb:GetItem"],
        Resource: [`arn:aws:dynamodb:${region}:table/relay-history-table`],
      },
    ]);
    // Less than the 30 seconds of an HTTP API.
    expect(run.inputs("aws:lambda/function:Function", "relay-read").timeout).to.equal(12);
  });

  it("outputs its URL, also among the addresses, and only where it is", async () => {
    expect(await valueOf(run.relay.readUrl)).to.equal(readUrl);
    expect(await valueOf(run.relay.addresses)).to.include({ readUrl });
    expect(await valueOf(run.relay.httpRead?.api.id)).to.equal("relay-read-api-id");
    expect([without.relay.readUrl, without.relay.httpRead]).to.deep.equal([undefined, undefined]);
    expect(await valueOf(without.relay.addresses)).not.to.have.property("readUrl");
  });

  describe("with the settings of a relay in production", () => {
    let full: RelayRun;
    const kmsKeyArn = "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d";

    before(async () => {
      const args: Partial<WebsocketRelayArgs> = {
        ...replay,
        allowedOrigins: null,
        httpRead: true,
        httpReadThrottlingRateLimit: 20,
        ipAddressType: "dualstack",
        gatewayLogs: { accountRole: "exists" },
        logRetentionInDays: 90,
        kmsKeyArn,
        permissionsBoundaryArn: "arn:aws:iam::111122223333:policy/boundary",
        auth: { authenticate: () => Promise.resolve(null) },
      };
      full = await runRelay(args);
    });

    it("logs requests to a group that adds nothing to the account's policy of logs, without what a client chooses", () => {
      expect(full.inputs("aws:cloudwatch/logGroup:LogGroup", "relay-read-access-logs")).to.deep.equal({
        name: "/aws/vendedlogs/relay-read-access-logs/relay-read-api-id",
        retentionInDays: 90,
        kmsKeyId: kmsKeyArn,
        tags: { team: "chat" },
      });
      const { accessLogSettings, defaultRouteSettings } = full.inputs(
        "aws:apigatewayv2/stage:Stage",
        "relay-read-stage",
      );
      const { destinationArn, format } = accessLogSettings as { destinationArn: string; format: string };
      expect(destinationArn).to.equal(`arn:aws:logs:${region}:log-group:relay-read-access-logs`);
      expect(JSON.parse(format)).to.have.property("requestId", "$context.requestId");
      expect(format).not.to.match(/path|query|userAgent|header|cookie/i);
      // Execution logs, which an HTTP API refuses, are not among them.
      expect(defaultRouteSettings).to.deep.equal({ throttlingRateLimit: 20, throttlingBurstLimit: 500 });
    });

    it("has the addresses, the key and the boundary of the relay, and the user's own callback", async () => {
      expect(full.inputs("aws:apigatewayv2/api:Api", "relay-read-api")).to.include({ ipAddressType: "dualstack" });
      expect(full.inputs("aws:lambda/function:Function", "relay-read")).to.include({ kmsKeyArn });
      expect(full.inputs("aws:iam/role:Role", "relay-read-role")).to.include({
        permissionsBoundary: "arn:aws:iam::111122223333:policy/boundary",
      });
      const code = full.inputs("aws:lambda/function:Function", "relay-read").code as pulumi.asset.AssetArchive;
      expect(Object.keys(await code.assets)).to.have.members(["authenticate.js", "index.js"]);
      expect(full.variables("relay-read").ALLOWED_ORIGINS).to.equal("null");
      const keys = full.statements("relay-read-policy").filter(({ Action }) => Action.includes("kms:Decrypt"));
      expect(keys.map(({ Resource }) => Resource)).to.deep.equal([[kmsKeyArn]]);
    });
  });
});

function text(inputs: Record<string, unknown>): string {
  return JSON.stringify({ ...inputs, code: undefined });
}

/** What the first run registered, and the second did not. */
function added({ registrations }: RelayRun, { registrations: others }: RelayRun): string[] {
  const known = new Set(others.map(({ type, name }) => `${type} ${name}`));
  return registrations.map(({ type, name }) => `${type} ${name}`).filter((each) => !known.has(each));
}
