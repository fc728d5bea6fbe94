import { DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import { nameOf, ProgramCopy, type Resource } from "./programCopy";

/** The topic holds nothing, but backends and other accounts know it by its name. */
const guarded = [
  "relay-dead-letter-queue",
  "relay-queue",
  "relay-subscription-dead-letter-queue",
  "relay-table",
  "relay-topic",
];

/** Each test goes on from where the one before it ended. */
describe("a stack with protectData, run by the real engine", function () {
  this.timeout(180_000);
  this.bail(true);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let created: Resource[];

  before(async () => {
    const audience = "websocket-relay-engine";
    cloud = await LocalCloud.start({ audience, userClaim: "sub", timeScale: 1, loseDisconnects: false, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port);
    await program.pulumi("stack", "init", "dev");
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
    await program.pulumi("config", "set", "protectData", "true");
    await program.pulumi("up", "--yes", "--skip-preview");
    created = await program.resources();
  });

  after(async () => {
    await provider?.close();
    await cloud?.close();
    await program?.remove();
  });

  it("protects the table, the queues and the topic, and nothing else", () => {
    const protectedNames = created.filter(({ protect }) => protect === true).map(({ urn }) => nameOf(urn));
    expect(protectedNames.sort()).to.deep.equal(guarded);
  });

  it("refuses to replace any of them while they are empty", async () => {
    for (const name of guarded) await refusesToReplace(name);
    expect(await identities()).to.deep.equal(identitiesOf(created));
  });

  it("refuses to replace the table and the retry queue while something is in them", async () => {
    await fill();
    for (const name of ["relay-table", "relay-queue"]) await refusesToReplace(name);
    expect(await identities()).to.deep.equal(identitiesOf(created));
  });

  it("keeps all of them when the stack is destroyed, which fails", async () => {
    expect(await program.pulumiFails("destroy", "--yes", "--skip-preview")).to.match(/protect/);

    const kept = await identities();
    for (const name of guarded) expect(kept[urnOf(name)], name).to.equal(identitiesOf(created)[urnOf(name)]);
  });

  it("is destroyed once protectData is off", async () => {
    await program.pulumi("config", "set", "protectData", "false");
    const steps = await program.up();
    expect(steps.filter(({ op }) => op !== "create" && op !== "update")).to.deep.equal([]);
    expect(steps.filter(({ name }) => guarded.includes(name)).map(({ op }) => op)).to.not.include("create");

    await program.pulumi("destroy", "--yes", "--skip-preview");

    expect(await program.resources()).to.deep.equal([]);
  });

  async function refusesToReplace(name: string): Promise<void> {
    const output = await program.pulumiFails("up", "--yes", "--skip-preview", "--replace", urnOf(name));
    expect(output).to.match(
      new RegExp(`unable to replace resource "\\S+::${name}"\\s+as it is currently marked for protection`),
    );
  }

  /** Puts a session into the table and a message into the retry queue. */
  async function fill(): Promise<void> {
    const { tableName, queueUrl } = await program.pulumiJson<{ tableName: string; queueUrl: string }>(
      "stack",
      "output",
    );
    const dynamodb = new DynamoDBClient({ endpoint: cloud.tables.endpoint, region, credentials });
    const Item = { caller_id: { S: "user#42" }, context: { S: "mentor#7" } };
    await dynamodb.send(new PutItemCommand({ TableName: tableName, Item }));
    dynamodb.destroy();
    const sqs = new SQSClient({ endpoint: cloud.messaging.endpoint, region, credentials });
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: "kept" }));
    sqs.destroy();
  }

  function urnOf(name: string): string {
    const found = created.find(({ urn }) => nameOf(urn) === name);
    if (!found) throw new Error(`${name} is not among ${created.map(({ urn }) => nameOf(urn)).join(", ")}`);
    return found.urn;
  }

  const identities = async () => identitiesOf(await program.resources());
});

function identitiesOf(resources: Resource[]): Record<string, string | undefined> {
  return Object.fromEntries(resources.map(({ urn, id }) => [urn, id]));
}
