import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ManagementApiConnections } from "../handlers/connections/connectionsClient";
import type { DisconnectedUser } from "../handlers/operations/disconnectedUser";
import { disconnectUser } from "../handlers/operations/disconnectUser";
import { DynamoDbSessionStore } from "../handlers/sessions/sessionStore";
import { DynamoDbConnectionLookups } from "../handlers/connections/connectionLookups";
import { DynamoDbUserConnections } from "../handlers/connections/userConnections";
import { DynamoDbHistory } from "../handlers/history/dynamoDbHistory";
import { NEWEST } from "../handlers/history/readRange";
import { lastSeqOf } from "../handlers/history/segment";
import type { Cursor } from "../protocol";
import { type Publication, publishInput } from "./publication";
import { batchInputs, publishInBatches, type PublishResult } from "./publishBatch";
import { refuseUnknownKeys, RelayInputError } from "./relayInputError";
import { type SessionAddress, sessionKeyOf } from "./sessionAddress";
import { RelayStream } from "./stream";
import { resolveStreamOptions, type StreamOptions } from "./streamOptions";
import { processTimers } from "./timers";

export interface RelayBackendOptions {
  /** The relay's output `topicArn`. */
  topicArn: string;
  /** The relay's output `tableName`; `disconnectUser` needs it. @default `disconnectUser` throws */
  tableName?: string;
  /** The relay's output `managementEndpoint`; `disconnectUser` needs it. @default `disconnectUser` throws */
  managementEndpoint?: string;
  /** The relay's output `historyTableName`, in replay mode; `position` needs it. @default `position` throws */
  historyTableName?: string;
  /** The AWS Region. @default the topic's Region */
  region?: string;
  /**
   * Your own clients of the SDK. @default created on first use, with the SDK's default credentials and endpoints (`AWS_PROFILE`,
   * `AWS_ENDPOINT_URL_SNS`, …)
   */
  clients?: {
    /** For `publish`, `publishBatch` and `stream`. @default created on first use */
    sns?: SNSClient;
    /** For `disconnectUser` and `position`. @default created on first use */
    dynamodb?: DynamoDBClient;
    /** For `disconnectUser`. @default created on first use, with `managementEndpoint` as its endpoint */
    managementApi?: ApiGatewayManagementApiClient;
  };
}

export interface DisconnectUserOptions {
  /**
   * Seconds for which the user's handshakes are refused, at most a year: otherwise a client with a valid token reconnects at
   * once. 0 sets no block. @default 3600
   */
  blockSeconds?: number;
  /** Stops the call early; another call closes the remaining connections. @default the call runs to its end */
  signal?: AbortSignal;
}

/** Publishes messages and streams to the relay's users, reads positions in their sessions, and disconnects users. */
export class RelayBackend {
  private readonly region: string;
  private readonly clients: NonNullable<RelayBackendOptions["clients"]>;

  /** @throws RelayInputError if `topicArn` is not the ARN of a topic, an option has another type, or a key is unknown. */
  constructor(private readonly options: RelayBackendOptions) {
    const texts = ["tableName", "managementEndpoint", "historyTableName", "region"] as const;
    refuseUnknownKeys("options", options, ["topicArn", ...texts, "clients"]);
    for (const key of texts) refuseUnlessString(key, options[key]);
    if (options.clients !== undefined) {
      refuseUnknownKeys("clients", options.clients, ["sns", "dynamodb", "managementApi"]);
    }
    this.region = regionOf(options.topicArn, options.region);
    this.clients = { ...options.clients };
  }

  /**
   * Publishes a message to a user's session, or with a `scope` to several. Once this resolves, SNS has accepted the message, and
   * SQS will not refuse its content. What follows from that:
   * - In retry mode, the gateway accepts the message for a connection at least once, or the message is dead-lettered with a reason.
   * - In replay mode, it is kept for the session's clients for `historyRetentionSeconds` and reported as expired if none
   *   acknowledges it, or it is dead-lettered with a reason.
   * - If SNS cannot write to the retry queue, it writes the message to the subscription's dead-letter queue.
   *
   * The message is lost if SNS may write to neither queue, as when the policy of the relay's `kmsKeyArn` does not let SNS use the
   * key (the alarm `lost-notifications` is raised), or if `deliver` is not invoked for `messageRetentionSeconds` (the alarm
   * `deliver-behind` is raised).
   *
   * @throws RelayInputError, before anything is sent, if the relay could never deliver the message. After an error of the SDK,
   * the message may or may not have been published.
   */
  async publish(publication: Publication): Promise<{ messageId: string }> {
    const { messageId, input } = publishInput(publication, this.options.topicArn, new Date());
    await this.sns.send(new PublishCommand(input));
    return { messageId };
  }

  /**
   * Publishes any number of messages in as few requests as SNS allows: up to ten messages and 256 KiB each, several at one
   * time. SNS bills a batch request by its 64 KB chunks, not by message (https://aws.amazon.com/sns/pricing/). The messages of
   * a session, and those of a scope, are published in the order of the list. After one that fails, its later ones are not
   * published. A message that SNS itself could not publish is tried up to three times.
   *
   * @returns a result for each publication, in their order. Check each `error`: one message may fail while others are published.
   * @throws RelayInputError, before anything is sent, if the relay could never deliver one of the messages; `index` is its
   * position in the list.
   */
  async publishBatch(publications: readonly Publication[]): Promise<PublishResult[]> {
    const { topicArn } = this.options;
    return publishInBatches(this.sns, topicArn, batchInputs(publications, topicArn, new Date()));
  }

