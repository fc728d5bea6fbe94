import { type ChildProcess } from "node:child_process";
import { EventEmitter, once, setMaxListeners } from "node:events";
import { createInterface } from "node:readline";
import { type AttributeValue, DynamoDBClient, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { type ClientOptions, WebSocket } from "ws";
import type { Addresses } from "../../local/run/addresses";
import { Client } from "./client";
import { keyOf, type Recipient } from "./recipient";
import { pause } from "./pause";
import { Queues } from "./queues";
import { SessionTable } from "./sessionTable";
import { startProcess } from "./startProcess";
import { repository } from "../support/repository";

export { type Client } from "./client";
export { recipient, type Recipient } from "./recipient";
export { startProcess } from "./startProcess";

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** One line that a function logged, as its JSON `message`. */
export type LogLine = Record<string, unknown> & { event?: string };

/** `npm start -- --json`, as a process of its own, played by an independent client and backend. */
export class Relay {
  readonly logs: LogLine[] = [];
  /** Everything that the local run has written, as it is. */
  readonly lines: string[] = [];
  private readonly logged = new EventEmitter();
  readonly table: SessionTable;
  readonly queues: Queues;
  private readonly dynamodb: DynamoDBClient;
  private readonly sns: SNSClient;
  private readonly sqs: SQSClient;
  private readonly sockets: WebSocket[] = [];
  private waiting = new AbortController();

  private constructor(
    readonly addresses: Addresses,
    readonly process: ChildProcess,
  ) {
    const { region, accessKeyId, secretAccessKey, awsEndpoint, dynamodbEndpoint } = addresses;
    const client = () => ({ region, credentials: { accessKeyId, secretAccessKey } });
    this.dynamodb = new DynamoDBClient({ ...client(), endpoint: dynamodbEndpoint });
    this.table = new SessionTable(this.dynamodb, addresses.tableName, () => this.signal);
    this.sns = new SNSClient({ ...client(), endpoint: awsEndpoint });
    this.sqs = new SQSClient({ ...client(), endpoint: awsEndpoint });
    this.queues = new Queues(this.sqs, addresses);
  }

  static async start(flags: string[] = [], folder = repository): Promise<Relay> {
    const child = startProcess(["--json", ...flags], folder);
    const stderr: string[] = [];
    const lines = createInterface({ input: child.stderr });
    lines.on("line", (line) => stderr.push(line));
    const [first] = (await Promise.race([
      once(createInterface({ input: child.stdout }), "line"),
      once(child, "exit").then(() => Promise.reject(new Error(`the local run ended:\n${stderr.join("\n")}`))),
    ])) as [string];
    const relay = new Relay(JSON.parse(first) as Addresses, child);
    stderr.forEach((line) => relay.takeLog(line));
    lines.on("line", (line) => relay.takeLog(line));
    return relay;
  }

  /** Ends what is under way or waited for here, with an error, and every client: nothing of it meets what comes next. */
  abandon(): void {
    this.waiting.abort();
    this.waiting = new AbortController();
    this.sockets.splice(0).forEach((socket) => socket.terminate());
  }

  async stop(): Promise<void> {
    this.sockets.forEach((socket) => socket.terminate());
    if (this.process.exitCode === null) {
      this.process.kill("SIGTERM");
      await once(this.process, "exit");
    }
    [this.dynamodb, this.sns, this.sqs].forEach((client) => client.destroy());
  }

  async token(user: string, query = ""): Promise<string> {
    const response = await fetch(`${this.addresses.tokenUrl}?user=${encodeURIComponent(user)}${query}`);
    return response.text();
  }

  url({ context, contextId }: Omit<Recipient, "user">): string {
    const query = new URLSearchParams({ context, contextId }).toString();
    return `${this.addresses.websocketUrl}?${query}`;
  }

  /** A client whose handshake is under way; `opened` resolves or rejects with it. */
  async open(recipient: Recipient): Promise<Client> {
    return this.client(this.url(recipient), {
      headers: { authorization: `Bearer ${await this.token(recipient.user)}` },
    });
  }

  async connect(recipient: Recipient): Promise<Client> {
    const client = await this.open(recipient);
    await client.opened;
    return client;
  }

  /** A client that is open, by whatever the URL and the options say of it. */
  async connectByUrl(url: string, options: ClientOptions = {}, subprotocols?: string[]): Promise<Client> {
    const client = this.client(url, options, subprotocols);
    await client.opened;
    return client;
  }

  private client(url: string, options: ClientOptions, subprotocols?: string[]): Client {
    const client = new Client(url, options, subprotocols);
    this.sockets.push(client.socket);
    return client;
  }

  /** The status with which a handshake is answered: 101, or the refusal's. */
  async handshake(
    url: string,
    options: ClientOptions,
    subprotocols?: string[],
  ): Promise<{ status: number; body: string }> {
    const socket = new WebSocket(url, subprotocols, options);
    this.sockets.push(socket);
    socket.on("error", () => undefined);
    return new Promise((answered) => {
      socket.on("open", () => answered({ status: 101, body: "" }));
      socket.on("unexpected-response", (_request, response) => {
        let body = "";
        response.on("data", (chunk: Buffer) => (body += chunk.toString()));
        response.on("end", () => answered({ status: response.statusCode ?? 0, body }));
      });
    });
  }

  /** The status with which the page of the local run is answered when it connects. */
  async pageHandshake(to: Recipient): Promise<number> {
    const bearer = `websocket-relay.bearer.${await this.token(to.user)}`;
    const { origin } = new URL(this.addresses.pageUrl);
    return (
      await this.handshake(this.url(to), { headers: { origin } }, ["websocket-relay.v1", "websocket-relay.raw", bearer])
    ).status;
  }

  async publish(
    given: Partial<Recipient & { scope: string; messageId: string; expiresAt: string }>,
    message: string,
  ): Promise<void> {
    const attributes = Object.entries(given).map(
      ([key, value]) => [key, { DataType: "String", StringValue: value }] as const,
    );
    await this.sns.send(
      new PublishCommand({
        TopicArn: this.addresses.topicArn,
        Message: message,
        MessageAttributes: Object.fromEntries(attributes),
      }),
    );
  }

  /** The next message that is dead-lettered with this body. */
  async deadLetter(body: string, queueUrl = this.addresses.deadLetterQueueUrl): Promise<Message> {
    return this.deadLetterOf(({ Body }) => Body === body, queueUrl);
  }

  /** The next message of a dead-letter queue that satisfies `matches`; others are removed. */
  async deadLetterOf(matches: (message: Message) => boolean, queueUrl: string): Promise<Message> {
    for (;;) {
      const { Messages = [] } = await this.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          WaitTimeSeconds: 20,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ["All"],
        }),
        { abortSignal: this.signal },
      );
      for (const message of Messages) {
        await this.sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }));
      }
      const found = Messages.find(matches);
      if (found) return found;
    }
  }

  /** Resolves when the retry queue has no message any more, visible or not. */
  async untilQueueIsEmpty(): Promise<void> {
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const command = () =>
      new GetQueueAttributesCommand({ QueueUrl: this.addresses.queueUrl, AttributeNames: [...AttributeNames] });
    for (;;) {
      const { Attributes } = await this.sqs.send(command(), { abortSignal: this.signal });
      if (AttributeNames.every((name) => Attributes?.[name] === "0")) return;
      await pause();
    }
  }

  async session(recipient: Recipient): Promise<Record<string, AttributeValue> | undefined> {
    const { Item } = await this.dynamodb.send(
      new GetItemCommand({ TableName: this.addresses.tableName, Key: keyOf(recipient), ConsistentRead: true }),
      { abortSignal: this.signal },
    );
    return Item;
  }

  /** Resolves when the session is there: it reads again and again, since a table has no notifications. */
  async untilSession(recipient: Recipient): Promise<Record<string, AttributeValue>> {
    for (;;) {
      const session = await this.session(recipient);
      if (session) return session;
      await pause();
    }
  }

  /** Resolves when there is no session any more; its row may have superseded connections still. */
  async untilNoSession(recipient: Recipient): Promise<void> {
    while ((await this.session(recipient))?.connection_id) await pause();
  }

  async control(path: string, body?: object, method: "POST" | "PUT" = "POST"): Promise<void> {
    const response = await fetch(`${this.addresses.controlUrl}${path}`, {
      method,
      ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }

  /** What a GET to the control server answers. */
  async controlled<T>(path: string): Promise<T> {
    const response = await fetch(`${this.addresses.controlUrl}${path}`, { signal: this.signal });
    return response.json() as Promise<T>;
  }

  async fault(fault: object): Promise<void> {
    await this.control("/faults", fault);
  }

  /** Invokes the relay's sweepers at once, which EventBridge does every minute, and resolves when they have ended. */
  async sweep(): Promise<void> {
    for (const name of await this.controlled<string[]>("/rules")) await this.control(`/rules/${name}/run`);
  }

  /** What the functions have counted so far, by name, and by reason where one is given. */
  async metrics(): Promise<(name: string, reason?: string) => number> {
    const response = await fetch(`${this.addresses.controlUrl}/metrics`);
    const all = (await response.json()) as { name: string; dimensions: Record<string, string>; sum: number }[];
    return (name, reason) => all.find((each) => each.name === name && each.dimensions.Reason === reason)?.sum ?? 0;
  }

  /** A call to the management API, by plain HTTP. */
  async management(method: "GET" | "POST" | "DELETE", connectionId: string, body?: string): Promise<Response> {
    const url = `${this.addresses.managementEndpoint}/@connections/${encodeURIComponent(connectionId)}`;
    return fetch(url, { method, body, signal: this.signal });
  }

  /** The first line, past or to come, that has all these fields. */
  async log(fields: LogLine): Promise<LogLine> {
    const matches = (line: LogLine) => Object.entries(fields).every(([key, value]) => line[key] === value);
    for (;;) {
      const found = this.logs.find(matches);
      if (found) return found;
      await once(this.logged, "line", { signal: this.signal });
    }
  }

  /** The first line, past the first `from` or to come, that satisfies `matches`. */
  async line(matches: (line: string) => boolean, from: number): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find(matches);
      if (found !== undefined) return found;
      await once(this.logged, "line", { signal: this.signal });
    }
  }

  /** Ends what is waited for when it is abandoned. */
  get signal(): AbortSignal {
    setMaxListeners(0, this.waiting.signal);
    return this.waiting.signal;
  }

  private takeLog(line: string): void {
    this.lines.push(line);
    this.logged.emit("line");
    const json = /^\S+: (\{.*\})$/.exec(line)?.[1];
    if (json === undefined) return;
    const { message } = JSON.parse(json) as { message?: LogLine };
    if (typeof message === "object") {
      this.logs.push(message);
      this.logged.emit("line");
    }
  }
}
