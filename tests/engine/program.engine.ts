import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDBClient, ListTablesCommand, ScanCommand } from "@aws-sdk/client-dynamodb";
import { ListTopicsCommand, PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { WebSocket } from "ws";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { unpackArchive } from "../../local/lambda/archive";
import { ProviderServer } from "../../local/provision/providerServer";
import { Provisioner } from "../../local/provision/provisioner";
import { programEntry } from "../../local/run/program";
import { runProgram } from "../../local/run/runProgram";
import { readStackConfig, withLocalIssuer } from "../../local/run/stackConfig";
import type { Participant } from "../../local/trace/traceEvent";
import { nameOf, ProgramCopy } from "./programCopy";
import { repository } from "../support/repository";

const audience = "websocket-relay-engine";

interface Outputs {
  websocketUrl: string;
  managementEndpoint: string;
  topicArn: string;
  queueUrl: string;
  tableName: string;
}

/** The life of one stack: each test goes on from where the one before it ended. */
describe("the program, run by the real engine", function () {
  this.timeout(180_000);
  this.bail(true);

  const log: string[] = [];
  const shipped = new Map<string, string>();
  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let announced: string[];
  let sns: SNSClient;
  let sqs: SQSClient;
  let dynamodb: DynamoDBClient;

  before(async () => {
    const options = { audience, userClaim: "sub", timeScale: 10, loseDisconnects: true };
    cloud = await LocalCloud.start({ ...options, log: (line) => log.push(line) });
    provider = await ProviderServer.start(recordingCode(cloud.provisioner, shipped));
    program = await ProgramCopy.create(provider.port);
    sns = new SNSClient({ endpoint: cloud.messaging.endpoint, region, credentials });
    sqs = new SQSClient({ endpoint: cloud.messaging.endpoint, region, credentials });
    dynamodb = new DynamoDBClient({ endpoint: cloud.tables.endpoint, region, credentials });
    await program.pulumi("stack", "init", "dev");
  });

  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(log.join("\n"));
  });

  after(async () => {
    for (const client of [sns, sqs, dynamodb]) client?.destroy();
    await provider?.close();
    await cloud?.close();
    await program?.remove();
  });

  it("refuses the placeholder issuer before any resource but the stack is registered", async () => {
    const output = await program.pulumiFails("up", "--yes", "--skip-preview");

    expect(output).to.include('auth.oidc.issuer: got "https://issuer.example.com"; allowed: no placeholder');
    expect(output).to.include("set the issuer of your users' tokens");
    expect((await program.resources()).map(({ type }) => type)).to.deep.equal(["pulumi:pulumi:Stack"]);
  });

  it("takes null within auth as the stack's file has it, and says how to write it", async () => {
    const stackFile = join(program.folder, "Pulumi.dev.yaml");
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", "null");
    expect(await program.pulumiFails("preview")).to.match(/auth\.oidc\.audience: got "null".*by hand, without quotes/);

    const text = await readFile(stackFile, "utf8");
    await writeFile(stackFile, text.replace('audience: "null"', "audience: null"));
    expect(await program.pulumiFails("preview")).to.include("auth.oidc.authorizedParties: got undefined");

    await writeFile(stackFile, text.replace('audience: "null"', "audience: null\n      authorizedParties: null"));
    expect((await program.preview()).length).to.be.greaterThan(1);
    await program.pulumi("config", "rm", "--path", "auth.oidc.authorizedParties");
  });

  it("previews nothing but creations, and makes nothing", async () => {
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);

    const steps = await program.preview();

    const others = steps.filter(({ op }) => op !== "create").map(({ name }) => name);
    expect(others).to.deep.equal(["pulumi-websocket-relay-dev"]);
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).to.deep.equal([]);
    announced = steps.map(({ name }) => name);
  });

  it("creates with up exactly what the preview has announced", async () => {
    await program.pulumi("up", "--yes", "--skip-preview");

    const resources = (await program.resources()).filter(({ type }) => !type.startsWith("pulumi:providers:"));
    expect(resources.map(({ urn }) => nameOf(urn)).sort()).to.deep.equal(announced);
  });

  it("announces no change to a preview of an unchanged program", async () => {
    expect((await program.preview()).filter(({ op }) => op !== "same")).to.deep.equal([]);
  });

  it("changes nothing in a second up", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("updates the retry queue and the deliver function where maxAttempts has changed, and replaces nothing", async () => {
    const expected = [
      { op: "update", name: "relay-deliver" },
      { op: "update", name: "relay-queue" },
    ];
    await program.pulumi("config", "set", "maxAttempts", "12");

    expect((await program.preview()).filter(({ op }) => op !== "same")).to.deep.equal(expected);
    expect(await program.up()).to.deep.equal(expected);

    const { queueUrl: QueueUrl } = await outputs();
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
    expect(JSON.parse(Attributes?.RedrivePolicy ?? "{}")).to.have.property("maxReceiveCount", 12 + 5);
  });

  it("stops a value of the wrong type in the CLI, which names the key", async () => {
    await program.pulumi("config", "set", "maxAttempts", "many");

    expect(await program.pulumiFails("preview")).to.include(
      "configuration key 'maxAttempts' must be of type 'integer'",
    );

    await program.pulumi("config", "set", "maxAttempts", "12");
  });

  it("delivers a message to a client that had lost its connection, and clears its session when it leaves", async () => {
    const { topicArn, tableName } = await outputs();

    const lost = await connect();
    await once(lost, "open");
    const noticed = traced("Gateway", "Lambda", /^\$disconnect .* is lost$/);
    lost.terminate();
    await noticed;
    expect(await sessions(tableName)).to.deep.equal(["mentor#7"]);

    const retried = traced("Publisher", "Lambda", /attempt 2$/);
    const attribute = (StringValue: string) => ({ DataType: "String", StringValue });
    await sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Message: '{"reply":"hello"}',
        MessageAttributes: { user: attribute("42"), context: attribute("mentor"), contextId: attribute("7") },
      }),
    );
    await retried;

    const back = await connect();
    const [message] = (await once(back, "message")) as [Buffer];
    expect(message.toString()).to.equal('{"reply":"hello"}');

    cloud.gateways.loseDisconnects = false;
    const disconnected = traced("Lambda", "Gateway", /^200 \$disconnect/);
    back.close();
    await disconnected;
    expect(await sessions(tableName)).to.deep.equal([]);
  });

  it("finds nothing changed in a refresh", async () => {
    await program.pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("ships the same functions as the run under mocks", async () => {
    const underMocks = new Map<string, string>();
    const url = "ws://127.0.0.1";
    const computed = { apiEndpoint: url, invokeUrl: url, url, arn: "arn:", name: "name" };
    const create = (_: string, name: string) => Promise.resolve({ id: name, outputs: computed });

    await runProgram({
      entry: programEntry(repository),
      stack: "dev",
      config: withLocalIssuer(readStackConfig(repository, "dev"), { issuer: cloud.issuer.issuer, audience }),
      provisioner: recordingCode(Object.assign(new Provisioner({}), { create }), underMocks),
      onLateError: (error) => {
        throw error;
      },
    });

    expect([...shipped.keys()].sort()).to.deep.equal(["relay-connect", "relay-deliver", "relay-disconnect"]);
    for (const [name, code] of shipped) expect(underMocks.get(name) === code, name).to.equal(true);
  });

  it("leaves nothing after destroy", async () => {
    const { managementEndpoint } = await outputs();
    const functions = (await program.resources()).filter(({ type }) => type === "aws:lambda/function:Function");
    expect(functions).to.have.length(3);

    await program.pulumi("destroy", "--yes", "--skip-preview");

    expect(await program.resources()).to.deep.equal([]);
    expect((await sqs.send(new ListQueuesCommand())).QueueUrls ?? []).to.deep.equal([]);
    expect((await sns.send(new ListTopicsCommand())).Topics).to.deep.equal([]);
    expect((await dynamodb.send(new ListTablesCommand())).TableNames).to.deep.equal([]);
    expect(functions.filter(({ id }) => cloud.lambda.hasFunction(id ?? ""))).to.deep.equal([]);
    const answer = await fetch(managementEndpoint).catch((error: Error) => error.cause as NodeJS.ErrnoException);
    expect(answer).to.have.property("code", "ECONNREFUSED");
  });

  const outputs = () => program.pulumiJson<Outputs>("stack", "output");

  async function connect(): Promise<WebSocket> {
    const { websocketUrl } = await outputs();
    const headers = { authorization: `Bearer ${await cloud.issuer.sign("42")}` };
    return new WebSocket(`${websocketUrl}?context=mentor&contextId=7`, { headers });
  }

  /** Their sort keys. What is known of a connection whose `$disconnect` was lost stays until it expires: that is no session. */
  async function sessions(TableName: string): Promise<string[]> {
    const { Items = [] } = await dynamodb.send(new ScanCommand({ TableName, ConsistentRead: true }));
    return Items.filter((item) => item.connection_id).map(({ context }) => context?.S ?? "");
  }

  /** Resolves with the next arrow of that kind. */
  function traced(from: Participant, to: Participant, label: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const end = cloud.trace.subscribe((event) => {
        if (event.from !== from || event.to !== to || !label.test(event.label)) return;
        end();
        resolve();
      });
    });
  }
});

/** `provisioner`, which from now on also puts each new function's code into `shipped`. */
function recordingCode(provisioner: Provisioner, shipped: Map<string, string>): Provisioner {
  const create = provisioner.create.bind(provisioner);
  provisioner.create = async (type, name, inputs) => {
    if (type === "aws:lambda/function:Function") shipped.set(name, await codeOf(inputs.code));
    return create(type, name, inputs);
  };
  return provisioner;
}

async function codeOf(archive: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "code-"));
  try {
    await unpackArchive(archive, folder);
    return await readFile(join(folder, "index.js"), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