  /**
   * Opens a stream: a text that is published to a session while it is written, in few messages. A client of
   * `pulumi-websocket-relay-client` gets it in order through `onStream`. Any other client gets the messages of the form
   * `StreamChunk` as they were published. See {@link RelayStream}. Always end it with `close` or `abort`.
   *
   * @example
   * const stream = relay.stream({ user: "42", context: "chat", contextId: "7" });
   * try {
   *   for await (const text of source) await stream.append(text);
   *   await stream.close();
   * } catch (error) {
   *   await stream.abort("failed");
   *   throw error;
   * }
   * @throws RelayInputError, before anything is sent, if an option is invalid.
   */
  stream(options: StreamOptions): RelayStream {
    const { topicArn } = this.options;
    const resolved = resolveStreamOptions(options, topicArn, new Date());
    return new RelayStream(resolved, {
      publish: (publications) => {
        const inputs = publications.map((publication) => publishInput(publication, topicArn, new Date()));
        // A client orders a stream's chunks by their offsets.
        return publishInBatches(this.sns, topicArn, inputs, { mayOvertake: true });
      },
      timers: processTimers,
    });
  }

  /**
   * The number of a session's newest message, in replay mode: for a client that loads a snapshot of its state from the backend
   * and then applies messages. Read the position **before** the snapshot, and send both to the client, which resumes from the
   * position (`from`). A message that is published between the two reads is then in the snapshot and comes again, so give state and
   * messages a version of your own, and let the client drop what is older. In the other order, such a message would be missed.
   *
   * One consistent query. The caller's role needs `relay.grantReadPosition(role)`.
   *
   * @returns undefined if the session never had a message: the client then begins with `from: { epoch: "", seq: 0 }`.
   * @throws RelayInputError if the option `historyTableName` is missing or the address is invalid.
   */
  async position(session: SessionAddress): Promise<Cursor | undefined> {
    refuseUnknownKeys("session", session, ["user", "context", "contextId"]);
    const key = sessionKeyOf(session);
    const tableName = this.required("historyTableName", "position");
    // Only new items need a retention.
    const history = new DynamoDbHistory(this.dynamodb, { tableName, retentionMs: 0 });
    const [newest] = await history.readBack(key, NEWEST, 1);
    return newest && { epoch: newest.epoch, seq: lastSeqOf(newest) };
  }

  /**
   * Closes all connections of a user, including superseded ones, deletes the user's sessions, and refuses the user's
   * handshakes for `blockSeconds`. Takes up to 30 s if a handshake of the user is in progress. The caller's role needs
   * `relay.grantDisconnectUser(role)`.
   *
   * @throws RelayInputError if the option `tableName` or `managementEndpoint` is missing. Other errors: `code` or
   * `blockSeconds` is invalid, or a request failed; another call closes the remaining connections.
   */
  async disconnectUser(code: string, options: DisconnectUserOptions = {}): Promise<DisconnectedUser> {
    refuseUnknownKeys("options", options, ["blockSeconds", "signal"]);
    const { blockSeconds = 3_600, signal } = options;
    const tableName = this.required("tableName", "disconnectUser");
    const endpoint = this.required("managementEndpoint", "disconnectUser");
    const { region } = this;
    const { dynamodb } = this;
    const managementApi = (this.clients.managementApi ??= new ApiGatewayManagementApiClient({ region, endpoint }));
    const dependencies = {
      sessions: new DynamoDbSessionStore(dynamodb, { tableName }),
      lookups: new DynamoDbConnectionLookups(dynamodb, { tableName }),
      userConnections: new DynamoDbUserConnections(dynamodb, { tableName }),
      connections: new ManagementApiConnections(managementApi),
    };
    return disconnectUser(dependencies, code, { blockSeconds }, signal);
  }

  private get sns(): SNSClient {
    return (this.clients.sns ??= new SNSClient({ region: this.region }));
  }

  private get dynamodb(): DynamoDBClient {
    return (this.clients.dynamodb ??= new DynamoDBClient({ region: this.region }));
  }

  private required(option: "tableName" | "managementEndpoint" | "historyTableName", method: string): string {
    const value = this.options[option];
    if (value) return value;
    const fix = `pass the relay's ${option} to new RelayBackend`;
    throw new RelayInputError(option, `${option} is missing`, `a string; ${method} needs it`, fix);
  }
}

function refuseUnlessString(key: string, value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  throw new RelayInputError(
    key,
    `${key} is ${JSON.stringify(value)}`,
    "a string",
    `pass the relay's ${key} as a string`,
  );
}

function regionOf(topicArn: unknown, region?: string): string {
  const [, topicRegion] =
    typeof topicArn === "string" ? (/^arn:[^:]+:sns:([^:]+):\d{12}:[^:]+$/.exec(topicArn) ?? []) : [];
  if (topicRegion !== undefined) return region ?? topicRegion;
  throw new RelayInputError(
    "topicArn",
    `topicArn is ${JSON.stringify(topicArn)}`,
    "the ARN of an SNS topic, arn:aws:sns:{region}:{account}:{name}",
    "pass the relay's topicArn",
  );
}
