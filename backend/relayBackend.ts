import { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { ManagementApiConnections } from "../handlers/connections/connectionsClient";
import type { DisconnectedUser } from "../handlers/operations/disconnectedUser";
import { disconnectUser } from "../handlers/operations/disconnectUser";
import { DynamoDbSessionStore } from "../handlers/sessions/sessionStore";
import { DynamoDbUserConnections } from "../handlers/connections/userConnections";
import { type Publication, publishInput } from "./publication";
import { refuseUnknownKeys, RelayInputError } from "./relayInputError";

export interface RelayBackendOptions {
  /** The relay's `topicArn`. */
  topicArn: string;
  /** The relay's `tableName`, for `disconnectUser`. @default `disconnectUser` is refused */
  tableName?: string;
  /** The relay's `managementEndpoint`, for `disconnectUser`. @default `disconnectUser` is refused */
  managementEndpoint?: string;
  /** @default the topic's */
  region?: string;
  /**
   * Clients of your own. @default made on first use; credentials and endpoints come from the environment, as with every client
   * of the SDK (`AWS_PROFILE`, `AWS_ENDPOINT_URL_SNS`, …)
   */
  clients?: {
    /** @default one for `publish` */
    sns?: SNSClient;
    /** @default one for `disconnectUser` */
    dynamodb?: DynamoDBClient;
    /** @default one for `disconnectUser`, of `managementEndpoint` */
    managementApi?: ApiGatewayManagementApiClient;
  };
}

export interface DisconnectUserOptions {
  /**
   * Seconds for which the user's handshakes are refused, up to a year: a token that still holds would be back at once. 0 blocks
   * nobody. @default 3600
   */
  blockSeconds?: number;
  /** Gives up; calling again does the rest. @default it runs to its end */
  signal?: AbortSignal;
}

/** A relay as a backend uses it: to publish to users, and to cut a user off. */
export class RelayBackend {
  private readonly region: string;
  private readonly clients: NonNullable<RelayBackendOptions["clients"]>;

  /** @throws RelayInputError where `topicArn` is none, another option is of another type, or a key is none of the options. */
  constructor(private readonly options: RelayBackendOptions) {
    refuseUnknownKeys("options", options, ["topicArn", "tableName", "managementEndpoint", "region", "clients"]);
    for (const key of ["tableName", "managementEndpoint", "region"] as const) refuseUnlessText(key, options[key]);
    if (options.clients !== undefined) {
      refuseUnknownKeys("clients", options.clients, ["sns", "dynamodb", "managementApi"]);
    }
    this.region = regionOf(options.topicArn, options.region);
    this.clients = { ...options.clients };
  }

  /**
   * Publishes a message to a user. Once this resolves, the relay delivers it at least once or dead-letters it.
   *
   * @throws RelayInputError, before anything is sent, where the relay could never deliver it. What the SDK throws otherwise
   * leaves open whether the message was published.
   */
  async publish(publication: Publication): Promise<{ messageId: string }> {
    const { messageId, input } = publishInput(publication, this.options.topicArn, new Date());
    this.clients.sns ??= new SNSClient({ region: this.region });
    await this.clients.sns.send(new PublishCommand(input));
    return { messageId };
  }

  /**
   * Closes all of a user's connections, superseded ones too, clears the sessions, and refuses the user's handshakes for a
   * while. Takes up to half a minute where one is just under way. The caller's role needs `relay.grantDisconnectUser(role)`.
   *
   * @throws RelayInputError where the relay's `tableName` or `managementEndpoint` was not given; else where `code` or
   * `blockSeconds` is unusable, or something failed: calling again does the rest.
   */
  async disconnectUser(code: string, options: DisconnectUserOptions = {}): Promise<DisconnectedUser> {
    refuseUnknownKeys("options", options, ["blockSeconds", "signal"]);
    const { blockSeconds = 3_600, signal } = options;
    const tableName = this.required("tableName");
    const endpoint = this.required("managementEndpoint");
    const { region } = this;
    const dynamodb = (this.clients.dynamodb ??= new DynamoDBClient({ region }));
    const managementApi = (this.clients.managementApi ??= new ApiGatewayManagementApiClient({ region, endpoint }));
    const dependencies = {
      sessions: new DynamoDbSessionStore(dynamodb, { tableName }),
      userConnections: new DynamoDbUserConnections(dynamodb, { tableName }),
      connections: new ManagementApiConnections(managementApi),
    };
    return disconnectUser(dependencies, code, { blockSeconds }, signal);
  }

  private required(option: "tableName" | "managementEndpoint"): string {
    const value = this.options[option];
    if (value) return value;
    const fix = `pass the relay's ${option} to new RelayBackend`;
    throw new RelayInputError(option, `${option} was not given`, "a text, where users are disconnected", fix);
  }
}

function refuseUnlessText(key: string, value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  throw new RelayInputError(key, `${key} is ${JSON.stringify(value)}`, "a text", `pass the relay's ${key} as a string`);
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
