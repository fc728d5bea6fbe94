import { type AttributeValue, GetItemCommand } from "@aws-sdk/client-dynamodb";
import { PublishCommand } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { expect } from "chai";
import type { ClientOptions } from "ws";
import type { Properties } from "../../local/provision/resource";
import { Issuer } from "../../local/oidc/issuer";
import type { RelayAddresses } from "../../components";
import { Client } from "../endToEnd/client";
import { pause } from "../endToEnd/pause";
import { keyOf, type Recipient } from "../endToEnd/recipient";
import { SessionTable } from "../endToEnd/sessionTable";
import { nameOf, ProgramCopy, type Resource } from "../engine/programCopy";
import type { EmulatedAws } from "./emulatedAws";

const audience = "websocket-relay-emulator";

/** This repository's program as a stack on ministack, and what clients and backends do with it. */
export class EmulatedRelay {
  readonly table: SessionTable;
  private readonly clients: Client[] = [];
  private isRemoved = false;

  private constructor(
    readonly aws: EmulatedAws,
    readonly program: ProgramCopy,
    readonly issuer: Issuer,
    readonly addresses: RelayAddresses,
  ) {
    this.table = new SessionTable(aws.dynamodb, addresses.tableName, () => new AbortController().signal);
  }

  /** @param config The stack's values by their keys, besides its `auth`. */
  static async deploy(aws: EmulatedAws, config: Record<string, string>): Promise<EmulatedRelay> {
    const issuer = await Issuer.start({ audience, userClaim: "sub", log: () => {} });
    const program = await ProgramCopy.create(aws.provider.port);
    try {
      await program.pulumi("stack", "init", "dev");
      // ministack leads a function's https requests to this machine to a port without TLS, so the keys are not fetched.
      const { keys } = (await (await fetch(issuer.jwksUrl)).json()) as { keys: Record<string, string>[] };
      const values = {
        "auth.oidc.issuer": issuer.issuer,
        "auth.oidc.audience": audience,
        ...Object.fromEntries(
          Object.entries(keys[0] ?? {}).map(([key, value]) => [`auth.oidc.jwks.keys[0].${key}`, value]),
        ),
        ...config,
      };
      const flags = Object.entries(values).flatMap(([path, value]) => ["--plaintext", `${path}=${value}`]);
      await program.pulumi("config", "set-all", "--path", ...flags);
      await program.up();
      const addresses = await program.pulumiJson<RelayAddresses>("stack", "output");
      return new EmulatedRelay(aws, program, issuer, addresses);
    } catch (error) {
      await Promise.all([program.remove(), issuer.close()]);
      throw error;
    }
  }

  async remove(): Promise<void> {
    this.isRemoved = true;
    this.clients.forEach(({ socket }) => socket.terminate());
    await Promise.all([this.program.remove(), this.issuer.close()]);
  }

  token(user: string): Promise<string> {
    return this.issuer.sign(user);
  }

  url({ context, contextId }: Omit<Recipient, "user">): string {
    return `${this.addresses.websocketUrl}?${new URLSearchParams({ context, contextId }).toString()}`;
  }

  async connect(to: Recipient): Promise<Client> {
    return this.connectByUrl(this.url(to), { headers: { authorization: `Bearer ${await this.token(to.user)}` } });
  }

  async connectByUrl(url: string, options: ClientOptions, subprotocols?: string[]): Promise<Client> {
    const client = new Client(url, options, subprotocols);
    this.clients.push(client);
    await client.opened;
    return client;
  }

  async publish({ user, context, contextId }: Partial<Recipient>, Message: string): Promise<void> {
    const attributes = Object.entries({ user, context, contextId }).filter(([, value]) => value !== undefined);
    const MessageAttributes = Object.fromEntries(
      attributes.map(([key, StringValue]) => [key, { DataType: "String", StringValue }]),
    );
    await this.aws.sns.send(new PublishCommand({ TopicArn: this.addresses.topicArn, Message, MessageAttributes }));
  }

