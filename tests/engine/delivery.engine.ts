import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import { WebSocket } from "ws";
import type { Resent } from "../../cli/history/resend";
import { run } from "../../cli/program";
import { RelayClient } from "../../client";
import { credentials, region } from "../../local/account";
import { LocalCloud } from "../../local/cloud";
import { ProviderServer } from "../../local/provision/providerServer";
import type { Hello } from "../../protocol";
import { pause } from "../endToEnd/pause";
import { nameOf, ProgramCopy, type Resource, type Step } from "./programCopy";

/** A change of the routes takes a new snapshot of the API. */
const snapshot = "relay-deployment";

/** Resources that only a relay in replay mode has. */
const ofReplay =
  /^relay-(replay$|history|receipts|flush|expired-messages-alarm$|(resume|acknowledge|expire)($|-(integration|permission|logs|role|policy|errors-alarm|throttles-alarm|invoke-config)$)|expire-\d-(rule|permission|target)$)/;

/** Both modes have these routes, so that a switch changes them before the new snapshot is taken. */
const framesRoutes = ["relay-acknowledge-route", "relay-resume-route"];

/** As docs/changing-a-stack.md has it. */
const keptTable = "**relay-history-table";

/** Each test goes on from where the one before it ended. */
describe("a stack in retry mode, switched to replay mode and back", function () {
  this.timeout(180_000);
  this.bail(true);

  let cloud: LocalCloud;
  let provider: ProviderServer;
  let program: ProgramCopy;
  let existing: Resource[];
  /** Neither changes. */
  let addresses: { websocketUrl?: string; topicArn?: string; queueUrl?: string };
  let sns: SNSClient;
  let sqs: SQSClient;
  /** Speaks the protocol alone. */
  let client: WebSocket;
  /** Of the client's messages. */
  let epoch: string | undefined;
  /** The users whose clients are connected throughout: one of each kind. */
  const users = { raw: "42", library: "43" };
  let raw: RawClient;
  let library: RelayClient;
  const ofLibrary: string[] = [];
  /** What was published to both. */
  const published: string[] = [];

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
    addresses = await outputs();
    sns = new SNSClient({ region, credentials, endpoint: cloud.messaging.endpoint });
    sqs = new SQSClient({ region, credentials, endpoint: cloud.messaging.endpoint });
    raw = new RawClient(() => connect(users.raw));
    await raw.open();
    library = new RelayClient({
      url: addresses.websocketUrl ?? "",
      ...{ context: "mentor", contextId: "7", WebSocket, backoffBaseMs: 100, gapWaitMs: 50 },
      token: () => cloud.issuer.sign(users.library),
      onMessage: ({ body }) => void ofLibrary.push(body),
    });
    library.connect();
    await until(() => library.state === "connected");
  });

  after(async () => {
    client?.terminate();
    raw?.close();
    library?.close();
    sns?.destroy();
    sqs?.destroy();
    await provider?.close();
    await cloud?.close();
    await program?.remove();
  });

  const ofProgram = async () => (await program.resources()).filter(({ type }) => !type.startsWith("pulumi:"));
  const changes = (steps: Step[]) => steps.filter(({ op, name }) => op !== "same" && name !== snapshot);
  const named = (steps: Step[], op: string) => steps.filter((step) => step.op === op).map(({ name }) => name);
  const configure = (key: string, value: string) => program.pulumi("config", "set", key, value);
  const outputs = () => program.pulumiJson<Record<string, string | undefined>>("stack", "output");

  const connect = async (user: string, subprotocols?: string[]) => {
    const headers = { authorization: `Bearer ${await cloud.issuer.sign(user)}` };
    const opened = new WebSocket(`${addresses.websocketUrl}?context=mentor&contextId=7`, subprotocols, { headers });
    await once(opened, "open");
    return opened;
  };

  const publish = async (user: string, Message: string) => {
    const attribute = (StringValue: string) => ({ DataType: "String", StringValue });
    const MessageAttributes = {
      ...{ user: attribute(user), context: attribute("mentor"), contextId: attribute("7") },
      messageId: attribute(Message),
    };
    await sns.send(new PublishCommand({ TopicArn: addresses.topicArn, Message, MessageAttributes }));
  };

  /** Resolves when the retry queue has no message any more, visible or not. */
  const untilQueueIsEmpty = async () => {
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    for (;;) {
      const command = new GetQueueAttributesCommand({
        QueueUrl: addresses.queueUrl,
        AttributeNames: [...AttributeNames],
      });
      const { Attributes } = await sqs.send(command);
      if (AttributeNames.every((name) => Attributes?.[name] === "0")) return;
      await pause();
    }
  };

  const publishToBoth = async (message: string) => {
    published.push(message);
    for (const user of Object.values(users)) await publish(user, message);
  };

  /** Publishes to both, one message after the other, for as long as the work takes. */
  const publishingDuring = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    let isDone = false;
    const publishing = (async () => {
      for (let n = 1; !isDone; n++) {
        await publishToBoth(`${name} ${n}`);
        // A few a second: they are to span the update, not to load the machine.
        await setTimeout(200);
      }
    })();
    try {
      return await work();
    } finally {
      isDone = true;
      await publishing;
    }
  };

  const bothHaveAll = async () => {
    const missing = () => [raw.received, ofLibrary].flatMap((has) => published.filter((each) => !has.includes(each)));
    await until(() => missing().length === 0);
  };

  /** The next frame that has the message. */
  const frameWith = async (socket: WebSocket, message: string): Promise<string> => {
    for (;;) {
      const [frame] = (await once(socket, "message")) as [Buffer];
      if (frame.toString().includes(message)) return frame.toString();
    }
  };

  /** `history resend`, for the table of that name. */
  const resend = async (table: string, ...args: string[]): Promise<Resent[]> => {
    const printed: string[] = [];
    const noted: string[] = [];
    const terminal = {
      print: (text: string) => void printed.push(text),
      note: (text: string) => void noted.push(text),
      confirm: () => Promise.resolve(false),
      interrupted: new AbortController().signal,
    };
    const local = {
      ...{ region, ...credentials, awsEndpoint: cloud.messaging.endpoint, dynamodbEndpoint: cloud.tables.endpoint },
    };
    const json = JSON.stringify({ ...(await outputs()), ...local });
    const readStdin = () => Promise.resolve(json);
    const none = () => Promise.reject(new Error("not read"));
    const sources = { readStdin, readFile: none, stackOutput: none };
    const command = ["--addresses", "-", "--json", "history", "resend", "--table", table, ...args];
    expect(await run(command, terminal, sources), noted.join("\n")).to.equal(0);
    return (JSON.parse(printed.join("\n")) as { messages: Resent[] }).messages;
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
      ...["relay-stage", "relay-dashboard", ...framesRoutes],
    ]);
    expect(announced.filter(({ op }) => op !== "create" && op !== "update")).to.deep.equal([]);
    expect(changes(await publishingDuring("to replay", () => program.up()))).to.deep.equal(announced);
  });

  it("keeps every resource that it had, and is up to date", async () => {
    const after = new Map((await program.resources()).map(({ urn, id }) => [urn, id]));
    const changed = existing.filter(({ urn, id }) => after.get(urn) !== id).map(({ urn }) => nameOf(urn));
    expect(changed).to.deep.equal([snapshot]);
    await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  it("delivers every message of the switch, over the connections that were open", async () => {
    await publishToBoth("in replay mode");
    await bothHaveAll();
    expect(raw.connections).to.equal(1);
    expect(raw.others).to.deep.equal([]);
  });

  it("numbers the messages of a client that reconnects with the protocol, without a repetition", async () => {
    library.close();
    const had = ofLibrary.length;
    library.connect();
    await until(() => library.state === "connected");
    await publishToBoth("with a number");
    await bothHaveAll();
    expect(library.cursor?.seq).to.be.greaterThan(0);
    expect(ofLibrary.slice(had)).to.deep.equal(["with a number"]);
  });

  it("stores a message for a client that is away, and sends it once the client is back", async () => {
    await publish("44", "while it was away");
    // Else it may be posted to the client as well, before the response to its resume.
    await untilQueueIsEmpty();
    client = await connect("44", ["websocket-relay.v1"]);
    client.send('{"action":"resume"}');
    const [hello, , message] = JSON.parse(await frameWith(client, "while it was away")) as object[];
    expect(hello).to.include({ type: "hello", newest: 1 });
    expect(message).to.include({ type: "message", seq: 1, body: "while it was away" });
    ({ epoch } = hello as Hello);
  });

  it("gets an HTTP API that reads its sessions, and loses it, while nothing else changes but the dashboard", async () => {
    const isOfHttpRead = (name: string) => /^relay-(http-read$|read($|-))/.test(name);
    for (const [httpRead, op] of [
      ["true", "create"],
      ["false", "delete"],
    ] as const) {
      await configure("httpRead", httpRead);
      const taken = changes(await program.up());
      const own = named(taken, op);
      expect(own).to.include.members(["relay-read", "relay-read-api", "relay-read-stage"]);
      expect(own.filter((name) => !isOfHttpRead(name))).to.deep.equal([]);
      expect(taken.filter((step) => step.op !== op)).to.deep.equal([{ op: "update", name: "relay-dashboard" }]);
      const { readUrl } = (await outputs()) as { readUrl?: string | null };
      if (op === "delete") {
        expect(readUrl).to.equal(null);
        continue;
      }
      const headers = { authorization: `Bearer ${await cloud.issuer.sign("44")}` };
      const answer = await fetch(`${readUrl}?context=mentor&contextId=7`, { headers });
      expect(await answer.json()).to.have.nested.property("[0].body", "while it was away");
    }
  });

  it("tells a client that its epoch is over once historyGeneration is raised, and goes on with its numbers", async () => {
    await configure("historyGeneration", "1");
    expect(named(changes(await program.up()), "update")).to.deep.equal(["relay-deliver"]);
    await publish("44", "after the restore");
    await frameWith(client, "after the restore");
    client.send(JSON.stringify({ action: "resume", cursor: { epoch, seq: 1 } }));
    const [hello, resumed, ...messages] = JSON.parse(await frameWith(client, "after the restore")) as object[];
    expect(hello).to.include({ type: "hello", newest: 2 }).and.not.to.include({ epoch });
    expect(resumed).to.include({ type: "resumed", recovered: false, lost: "epoch", through: 2 });
    expect(messages.at(-1)).to.include({ seq: 2, epoch: (hello as Hello).epoch, body: "after the restore" });
    ({ epoch } = hello as Hello);
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

  describe("once it is not", () => {
    let historyTableName: string;

    it("is in retry mode, and keeps its history's table at first, if the user excludes it", async () => {
      await configure("protectData", "false");
      await configure("delivery", "replay");
      await configure("receipts", "true");
      await program.pulumi("up", "--yes", "--skip-preview");
      ({ historyTableName = "" } = await outputs());
      client.send(JSON.stringify({ action: "ack", cursor: { epoch, seq: 2 } }));
      await publish("45", "never fetched");
      const isOpen = async () => (await resend(historyTableName, "--dry-run")).some(({ user }) => user === "45");
      while (!(await isOpen())) await pause();

      await configure("delivery", "retry");
      await configure("receipts", "false");
      const switched = changes(await publishingDuring("to retry", () => program.up("--exclude", keptTable)));

      expect(named(switched, "delete").filter((name) => !ofReplay.test(name))).to.deep.equal([]);
      expect(named(switched, "delete")).to.include("relay-resume").and.not.to.include("relay-history-table");
      expect(named(switched, "update")).to.include.members(framesRoutes);
      expect(switched.filter(({ op }) => op !== "delete" && op !== "update")).to.deep.equal([]);
    });

    it("drops the frames of a client that is still connected, and leads them to no function", async () => {
      const frames: string[] = [];
      client.on("message", (frame: Buffer) => void frames.push(frame.toString()));
      const cursor = { epoch, seq: 2 };
      for (const action of [{ action: "resume", cursor }, { action: "ack", cursor }, { action: "ping" }]) {
        client.send(JSON.stringify(action));
      }
      await until(() => frames.includes('{"type":"pong"}'));
      // The answer of a function that no longer exists would take longer than a pong.
      client.send('{"action":"no route"}');
      await until(() => frames.some((frame) => frame.includes("Forbidden")));
      expect(frames.filter((frame) => !frame.includes("Forbidden"))).to.deep.equal(['{"type":"pong"}']);
    });

    it("closes that connection at the next message, refuses a client that speaks the protocol alone, and delivers to another", async () => {
      const closed = once(client, "close");
      await publish("44", "and back");
      await closed;
      const refused = await connect("44", ["websocket-relay.v1"]).catch((error: Error) => error.message);
      expect(refused).to.include("400");
      client = await connect("44", ["websocket-relay.v1", "websocket-relay.raw"]);
      expect(await frameWith(client, "and back")).to.equal("and back");
    });

    it("delivers every message of the switch to the clients that were connected", async () => {
      await publishToBoth("in retry mode");
      await bothHaveAll();
      expect(library.state).to.equal("connected");
      expect(raw.connections).to.equal(1);
      expect(raw.others).to.deep.equal([]);
    });

    it("delivers what the history still held, once it is sent to the queue again", async () => {
      const resent = await resend(historyTableName);
      expect(resent.find(({ user }) => user === "45")).to.include({ messageId: "never fetched", outcome: "resent" });
      expect(await resend(historyTableName, "--dry-run")).to.deep.equal([]);
      client.terminate();
      client = await connect("45");
      expect(await frameWith(client, "never fetched")).to.equal("never fetched");
    });

    it("loses the table at the next update, and then has what it had, and nothing else", async () => {
      const taken = changes(await program.up());
      expect(named(taken, "delete")).to.include("relay-history-table");
      expect(taken.filter(({ op, name }) => op !== "delete" || !ofReplay.test(name))).to.deep.equal([]);
      const keysOf = (resources: Resource[]) => resources.map(({ urn, id }) => `${urn} ${id}`);
      const isNoSnapshot = (key: string) => !key.includes(`::${snapshot} `);
      expect(keysOf(await ofProgram()).filter(isNoSnapshot)).to.have.members(keysOf(existing).filter(isNoSnapshot));
      await program.pulumi("up", "--yes", "--skip-preview", "--expect-no-changes");
    });

    it("with rawClients: false, closes a raw connection at its first message, which a client with the protocol gets", async () => {
      raw.close();
      client?.terminate();
      client = await connect("46");
      await configure("delivery", "replay");
      await configure("rawClients", "false");
      await program.up();
      const closed = once(client, "close");
      await publish("46", "for another client");
      await closed;
      const refused = await connect("46").catch((error: Error) => error.message);
      expect(refused).to.include("400");
      client = await connect("46", ["websocket-relay.v1"]);
      client.send('{"action":"resume"}');
      expect(await frameWith(client, "for another client")).to.include('"seq":1');
    });
  });
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause();
}

/** A client without the protocol: takes each frame for a message, and connects again when its connection ends. */
class RawClient {
  readonly received: string[] = [];
  /** Frames of the gateway, which are no messages. */
  readonly others: string[] = [];
  connections = 0;
  private socket: WebSocket | undefined;
  private isClosed = false;

  constructor(private readonly connect: () => Promise<WebSocket>) {}

  async open(): Promise<void> {
    const socket = await this.connect();
    this.connections++;
    this.socket = socket;
    socket.on("message", (frame: Buffer) => {
      const text = frame.toString();
      (text.startsWith("{") ? this.others : this.received).push(text);
    });
    socket.once("close", () => {
      if (!this.isClosed) void this.open();
    });
  }

  close(): void {
    this.isClosed = true;
    this.socket?.terminate();
  }
}
