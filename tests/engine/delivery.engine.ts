import { once } from "node:events";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { WebSocket } from "ws";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import type { Hello } from "../../protocol";
import { nameOf, ProgramCopy, type Resource, type Step } from "./programCopy";

/** A change of the routes takes a new snapshot of the API. */
const snapshot = "relay-deployment";

/** Resources that only a relay in replay mode has. */
const ofReplay =
  /^relay-(replay$|history|receipts|expired-messages-alarm$|(resume|acknowledge|expire)($|-(integration|route|permission|logs|role|policy|errors-alarm|throttles-alarm)$)|expire-\d-(rule|permission|target)$)/;

/** Each test goes on from where the one before it ended. */
describe("a stack in retry mode, switched to replay mode and back", function () {
  this.timeout(180_000);
  this.bail(true);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let existing: Resource[];
  let sns: SNSClient;
  /** Open for as long as the relay lets it. */
  let client: WebSocket;
  /** Of the client's messages. */
  let epoch: string | undefined;

  before(async () => {
    const audience = "websocket-relay-engine";
    cloud = await LocalCloud.start({ audience, userClaim: "sub", timeScale: 1, loseDisconnects: false, log: () => {} });
    provider = await ProviderServer.start(cloud.provisioner);
    program = await ProgramCopy.create(provider.port);
    await program.pulumi("stack", "init", "dev");
    await program.pulumi("config", "set", "--path", "auth.oidc.issuer", cloud.issuer.issuer);
    await program.pulumi("config", "set", "--path", "auth.oidc.audience", audience);
    // As in production: their names and what they show are a stack's, too.
    await program.pulumi("config", "set", "dashboard", "true");
    await program.pulumi("config", "set", "--path", "alarms.enabled", "true");
    await program.pulumi("up", "--yes", "--skip-preview");
    existing = await ofProgram();
    sns = new SNSClient({ region, credentials, endpoint: cloud.messaging.endpoint });
    client = await connect("42");
  });

  after(async () => {
    client?.terminate();
    sns?.destroy();
    await provider?.close();
    await cloud?.close();
    await program?.remove();
  });

  const ofProgram = async () => (await program.resources()).filter(({ type }) => !type.startsWith("pulumi:"));
  const changes = (steps: Step[]) => steps.filter(({ op, name }) => op !== "same" && name !== snapshot);
  const named = (steps: Step[], op: string) => steps.filter((step) => step.op === op).map(({ name }) => name);
  const configure = (key: string, value: string) => program.pulumi("config", "set", key, value);

  const connect = async (user: string, subprotocols?: string[]) => {
    const { websocketUrl } = await program.pulumiJson<{ websocketUrl: string }>("stack", "output");
    const headers = { authorization: `Bearer ${await cloud.issuer.sign(user)}` };
    const opened = new WebSocket(`${websocketUrl}?context=mentor&contextId=7`, subprotocols, { headers });
    await once(opened, "open");
    return opened;
  };

  const publish = async (user: string, Message: string) => {
    const { topicArn } = await program.pulumiJson<{ topicArn: string }>("stack", "output");
    const attribute = (StringValue: string) => ({ DataType: "String", StringValue });
    const MessageAttributes = {
      ...{ user: attribute(user), context: attribute("mentor"), contextId: attribute("7") },
      messageId: attribute(Message),
    };
    await sns.send(new PublishCommand({ TopicArn: topicArn, Message, MessageAttributes }));
  };

  /** The next frame that has the message. */
  const frameWith = async (socket: WebSocket, message: string): Promise<string> => {
    for (;;) {
      const [frame] = (await once(socket, "message")) as [Buffer];
      if (frame.toString().includes(message)) return frame.toString();
    }
  };

  it("is announced what replay adds, and what it changes in place", async () => {
    await configure("delivery", "replay");
    await configure("receipts", "true");
    const announced = changes(await program.preview());

    expect(named(announced, "create").filter((name) => !ofReplay.test(name))).to.deep.equal([]);
    expect(named(announced, "create")).to.include.members(["relay-history-table", "relay-receipts-topic"]);
    // What the two functions are, and are allowed to do; what is shown; what has to be permitted before the stage opens.
    expect(named(announced, "update")).to.have.members([
      ...["relay-connect", "relay-connect-policy", "relay-deliver", "relay-deliver-policy"],
      ...["relay-stage", "relay-dashboard"],
    ]);
    expect(announced.filter(({ op }) => op !== "create" && op !== "update")).to.deep.equal([]);
    expect(changes(await program.up())).to.deep.equal(announced);
  });

  it("keeps every resource that it had, and is up to date", async () => {
    const after = new Map((await program.resources()).map(({ urn, id }) => [urn, id]));
    const changed = existing.filter(({ urn, id }) => after.get(urn) !== id).map(({ urn }) => nameOf(urn));
    expect(changed).to.deep.equal([snapshot]);
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("ends a connection that it had before, stores what its client is to have, and sends it once it is back", async () => {
    const closed = once(client, "close");
    await publish("42", "across the switch");
    await closed;
    client = await connect("42", ["websocket-relay.v1"]);
    client.send('{"action":"resume"}');
    const [hello, , message] = JSON.parse(await frameWith(client, "across the switch")) as object[];
    expect(hello).to.include({ type: "hello", newest: 1 });
    expect(message).to.include({ type: "message", seq: 1, body: "across the switch" });
    ({ epoch } = hello as Hello);
  });

  it("tells a client that its epoch is over once historyGeneration is raised, and goes on with its numbers", async () => {
    await configure("historyGeneration", "1");
    expect(named(changes(await program.up()), "update")).to.deep.equal(["relay-deliver"]);
    await publish("42", "after the restore");
    await frameWith(client, "after the restore");
    client.send(JSON.stringify({ action: "resume", cursor: { epoch, seq: 1 } }));
    const [hello, resumed, ...messages] = JSON.parse(await frameWith(client, "after the restore")) as object[];
    expect(hello).to.include({ type: "hello", newest: 2 }).and.not.to.include({ epoch });
    expect(resumed).to.include({ type: "resumed", recovered: false, lost: "epoch", through: 2 });
    expect(messages.at(-1)).to.include({ seq: 2, epoch: (hello as Hello).epoch, body: "after the restore" });
    // The default, since a relay in retry mode has no history.
    await configure("historyGeneration", "0");
  });

  it("is not switched back while its history is protected, and says so before anything is changed", async () => {
    await configure("protectData", "true");
    await program.pulumi("up", "--yes", "--skip-preview");
    await configure("delivery", "retry");
    await configure("receipts", "false");
    const why = await program.pulumiFails("preview");
    expect(why)
      .to.include("relay-history-table")
      .and.to.match(/protect/);
    expect((await ofProgram()).map(({ urn }) => nameOf(urn))).to.include("relay-history-table");
  });

  it("loses what replay added, and nothing else, once it is not", async () => {
    await configure("protectData", "false");
    await configure("delivery", "replay");
    await configure("receipts", "true");
    await program.pulumi("up", "--yes", "--skip-preview");
    await configure("delivery", "retry");
    await configure("receipts", "false");

    const taken = changes(await program.up());
    expect(named(taken, "delete").filter((name) => !ofReplay.test(name))).to.deep.equal([]);
    expect(taken.filter(({ op }) => op !== "delete" && op !== "update")).to.deep.equal([]);
    const keysOf = (resources: Resource[]) => resources.map(({ urn, id }) => `${urn} ${id}`);
    const isNoSnapshot = (key: string) => !key.includes(`::${snapshot} `);
    expect(keysOf(await ofProgram()).filter(isNoSnapshot)).to.have.members(keysOf(existing).filter(isNoSnapshot));
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("ends the connection once more, and delivers to its client in retry mode", async () => {
    const closed = once(client, "close");
    await publish("42", "and back");
    await closed;
    client = await connect("42");
    expect(await frameWith(client, "and back")).to.equal("and back");
  });
});
