import { runInThisContext } from "node:vm";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { AuthenticateHandshake, WebsocketRelayArgs } from "../../../components";
import { resolveArgs } from "../../../components/args/args";
import { connectSpec } from "../../../components/functions/connect";
import type { RelayParts } from "../../../components/functions/relayFunction";
import { ATTEMPT_TIMEOUT_MS } from "../../../handlers/connect/auth/fetchKeys";
import { RESERVED_MS } from "../../../handlers/connect/connect";
import { refusal } from "../../support/refusal";
import { valueOf } from "../../support/recorder";
import { auth, byType, type RelayRun, runRelay } from "../../support/relayRun";

/** What resolveAuth adds to what is given. */
const authDefaults = { userClaim: "sub", clockToleranceSeconds: 5, cookieName: "access_token" };

describe("the functions", () => {
  let run: RelayRun;

  before(async () => {
    run = await runRelay({ allowedOrigins: ["https://app.relay.dev"], maximumConcurrency: 4, tags: { team: "chat" } });
  });

  it("runs every function on nodejs24.x and arm64 with JSON logs in its own log group", () => {
    for (const name of ["relay-connect", "relay-disconnect", "relay-deliver"]) {
      expect(run.inputs("aws:lambda/function:Function", name)).to.deep.include({
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        role: `arn:aws:iam::111122223333:role/${name}-role`,
        // Platform lines are only written for what fails.
        loggingConfig: {
          logFormat: "JSON",
          systemLogLevel: "WARN",
          applicationLogLevel: "WARN",
          logGroup: `${name}-logs`,
        },
        tags: { team: "chat" },
      });
      expect(run.inputs("aws:cloudwatch/logGroup:LogGroup", `${name}-logs`)).to.deep.include({ retentionInDays: 30 });
    }
  });

  it("writes every function's log at the given level", async () => {
    const { registrations, inputs } = await runRelay({
      applicationLogLevel: "ERROR",
      delivery: "replay",
      auth: { ...auth, endSessionWithToken: true },
    });
    const names = byType(registrations)["aws:lambda/function:Function"] ?? [];
    expect(names).to.include.members(["relay-deliver", "relay-resume", "relay-sweep"]);
    for (const name of names) {
      expect(inputs("aws:lambda/function:Function", name).loggingConfig).to.include({
        systemLogLevel: "WARN",
        applicationLogLevel: "ERROR",
      });
    }
  });

  it("reserves concurrency for connect alone, and only as much as it is told", async () => {
    const type = "aws:lambda/function:Function";
    const reserving = await runRelay({
      connectReservedConcurrentExecutions: 50,
      delivery: "replay",
      auth: { ...auth, endSessionWithToken: true },
    });
    const reserved = ({ registrations, inputs }: RelayRun) =>
      (byType(registrations)[type] ?? []).flatMap((name) => {
        const { reservedConcurrentExecutions } = inputs(type, name);
        return reservedConcurrentExecutions === undefined ? [] : [[name, reservedConcurrentExecutions]];
      });
    expect(reserved(reserving)).to.deep.equal([["relay-connect", 50]]);
    expect(reserved(run)).to.deep.equal([]);
  });

  it("gives connect the time for two attempts to fetch keys, besides a second for the table and what it reserves", () => {
    const { timeout } = run.inputs("aws:lambda/function:Function", "relay-connect");
    expect(timeout).to.equal((2 * ATTEMPT_TIMEOUT_MS + 1_000 + RESERVED_MS) / 1_000);
  });

  it("gives each function the environment that it needs, and no more", () => {
    expect(run.variables("relay-connect")).to.deep.equal({
      TABLE_NAME: "relay-table",
      SESSION_TTL_SECONDS: "10800",
      AUTH: JSON.stringify({ ...authDefaults, ...auth }),
      ALLOWED_ORIGINS: JSON.stringify(["https://api123.execute-api.eu-west-1.amazonaws.com", "https://app.relay.dev"]),
      RELAY_NAME: "pulumi-websocket-relay-test-relay",
      CONNECTIONS: "newest",
    });
    expect(run.variables("relay-disconnect")).to.deep.equal({
      TABLE_NAME: "relay-table",
      CONNECTION_INDEX_NAME: "connection",
    });
    expect(run.variables("relay-deliver")).to.deep.equal({
      TABLE_NAME: "relay-table",
      MANAGEMENT_ENDPOINT: "https://api123.execute-api.eu-west-1.amazonaws.com/live",
      QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-queue",
      DEAD_LETTER_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-dead-letter-queue",
      CONNECTIONS: "newest",
      MAX_ATTEMPTS: "66",
      BACKOFF_MIN_SECONDS: "2",
      BACKOFF_MAX_SECONDS: "120",
      RELAY_NAME: "pulumi-websocket-relay-test-relay",
    });
  });

  for (const delivery of ["retry", "replay"] as const) {
    it(`tells deliver which connections of a session get messages, ${delivery}`, async () => {
      const all = await runRelay({ delivery, connections: "all" });
      expect(all.variables("relay-deliver")).to.include({ CONNECTIONS: "all" });
    });
  }

  it("gives disconnect no index and no right to query one where the table has none", async () => {
    const without = await runRelay({ connectionIndex: false });
    expect(without.variables("relay-disconnect")).to.deep.equal({ TABLE_NAME: "relay-table" });
    const actions = without.statements("relay-disconnect-policy").flatMap(({ Action }) => Action);
    expect(actions.filter((action) => action.startsWith("dynamodb:"))).to.deep.equal([
      "dynamodb:DeleteItem",
      "dynamodb:GetItem",
      "dynamodb:PutItem",
    ]);
  });

  it("grants each role exact actions on exact ARNs in one inline policy", () => {
    const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/relay-table";
    const logs = (name: string) => ({
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`arn:aws:logs:eu-west-1:111122223333:log-group:${name}-logs:*`],
    });
    const changeSessions = {
      Effect: "Allow",
      Action: ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"],
      Resource: [table],
    };
    expect(run.statements("relay-connect-policy")).to.deep.equal([
      {
        Effect: "Allow",
        Action: ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
        Resource: [table],
      },
      logs("relay-connect"),
    ]);
    expect(run.statements("relay-disconnect-policy")).to.deep.equal([
      { Effect: "Allow", Action: ["dynamodb:Query"], Resource: [`${table}/index/connection`] },
      changeSessions,
      logs("relay-disconnect"),
    ]);
    const connections = "arn:aws:execute-api:eu-west-1:111122223333:api123/live";
    expect(run.statements("relay-deliver-policy")).to.deep.equal([
      {
        Effect: "Allow",
        Action: [
          "dynamodb:BatchGetItem",
          "dynamodb:Query",
          "dynamodb:GetItem",
          "dynamodb:PutItem",
          "dynamodb:UpdateItem",
          "dynamodb:DeleteItem",
        ],
        Resource: [table],
      },
      {
        Effect: "Allow",
        Action: ["execute-api:ManageConnections"],
        Resource: ["POST", "GET", "DELETE"].map((method) => `${connections}/${method}/@connections/*`),
      },
      {
        Effect: "Allow",
        Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"],
        Resource: ["arn:aws:sqs:eu-west-1:111122223333:relay-queue"],
      },
      {
        Effect: "Allow",
        Action: ["sqs:SendMessage"],
        Resource: ["arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue"],
      },
      logs("relay-deliver"),
    ]);
  });

  it("attaches no managed policy and trusts Lambda alone", () => {
    const roles = run.registrations.filter(({ type }) => type === "aws:iam/role:Role");
    expect(roles.map(({ name }) => name)).to.have.members([
      "relay-connect-role",
      "relay-disconnect-role",
      "relay-deliver-role",
    ]);
    for (const { inputs: role } of roles) {
      expect(Object.keys(role).sort()).to.deep.equal(["assumeRolePolicy", "tags"]);
      const trust =
        typeof role.assumeRolePolicy === "string" ? JSON.parse(role.assumeRolePolicy) : role.assumeRolePolicy;
      expect(
        (trust as { Statement: { Principal: unknown }[] }).Statement.map(({ Principal }) => Principal),
      ).to.deep.equal([{ Service: "lambda.amazonaws.com" }]);
    }
  });

  it("maps the retry queue to deliver with partial failures and a bound on concurrency", () => {
    expect(run.inputs("aws:lambda/eventSourceMapping:EventSourceMapping", "relay-deliver-mapping")).to.deep.equal({
      eventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:relay-queue",
      functionName: "arn:aws:lambda:eu-west-1:111122223333:function:relay-deliver",
      batchSize: 10,
      maximumBatchingWindowInSeconds: 0,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 4 },
      tags: { team: "chat" },
    });
  });

  it("tells connect to skip authentication and the origin check if both are null", async () => {
    const { variables } = await runRelay({ auth: null, allowedOrigins: null });
    expect(variables("relay-connect")).to.include({ AUTH: "null", ALLOWED_ORIGINS: "null" });
  });

  it("tells connect of an issuer without an audience by null, not by leaving it out", async () => {
    const oidc = { ...auth.oidc, audience: null, authorizedParties: pulumi.output(["https://app.relay.dev"]) };
    const { variables } = await runRelay({ auth: { oidc } });
    expect(JSON.parse(variables("relay-connect").AUTH ?? "").oidc).to.deep.equal({
      ...auth.oidc,
      audience: null,
      authorizedParties: ["https://app.relay.dev"],
    });
  });

  it("tells connect of origins that are known later, and fails where they turn out to be nothing", async () => {
    const sessionTable = { tableName: "sessions", statement: () => ({}) };
    const parts = {
      sessionTable,
      gateway: { origins: pulumi.output(["https://own.dev"]) },
    } as unknown as RelayParts;
    const environmentWith = (allowedOrigins: WebsocketRelayArgs["allowedOrigins"]) =>
      connectSpec(parts, resolveArgs({ auth, allowedOrigins })).environment as Record<string, pulumi.Output<string>>;

    const known = environmentWith([pulumi.output("https://*.relay.dev"), "file://"]);
    expect(JSON.parse(await valueOf(known.ALLOWED_ORIGINS ?? ""))).to.deep.equal([
      "https://own.dev",
      "https://*.relay.dev",
      "file://",
    ]);
    const nothing = environmentWith(pulumi.output(null) as unknown as pulumi.Output<string[]>);
    for (const variable of [nothing.ALLOWED_ORIGINS, nothing.AUTH]) {
      expect((await refusal(valueOf(variable))).message).to.include("a list of origins");
    }
  });

  it("ships a user's own callback as a second file, which leaves connect's own code unchanged", async () => {
    const authenticate = ({ token }: AuthenticateHandshake) =>
      Promise.resolve(token === "open sesame" ? { code: "42" } : null);
    const withCallback = await runRelay({ auth: { authenticate, requireFrom: __dirname } });
    expect(withCallback.variables("relay-connect").AUTH).to.equal(
      JSON.stringify({ ...authDefaults, authenticate: true }),
    );

    const [plain, files] = [await filesOf(run, "relay-connect"), await filesOf(withCallback, "relay-connect")];
    expect(Object.keys(files).sort()).to.deep.equal(["authenticate.js", "index.js"]);
    expect(Object.keys(plain)).to.deep.equal(["index.js"]);
    expect(files["index.js"] === plain["index.js"]).to.equal(true);
    expect(await loaded(files["authenticate.js"])({ token: "open sesame" })).to.deep.equal({ code: "42" });
    expect(await loaded(files["authenticate.js"])({ token: "x" })).to.equal(null);
  });

  it("bounds every role, where there is a boundary", async () => {
    const permissionsBoundaryArn = "arn:aws:iam::111122223333:policy/boundary";
    const { registrations } = await runRelay({
      permissionsBoundaryArn,
      auth: { ...auth, endSessionWithToken: true },
      delivery: "replay",
    });
    const roles = registrations.filter(({ type }) => type === "aws:iam/role:Role");
    expect(roles).to.have.lengthOf(8);
    for (const { inputs, name } of roles) expect(inputs.permissionsBoundary, name).to.equal(permissionsBoundaryArn);
  });

  describe("where sessions end with their token", () => {
    let ending: RelayRun;

    before(async () => {
      ending = await runRelay({ auth: { ...auth, endSessionWithToken: true }, tags: { team: "chat" } });
    });

    it("add one that is called every minute, by its rule alone", () => {
      const arn = "arn:aws:lambda:eu-west-1:111122223333:function:relay-sweep";
      expect(ending.inputs("aws:cloudwatch/eventRule:EventRule", "relay-sweep-rule")).to.deep.equal({
        scheduleExpression: "rate(1 minute)",
        tags: { team: "chat" },
      });
      expect(ending.inputs("aws:cloudwatch/eventTarget:EventTarget", "relay-sweep-target")).to.deep.equal({
        rule: "relay-sweep-rule",
        arn,
        retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 },
      });
      expect(ending.inputs("aws:lambda/permission:Permission", "relay-sweep-permission")).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: "relay-sweep",
        principal: "events.amazonaws.com",
        sourceArn: "arn:aws:events:eu-west-1:111122223333:rule/relay-sweep-rule",
      });
      expect(ending.dependencies["relay-sweep-target"]).to.deep.equal(["relay-sweep-permission"]);
    });

    it("drop a run that is late by a minute, and repeat none", () => {
      const type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig";
      expect(byType(ending.registrations)[type]).to.deep.equal(["relay-sweep-invoke-config"]);
      expect(ending.inputs(type, "relay-sweep-invoke-config")).to.deep.equal({
        functionName: "relay-sweep",
        maximumEventAgeInSeconds: 60,
        maximumRetryAttempts: 0,
      });
    });

    it("let it find, read, change and delete expired items and close their connections, and nothing else", () => {
      const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/relay-table";
      expect(ending.statements("relay-sweep-policy").slice(0, -1)).to.deep.equal([
        { Effect: "Allow", Action: ["dynamodb:Query"], Resource: [`${table}/index/token-expiry`] },
        {
          Effect: "Allow",
          Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"],
          Resource: [table],
        },
        {
          Effect: "Allow",
          Action: ["execute-api:ManageConnections"],
          Resource: ["arn:aws:execute-api:eu-west-1:111122223333:api123/live/DELETE/@connections/*"],
        },
      ]);
      expect(ending.variables("relay-sweep")).to.deep.equal({
        TABLE_NAME: "relay-table",
        TOKEN_EXPIRY_INDEX_NAME: "token-expiry",
        MANAGEMENT_ENDPOINT: "https://api123.execute-api.eu-west-1.amazonaws.com/live",
        RELAY_NAME: "pulumi-websocket-relay-test-relay",
      });
    });

    it("tell connect to keep when the token ends", () => {
      expect(JSON.parse(ending.variables("relay-connect").AUTH ?? "")).to.have.property("endSessionWithToken", true);
    });

    it("register the same in a preview", async () => {
      const preview = await runRelay({ auth: { ...auth, endSessionWithToken: true } }, { preview: true });
      expect(byType(preview.registrations)).to.deep.equal(byType(ending.registrations));
    });
  });
});

/** The files of a function's archive, by name. */
async function filesOf({ inputs }: RelayRun, name: string): Promise<Record<string, string>> {
  const { code } = inputs("aws:lambda/function:Function", name) as { code: pulumi.asset.AssetArchive };
  const assets = Object.entries((await code.assets) as Record<string, pulumi.asset.StringAsset>);
  return Object.fromEntries(await Promise.all(assets.map(async ([file, { text }]) => [file, await text] as const)));
}

/** What a file of an archive exports as its handler. */
function loaded(text = ""): (handshake: object) => Promise<unknown> {
  const module = { exports: {} as { handler: (handshake: object) => Promise<unknown> } };
  runInThisContext(`((module, exports, require) => {${text}\n})`)(module, module.exports, require);
  return module.exports.handler;
}