  /** The item of a session; undefined if there is none. */
  async session(to: Recipient): Promise<Record<string, AttributeValue> | undefined> {
    const key = { TableName: this.addresses.tableName, Key: keyOf(to), ConsistentRead: true };
    return (await this.aws.dynamodb.send(new GetItemCommand(key))).Item;
  }

  async connectionId(to: Recipient): Promise<string | undefined> {
    return (await this.session(to))?.connection_id?.S;
  }

  untilDisconnected(to: Recipient): Promise<void> {
    return this.until(async () => (await this.connectionId(to)) === undefined);
  }

  /** Resolves when the retry queue holds so many messages, each waiting for its next attempt. */
  untilWaiting(count: number): Promise<void> {
    const visible = "ApproximateNumberOfMessages";
    const waiting = "ApproximateNumberOfMessagesNotVisible";
    return this.until(async () => {
      const { Attributes } = await this.aws.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: this.addresses.queueUrl, AttributeNames: [visible, waiting] }),
      );
      return Attributes?.[visible] === "0" && Attributes[waiting] === String(count);
    });
  }

  /** The dead letter with that body. */
  async deadLetter(body: string): Promise<Message | undefined> {
    const receive = new ReceiveMessageCommand({
      QueueUrl: this.addresses.deadLetterQueueUrl,
      MessageAttributeNames: ["All"],
    });
    let found: Message | undefined;
    await this.until(async () => {
      const { Messages = [] } = await this.aws.sqs.send(receive);
      found = Messages.find(({ Body }) => Body === body);
      return found !== undefined;
    });
    return found;
  }

  /**
   * Resolves when a function has logged that, from here on. Only the functions that queues and rules invoke: ministack does
   * not keep what those of routes log.
   */
  untilLogged(pattern: RegExp): Promise<void> {
    const from = this.aws.ministack.log.length;
    return this.until(() => pattern.test(this.aws.ministack.log.slice(from)));
  }

  /** What the function of that name in the program answers. */
  async invoke(name: string, event: object): Promise<Properties> {
    const { id } = await this.resource("aws:lambda/function:Function", name);
    return this.aws.requests.rest("lambda", "POST", `/2015-03-31/functions/${id}/invocations`, event);
  }

  /** Takes an action out of a role's policy; resolves with a function that puts it back. */
  async takeRight(policyName: string, action: string): Promise<() => Promise<void>> {
    const { id = "" } = await this.resource("aws:iam/rolePolicy:RolePolicy", policyName);
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const policy = { RoleName, PolicyName };
    const put = async (PolicyDocument: string) => {
      await this.iam("PutRolePolicy", { ...policy, PolicyDocument });
    };
    const [, encoded = ""] =
      /<PolicyDocument>(.*?)<\/PolicyDocument>/s.exec(await this.iam("GetRolePolicy", policy)) ?? [];
    const document = decodeURIComponent(encoded);
    const { Statement, ...rest } = JSON.parse(document) as { Statement: { Action: string[] }[] };
    const without = Statement.map((each) => ({ ...each, Action: each.Action.filter((one) => one !== action) }));
    const others = { ...rest, Statement: without.filter(({ Action }) => Action.length > 0) };
    expect(document).to.include(`"${action}"`);
    await put(JSON.stringify(others));
    return () => put(document);
  }

  /** Resolves when that holds. Also ends when the relay is removed, so that a test which has failed holds nothing up. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.isRemoved) throw new Error("the relay was removed");
      await pause();
    }
  }

  private async resource(type: string, name: string): Promise<Resource> {
    const found = (await this.program.resources()).find((each) => each.type === type && nameOf(each.urn) === name);
    if (!found) throw new Error(`the stack has no ${type} ${name}`);
    return found;
  }

  private iam(action: string, parameters: Record<string, string>): Promise<string> {
    return this.aws.requests.query("iam", "2010-05-08", action, parameters);
  }
}
