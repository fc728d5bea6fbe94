import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { expect } from "chai";
import { WebSocket } from "ws";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { nameOf, ProgramCopy, type Resource, type Step, thisProgram } from "./programCopy";
import { pause } from "../endToEnd/pause";
import { repository } from "../support/repository";

/** The commit of the first release. The names that it gave are kept: a live resource of another name would be another one. */
const firstRelease = "e1b07d3";

/**
 * What is replaced all the same: a deployment is a snapshot of the API, of which a change takes a new one; the stage goes
 * over to it without an interruption. https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-set-up-websocket-deployment.html
 */
const snapshot = "relay-deployment";

/** Each test goes on from where the one before it ended. */
describe(`a stack of the first release (${firstRelease}), updated by this program`, function () {
  this.timeout(180_000);
  this.bail(true);

  let released: string;
  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let existing: Resource[];
  let announced: Step[];
  /** Open since before the update. */
  let client: WebSocket;

  before(async () => {
    released = await mkdtemp(join(tmpdir(), "first-release-"));
    await checkOut(firstRelease, released);
    const audience = "websocket-relay-engine";
    cloud = await LocalCloud.start({ audience, userClaim: "sub", timeScale: 1, loseDisconnects: false, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port, {
      ...thisProgram,
      folder: released,
      names: ["index.ts", "components", "handlers", "Pulumi.yaml", "Pulumi.dev.yaml", "package.json", "tsconfig.json"],
    });
    await program.pulumi("stack", "init", "dev");
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
    await program.pulumi("up", "--yes", "--skip-preview");
    existing = await program.resources();
    client = await connect();
    await program.upgradeTo(thisProgram);
  });

  after(async () => {
    client?.terminate();
    await provider?.close();
    await cloud?.close();
    await program?.remove();
    await rm(released, { recursive: true });
  });

  const connect = async () => {
    const { websocketUrl } = await program.pulumiJson<{ websocketUrl: string }>("stack", "output");
    const headers = { authorization: `Bearer ${await cloud.issuer.sign("42")}` };
    const opened = new WebSocket(`${websocketUrl}?context=mentor&contextId=7`, { headers });
    await once(opened, "open");
    return opened;
  };

  const items = async () => {
    const { tableName } = await program.pulumiJson<{ tableName: string }>("stack", "output");
    const dynamodb = new DynamoDBClient({ region, credentials, endpoint: cloud.tables.endpoint });
    try {
      return (await dynamodb.send(new ScanCommand({ TableName: tableName }))).Items ?? [];
    } finally {
      dynamodb.destroy();
    }
  };

  /** A connection's lookup is left to TTL. */
  const sessions = async () => (await items()).filter(({ connection_id: id }) => id !== undefined);

  /** Ends the connection, and resolves when nothing of it is in the table. */
  const end = async (socket: WebSocket) => {
    socket.close();
    while ((await items()).length > 0) await pause();
  };

  it("is announced no deletion, and no replacement but that of a snapshot", async () => {
    announced = (await program.preview()).filter(({ op }) => op !== "same");

    const others = announced.filter(({ name, op }) => op !== "create" && op !== "update" && name !== snapshot);
    expect(others).to.deep.equal([]);
    const created = announced.filter(({ op }) => op === "create").map(({ name }) => name);
    // Routes that a later switch of the delivery changes in place.
    expect(created.filter((name) => name.endsWith("-route"))).to.have.members([
      "relay-acknowledge-route",
      "relay-resume-route",
    ]);
    expect(created.filter((name) => existing.some(({ urn }) => urn.endsWith(`::${name}`)))).to.deep.equal([]);
  });

  it("takes the steps that were announced, and keeps every resource", async () => {
    const isNoSnapshot = ({ name }: Step) => name !== snapshot;
    expect((await program.up()).filter(isNoSnapshot)).to.deep.equal(announced.filter(isNoSnapshot));

    const after = new Map((await program.resources()).map(({ urn, id }) => [urn, id]));
    const ofProgram = existing.filter(({ type }) => !type.startsWith("pulumi:providers:"));
    expect(ofProgram.length).to.be.greaterThan(30);
    const changed = ofProgram.filter(({ urn, id }) => after.get(urn) !== id).map(({ urn }) => nameOf(urn));
    expect(changed.filter((name) => name !== snapshot)).to.deep.equal([]);
    expect(ofProgram.filter(({ urn }) => !after.has(urn))).to.deep.equal([]);
  });

  it("finds a connection that was opened before the update when it ends", async () => {
    const [row, ...others] = await items();
    expect(others).to.deep.equal([]);
    expect(row).to.have.property("connection_id");
    expect(row).not.to.have.property("connections");
    await end(client);
  });

  it("is up to date then", async () => {
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("loses the index by connection in place, and then finds the connections that end by their lookups", async () => {
    await program.pulumi("config", "set", "connectionIndex", "false");
    const changed = (await program.up()).map(({ op, name }) => `${op} ${name}`);
    expect(changed.filter((step) => step !== `update ${snapshot}`)).to.have.members([
      "update relay-table",
      "update relay-disconnect",
      "update relay-disconnect-policy",
    ]);
    const opened = await connect();
    expect(await sessions()).to.have.length(1);
    opened.close();
    while ((await sessions()).length > 0) await pause();
  });
});

async function checkOut(commit: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar");
  const run = promisify(execFile);
  await run("git", ["archive", "--output", archive, commit], { cwd: repository }).catch((error: Error) => {
    const fix = "fetch the whole history (git fetch --unshallow)";
    throw new Error(`commit ${commit} is not in this clone: ${fix}`, { cause: error });
  });
  await run("tar", ["-xf", archive], { cwd: folder });
}
