/**
 * One row for every argument of a relay. Defaults, ranges and key lists, the program's stack config, `config` in
 * Pulumi.yaml, docs/configuration.md and the options of the `cost` command come from here. Rules that involve several
 * arguments are code, next to the arguments that they are about; {@link rules} describes them.
 *
 * This file imports nothing, so that the command line can read it without Pulumi. After a change, run
 * `node -r ./transpile packaging/generateConfiguration.ts`.
 */

export interface Option {
  type: "integer" | "boolean" | "string" | "string or array" | "array" | "object" | "function";
  /** Markdown without links, since Pulumi.yaml has it too. Ranges, defaults and the mode are added to it. */
  description: string;
  /** @default there is no value for it: `otherwise` says what happens without it, or it is required */
  default?: number | boolean | string | null | readonly string[] | Readonly<Record<string, never>>;
  /** What happens without the argument, where no value says so. @default `default` says it */
  otherwise?: string;
  /** @default false */
  required?: true;
  /** The lowest integer that is allowed. @default any */
  min?: number;
  /** The highest integer that is allowed. @default any */
  max?: number;
  /** @default a plain count */
  unit?: "seconds" | "days" | "percent" | "requests per second";
  /** The values that are allowed. @default any that `min`, `max` and `allowed` leave */
  oneOf?: readonly (string | number)[];
  /** What is allowed, in words. @default `min` and `max`, or `oneOf`, say it */
  allowed?: string;
  /** Whether only a program can set it, because no stack config can hold it. @default false */
  programOnly?: true;
  /** Whether it has an effect only where `delivery` is `replay`. @default false */
  replayOnly?: true;
  /** The keys of an object. @default its keys are the user's own */
  keys?: Options;
  /**
   * What differs in programs of other languages, where `null` is the same as no value: the description, and the boolean argument
   * that means `null`. @default nothing differs
   */
  remote?: { description: string; nullAs?: { key: string; description: string } };
  /** The page that has more, relative to docs/. @default none */
  see?: string;
  /** The release that introduced it. @default that of the object that it is a key of, else 0.1.0 */
  since?: string;
}

export type Options = Readonly<Record<string, Option>>;

const clients = {
  auth: {
    type: "object",
    required: true,
    description:
      "Who may connect, and which user they are: exactly one of `cognito`, `oidc` and, in a program, `authenticate`. " +
      "There is no safe default. In a program, `null` turns authentication off: each client names its user itself, in the " +
      "query parameter `user`, and receives everything that is published to that user.",
    remote: {
      description: "Who may connect, and which user they are: either `cognito` or `oidc`.",
      nullAs: {
        key: "authDisabled",
        description:
          "Whether authentication is off, instead of `auth`: each client names its user itself, in the query parameter `user`, and " +
          "receives everything that is published to that user.",
      },
    },
    see: "authentication.md",
    keys: {
      cognito: {
        type: "object",
        otherwise: "not used",
        description: "Accepts access tokens and ID tokens of an Amazon Cognito user pool.",
        keys: {
          userPoolId: {
            type: "string",
            required: true,
            description: "The ID of the user pool, such as `eu-west-1_a1b2c3d4e`.",
          },
          clientIds: {
            type: "array",
            required: true,
            description:
              "The app clients whose tokens are accepted: `client_id` of access tokens, `aud` of ID tokens. At least one.",
          },
        },
      },
      oidc: {
        type: "object",
        otherwise: "not used",
        description: "Accepts tokens of an OpenID Connect issuer.",
        keys: {
          issuer: {
            type: "string",
            required: true,
            allowed: "an https URL without query and fragment, or any string together with `jwksUri` or `jwks`",
            description: "The claim `iss` of accepted tokens. Compared exactly.",
          },
          audience: {
            type: "string or array",
            required: true,
            description:
              "The value of the claim `aud` in accepted tokens. If this is a list, one match is enough. `null` is for issuers that " +
              "set no `aud`, and requires `authorizedParties`.",
            remote: {
              description: "The values of the claim `aud` in accepted tokens. One match is enough.",
              nullAs: {
                key: "audienceCheckDisabled",
                description:
                  "Whether the claim `aud` is not checked, instead of `audience`: for issuers that set no `aud`. Requires " +
                  "`authorizedParties`.",
              },
            },
          },
          authorizedParties: {
            type: "array",
            default: null,
            since: "0.2.0",
            description:
              "The values of the claim `azp` to accept; a token without `azp` is then refused. `null` does not check the claim. " +
              "Required where `audience` is `null`.",
            remote: {
              description:
                "The values of the claim `azp` to accept; a token without `azp` is then refused. Without it, the claim is not " +
                "checked. Required where `audienceCheckDisabled` is `true`.",
            },
          },
          jwksUri: {
            type: "string",
            otherwise: "`{issuer}/.well-known/jwks.json`",
            allowed: "an https URL without fragment",
            description: "The URL of the issuer's keys (JWKS). There is no OIDC discovery.",
          },
          jwks: {
            type: "object",
            otherwise: "the keys are fetched from `jwksUri` and cached",
            description: "The issuer's public keys themselves, as a JWKS. Nothing is fetched then. Not with `jwksUri`.",
          },
        },
      },
      authenticate: {
        type: "function",
        programOnly: true,
        otherwise: "not used",
        since: "0.2.0",
        description:
          "A callback of your own: `async (handshake) => ({ code, expiresAt? })`, or `null` to answer 401. If it throws, the " +
          "handshake is answered 500.",
      },
      requireFrom: {
        type: "string",
        programOnly: true,
        otherwise: "`process.cwd()`, the program's folder",
        since: "0.2.0",
        description:
          "The folder from which `require` inside `authenticate` resolves files and packages, usually `__dirname`. Only with " +
          "`authenticate`.",
      },
      userClaim: {
        type: "string",
        default: "sub",
        description: "The claim that holds the user's ID, to which backends address messages. Not with `authenticate`.",
      },
      clockToleranceSeconds: {
        type: "integer",
        unit: "seconds",
        default: 5,
        min: 0,
        max: 300,
        since: "0.2.0",
        description:
          "How far the issuer's clock may differ from AWS's: a token is accepted that long before its `nbf` and, unless " +
          "`endSessionWithToken` is set, after its `exp`. Not with `authenticate`.",
      },
      cookieName: {
        type: "string",
        default: "access_token",
        description: "The cookie that may carry the token if neither the Authorization header nor a subprotocol does.",
      },
      endSessionWithToken: {
        type: "boolean",
        default: false,
        since: "0.2.0",
        description:
          "Whether a session ends when its token expires: nothing more is delivered to it, and its connection is closed within " +
          "two minutes. Adds an index, a function and a rule. Without it, a connection can outlive its token by up to two hours.",
      },
    },
  },
  allowedOrigins: {
    type: "array",
    default: [],
    description:
      "Origins whose pages may connect with a cookie or a subprotocol token, exactly as browsers send them: " +
      "`https://app.your-domain.com`, an app's own `capacitor://localhost`, or `file://`. `https://*.your-domain.com` matches " +
      "one more label. The origins of the API and of the custom domain are always allowed. " +
      "In a program, `null` checks no origin: any page that a user visits may then connect with the user's cookie.",
    remote: {
      description:
        "Origins whose pages may connect with a cookie or a subprotocol token, exactly as browsers send them: " +
        "`https://app.your-domain.com`, an app's own `capacitor://localhost`, or `file://`. `https://*.your-domain.com` matches " +
        "one more label. The origins of the API and of the custom domain are always allowed.",
      nullAs: {
        key: "originCheckDisabled",
        description:
          "Whether no origin is checked, instead of `allowedOrigins`: any page that a user visits may then connect with the user's " +
          "cookie.",
      },
    },
  },
  sessionTtlSeconds: {
    type: "integer",
    unit: "seconds",
    default: 10_800,
    // A connection lasts 7,200 s: a session must not expire while its client is still connected.
    min: 7_500,
    max: 31_536_000,
    description:
      "How long a session is kept after its client connected. A connection lasts up to two hours, and a session must outlive it.",
  },
  connections: {
    type: "string",
    default: "newest",
    oneOf: ["newest", "all"],
    since: "0.2.0",
    see: "connecting.md#several-tabs-and-devices",
    description:
      "Which connections of one user, context and contextId get its messages. `newest`: the one that connected last. `all`: each of " +
      "them, up to ten, such as tabs and devices. A change takes effect for each session when a client connects.",
  },
} as const satisfies Options;

const retries = {
  maxAttempts: {
    type: "integer",
    default: 66,
    min: 1,
    // The queue counts to 1,000, and crashes may use up 5 more receives.
    max: 995,
    description: "Attempts to deliver a message before it is dead-lettered.",
  },
  backoffMinSeconds: {
    type: "integer",
    unit: "seconds",
    default: 2,
    min: 1,
    // A visibility timeout ends 12 hours after the receive, and deliver may already have used 180 s of it.
    max: 43_020,
    description:
      "The longest pause before the second attempt. Each further pause is twice as long, up to `backoffMaxSeconds`. Each is random " +
      "between half of that and all of it.",
  },
  backoffMaxSeconds: {
    type: "integer",
    unit: "seconds",
    default: 120,
    min: 1,
    max: 43_020,
    description:
      "The longest pause between two attempts, which is the longest that a client waits for a message after it has reconnected.",
  },
  batchSize: {
    type: "integer",
    default: 10,
    min: 1,
    max: 10_000,
    description: "Messages that one invocation of `deliver` takes at most.",
  },
  maximumBatchingWindowInSeconds: {
    type: "integer",
    unit: "seconds",
    default: 0,
    min: 0,
    max: 300,
    description: "How long to wait for a batch to fill.",
  },
  maximumConcurrency: {
    type: "integer",
    default: 10,
    min: 2,
    max: 1_000,
    description: "Invocations of `deliver` at one time.",
  },
  messageRetentionSeconds: {
    type: "integer",
    unit: "seconds",
    default: 345_600,
    min: 60,
    // A redriven message keeps its enqueue time: the dead-letter queue, at 14 days, has to retain longer.
    max: 1_209_599,
    description: "How long the retry queue keeps a message.",
  },
} as const satisfies Options;

const replay = {
  delivery: {
    type: "string",
    default: "retry",
    oneOf: ["retry", "replay"],
    since: "0.2.0",
    see: "replay.md",
    description:
      "How a message reaches a client that was away. `retry`: the relay tries to deliver it until the client is back. " +
      "`replay`: the relay numbers it and stores it in a history, and a client that speaks `websocket-relay.v1` asks for the messages " +
      "that it missed; to other clients they are sent when they connect. A change closes the connections that the new mode does not " +
      "serve, so that their clients reconnect.",
  },
  historyRetentionSeconds: {
    type: "integer",
    unit: "seconds",
    default: 86_400,
    min: 300,
    // A queue's longest retention: an older message could not be dead-lettered either.
    max: 1_209_600,
    replayOnly: true,
    since: "0.2.0",
    description: "How long the history keeps a message.",
  },
  historyGeneration: {
    type: "integer",
    default: 0,
    min: 0,
    max: 1_000_000,
    replayOnly: true,
    since: "0.2.0",
    see: "operations.md#restore-the-history",
    description:
      "How many times the history was restored to a point in time. Raise it by one after each restore: clients may have seen " +
      "numbers that the restored history does not have, and would take new messages with these numbers for duplicates.",
  },
  deadLetterExpired: {
    type: "boolean",
    default: false,
    replayOnly: true,
    since: "0.2.0",
    description:
      "Whether a message that no client acknowledged in time is dead-lettered, with the reason `expired`. Without it, the " +
      "message is counted and logged.",
  },
  receipts: {
    type: "boolean",
    default: false,
    replayOnly: true,
    since: "0.2.0",
    description: "Whether a topic reports the outcome of each message: delivered, accepted, expired or dead.",
  },
  waitingAfterSeconds: {
    type: "integer",
    unit: "seconds",
    otherwise: "no such receipts",
    min: 30,
    max: 86_400,
    replayOnly: true,
    since: "0.2.0",
    see: "replay.md#tell-a-user-who-is-away",
    description:
      "After how long a message that no client has acknowledged gets the receipt `waiting`, for example to send a push " +
      "notification. Requires `receipts`.",
  },
  rawClients: {
    type: "boolean",
    default: true,
    replayOnly: true,
    since: "0.2.0",
    see: "replay.md#clients-without-the-protocol",
    description:
      "Whether clients that do not speak `websocket-relay.v1` may connect. They get messages as published, at least once, and may " +
      "lose what is sent into a half-open connection.",
  },
  ordering: {
    type: "string",
    default: "standard",
    oneOf: ["standard", "strict"],
    replayOnly: true,
    since: "0.2.0",
    description:
      "The order in which the messages of a session are numbered. `standard`: as they arrive, and the queue may let one overtake " +
      "another. `strict`: as they were published, through a FIFO topic and FIFO queues. A change **replaces** the topic and the " +
      "queues.",
  },
  httpRead: {
    type: "boolean",
    default: false,
    replayOnly: true,
    since: "0.2.0",
    see: "http-read.md",
    description:
      "Whether an HTTP API, with a function of its own, reads the messages of a session over HTTPS: for networks that block WebSockets, " +
      "and for servers.",
  },
} as const satisfies Options;

const resources = {
  topicArn: {
    type: "string",
    otherwise: "the relay creates a topic",
    allowed: "the ARN of a standard topic, or of a FIFO topic where `ordering` is `strict`",
    since: "0.2.0",
    see: "changing-a-stack.md#bring-your-own",
    description:
      "An SNS topic of yours that backends publish to, in the relay's region. The policy of a topic of another account has to " +
      "allow this account `sns:Subscribe`. A change **replaces** the subscription and deletes a topic that the relay created.",
  },
  tableName: {
    type: "string",
    otherwise: "the relay creates a table",
    allowed: "the name of a table, not its ARN",
    since: "0.2.0",
    see: "changing-a-stack.md#a-table",
    description:
      "A DynamoDB table of yours for the sessions of this relay alone, in its account and region. A table without the required keys, " +
      "indexes and TTL attribute is refused.",
  },
  connectionIndex: {
    type: "boolean",
    default: true,
    since: "0.2.0",
    see: "changing-a-stack.md#the-index-connection",
    description:
      "Whether the session table has the index `connection`, by which `disconnect` finds connections that were opened under " +
      "0.1.0. It costs a write unit more for each session that is saved or deleted. Set it to `false` on a new stack, and on a " +
      "stack of 0.1.0 two hours after its update. The next release removes the index and this key.",
  },
  kmsKeyArn: {
    type: "string",
    otherwise: "AWS's own keys encrypt them",
    allowed: "the ARN of a key in the relay's region, not of an alias",
    since: "0.2.0",
    see: "changing-a-stack.md#a-key-of-your-own",
    description:
      "A customer-managed KMS key that encrypts tables, topics, queues, log groups and the functions' environments. If you " +
      "bring your own table or topic, use the key that encrypts it. Its policy needs `kmsKeyPolicyStatements`.",
  },
  subscriptionDeadLetterQueueSse: {
    type: "string",
    default: "kms",
    oneOf: ["kms", "sqs"],
    since: "0.2.0",
    see: "changing-a-stack.md#a-key-of-your-own",
    description:
      "The encryption of the subscription's dead-letter queue if `kmsKeyArn` is set. `kms`: with that key. If the key's policy does " +
      "not let SNS use it, SNS can write to neither queue, and messages are lost. `sqs`: with a key that SQS manages (SSE-SQS), so " +
      "that these messages are kept.",
  },
  permissionsBoundaryArn: {
    type: "string",
    otherwise: "the roles have no boundary",
    allowed: "the ARN of an IAM policy",
    since: "0.2.0",
    description: "The permissions boundary of every role that the relay creates.",
  },
  publisherAccountIds: {
    type: "array",
    default: [],
    allowed: "account IDs of twelve digits, in quotes",
    since: "0.2.0",
    description:
      "Other accounts whose roles may publish to the topic, if their own policies allow it. Not with `topicArn`.",
  },
  publisherOrganizationIds: {
    type: "array",
    default: [],
    allowed: "organization IDs such as `o-a1b2c3d4e5`",
    since: "0.2.0",
    description: "AWS organizations whose accounts may all publish to the topic. Not with `topicArn`.",
  },
} as const satisfies Options;

const protection = {
  protectData: {
    type: "boolean",
    default: false,
    since: "0.2.0",
    see: "changing-a-stack.md",
    description:
      "Whether tables, topics and queues are protected from being deleted or replaced: Pulumi's `protect`, and the tables' deletion " +
      "protection. To destroy the stack, set it to `false` and run `pulumi up` first.",
  },
  pointInTimeRecovery: {
    type: "boolean",
    otherwise: "the value of `protectData`",
    since: "0.2.0",
    description:
      "Whether the relay's own tables can be restored to any second of the last 35 days. Not with `tableName` in retry mode.",
  },
  logRetentionInDays: {
    type: "integer",
    unit: "days",
    default: 30,
    // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    oneOf: [0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653],
    description: "How long the functions' logs and the gateway's are kept; 0 keeps them forever.",
  },
  applicationLogLevel: {
    type: "string",
    default: "WARN",
    // https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    oneOf: ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"],
    since: "0.2.0",
    see: "operations.md#log-levels",
    description:
      "The lowest level of lines in the functions' logs. `WARN`: dead letters, refused frames and everything that went wrong. `INFO` " +
      "adds a line for each message, attempt, handshake and frame, which costs more than the rest of the logs. The functions log " +
      "nothing at `DEBUG` or `TRACE`. Metrics are written at every level.",
  },
} as const satisfies Options;

/** Highest limits of a route: above the quotas that an account has by default, which AWS raises on request. */
const [anyRate, anyBurst] = [100_000, 50_000] as const;

const address = {
  throttlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    default: 500,
    min: 1,
    max: anyRate,
    see: "capacity-and-cost.md#throttles",
    description:
      "The sustained rate of requests to each route without a limit of its own. The default is an account's limit of new connections.",
  },
  throttlingBurstLimit: {
    type: "integer",
    default: 500,
    min: 1,
    max: anyBurst,
    see: "capacity-and-cost.md#throttles",
    description: "Requests to each route without a limit of its own that may arrive at the same time.",
  },
  connectThrottlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    otherwise: "the value of `throttlingRateLimit`",
    min: 1,
    max: anyRate,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description:
      "The sustained rate of handshakes: at least clients divided by the seconds in which they are to be back after all of them " +
      "lost their connections. The account's limit of new connections, 500 a second by default, applies as well. The end of a " +
      "connection is never limited to less.",
  },
  connectThrottlingBurstLimit: {
    type: "integer",
    otherwise: "the value of `throttlingBurstLimit`",
    min: 1,
    max: anyBurst,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description: "Handshakes that may arrive at the same time.",
  },
  resumeThrottlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    otherwise: "the larger of `throttlingRateLimit` and `connectThrottlingRateLimit`",
    min: 1,
    max: anyRate,
    replayOnly: true,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description:
      "The sustained rate of `resume` frames. A protocol client sends one when it has connected, and one for each further page of " +
      "messages that it has missed.",
  },
  resumeThrottlingBurstLimit: {
    type: "integer",
    otherwise: "the larger of `throttlingBurstLimit` and `connectThrottlingBurstLimit`",
    min: 1,
    max: anyBurst,
    replayOnly: true,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description: "The `resume` frames that may arrive at the same time.",
  },
  acknowledgeThrottlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    otherwise: "the value of `throttlingRateLimit`",
    min: 1,
    max: anyRate,
    replayOnly: true,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description:
      "The sustained rate of `ack` frames. With `receipts` or `deadLetterExpired`, each client that gets messages sends one within " +
      "five seconds. Otherwise few are sent.",
  },
  acknowledgeThrottlingBurstLimit: {
    type: "integer",
    otherwise: "the value of `throttlingBurstLimit`",
    min: 1,
    max: anyBurst,
    replayOnly: true,
    since: "0.2.0",
    see: "capacity-and-cost.md#throttles",
    description: "The `ack` frames that may arrive at the same time.",
  },
  httpReadThrottlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    otherwise: "the value of `throttlingRateLimit`",
    min: 1,
    max: anyRate,
    replayOnly: true,
    since: "0.2.0",
    see: "http-read.md",
    description: "The sustained rate of requests to the HTTP API. Requires `httpRead`.",
  },
  httpReadThrottlingBurstLimit: {
    type: "integer",
    otherwise: "the value of `throttlingBurstLimit`",
    min: 1,
    max: anyBurst,
    replayOnly: true,
    since: "0.2.0",
    see: "http-read.md",
    description: "Requests to the HTTP API that may arrive at the same time. Requires `httpRead`.",
  },
  pingThrottlingRateLimit: {
    type: "integer",
    unit: "requests per second",
    default: 2_000,
    min: 1,
    max: anyRate,
    since: "0.2.0",
    see: "capacity-and-cost.md#heartbeats",
    description:
      "The sustained rate of heartbeats of all clients together: at least clients divided by the seconds between two heartbeats. The " +
      "default is enough for 60,000 clients with a heartbeat every 30 s. Heartbeats count towards the account's 10,000 requests a " +
      "second, as handshakes, frames and deliveries do.",
  },
  pingThrottlingBurstLimit: {
    type: "integer",
    default: 4_000,
    min: 1,
    max: anyBurst,
    since: "0.2.0",
    see: "capacity-and-cost.md#heartbeats",
    description: "Heartbeats that may arrive at the same time.",
  },
  stageName: {
    type: "string",
    default: "live",
    allowed: "1 to 128 letters, digits and `_`",
    description: "The last part of the WebSocket URL. A change **replaces** the stage.",
  },
  connectReservedConcurrentExecutions: {
    type: "integer",
    otherwise: "`connect` shares the account's concurrency with every other function",
    min: 1,
    max: 100_000,
    since: "0.2.0",
    see: "capacity-and-cost.md#concurrency-for-handshakes",
    description:
      "How much of the account's concurrency is reserved for `connect`. A backlog of `deliver`, or another application, then cannot " +
      "keep clients from connecting. It is also the most that `connect` can use. AWS refuses it unless 100 of the account's " +
      "concurrency remain unreserved.",
  },
  ipAddressType: {
    type: "string",
    default: "ipv4",
    oneOf: ["ipv4", "dualstack"],
    since: "0.2.0",
    description: "The addresses of the API: `ipv4`, or `dualstack` for IPv4 and IPv6.",
  },
  customDomain: {
    type: "object",
    otherwise: "clients use the API's own domain",
    since: "0.2.0",
    see: "deploying.md#a-domain-of-your-own",
    description:
      "A domain of your own for the WebSocket URL, so that the cookies of pages under the same parent domain reach the handshake.",
    keys: {
      domainName: {
        type: "string",
        otherwise: "no domain is created, and `existingDomainName` is required",
        allowed: "a domain in lower case, without scheme, port or path",
        description: "The domain to create in API Gateway, such as `ws.your-domain.com`. A change **replaces** it.",
      },
      certificateArn: {
        type: "string",
        otherwise: "no certificate; required with `domainName`",
        allowed: "the ARN of an issued ACM certificate in the API's region",
        description: "The certificate of `domainName`.",
      },
      hostedZoneId: {
        type: "string",
        otherwise: "you point a record at the output `customDomainTarget` yourself",
        description: "The Route 53 hosted zone in which the relay creates the domain's alias records.",
      },
      existingDomainName: {
        type: "string",
        otherwise: "`domainName` is created",
        description:
          "A regional API Gateway domain name that already exists. The relay only maps its API to it; the certificate and the " +
          "records stay with their owner. It must not have HTTP or REST APIs, which cannot share a domain with a WebSocket API.",
      },
      basePath: {
        type: "string",
        otherwise: "the API is at the root of the domain",
        allowed: "up to 300 letters, digits and `$-_.+!*'()`, in parts separated by single slashes",
        description: "The path after the domain in the URL, such as `chat` or `chat/v1`.",
      },
    },
  },
} as const satisfies Options;

/** The highest threshold of counts that have no limit of their own. */
const anyCount = 1_000_000_000;

const monitoring = {
  alarms: {
    type: "object",
    otherwise: "all alarms are created, and notify no one",
    since: "0.2.0",
    see: "operations.md#alarms",
    description:
      "When CloudWatch raises an alarm. A threshold is the highest value that raises none; periods are five minutes. All alarms " +
      "together cost about 2.00 USD a month, in replay mode 3.00 USD.",
    keys: {
      enabled: {
        type: "boolean",
        default: true,
        description: "Whether the alarms are created.",
      },
      actions: {
        type: "array",
        default: [],
        allowed: "up to five ARNs",
        description: "The ARNs to notify when an alarm is raised and when it is over, such as those of SNS topics.",
      },
      failedNotifications: {
        type: "integer",
        otherwise: "0 for a topic that the relay creates; with `topicArn`, these two alarms are not created",
        min: 0,
        max: anyCount,
        description:
          "Notifications that SNS failed to deliver, and of these the ones that the subscription's dead-letter queue did not take " +
          "either. On a topic of yours the metrics count all of its subscriptions, and are in the topic's account.",
      },
      deadLetters: {
        type: "integer",
        default: 0,
        min: 0,
        max: anyCount,
        description:
          "Dead letters for a reason other than that the user was away, and messages that SNS put into the subscription's " +
          "dead-letter queue. Applies to each of the two.",
      },
      userAwayDeadLetters: {
        type: "integer",
        default: 100,
        min: 0,
        max: anyCount,
        description:
          "Dead letters whose user was away: `no-session`, `session-expired`, `token-expired`, `subprotocol-changed`, " +
          "`connection-gone` or `expired`. Single users cause fewer than the default.",
      },
      deadLetterQueueDepth: {
        type: "integer",
        otherwise: "that alarm is not created",
        min: 0,
        max: anyCount,
        description:
          "Messages in the dead-letter queue, however long they have been there. Set it to be told of messages without a reason, " +
          "which the queue itself moved there, or to have the queue emptied.",
      },
      deliverLagSeconds: {
        type: "integer",
        unit: "seconds",
        otherwise: "four minutes more than a third receive takes without a backlog: 246 with the default pauses",
        min: 60,
        // A queue's longest retention.
        max: 1_209_600,
        description: "Age of the oldest message that `deliver` has not received three times yet.",
      },
      ageAtFailedAttemptSeconds: {
        type: "integer",
        unit: "seconds",
        otherwise: "three quarters of the shortest retry window, which is before the message is dead-lettered",
        min: 1,
        // A queue's longest retention.
        max: 1_209_600,
        description:
          "Age of the oldest message that an attempt failed to deliver although its user was not away, or whose dead letter could not be sent.",
      },
      expiredMessages: {
        type: "integer",
        default: 100,
        min: 0,
        max: anyCount,
        replayOnly: true,
        description: "Messages that no client acknowledged within the history's retention or before their `expiresAt`.",
      },
      historySweepLagSeconds: {
        type: "integer",
        unit: "seconds",
        default: 600,
        // It is called every minute.
        min: 120,
        // The shortest time for which an expired message is kept to be reported: ttlSlackMs.
        max: 259_200,
        replayOnly: true,
        description: "How late the history sweeper may be. Up to 60 seconds are normal.",
      },
      invisibleMessages: {
        type: "integer",
        default: 80_000,
        min: 0,
        // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
        max: 119_999,
        description: "Messages that wait invisibly in the retry queue, which holds 120,000 of them.",
      },
      functionErrors: {
        type: "integer",
        default: 0,
        min: 0,
        max: anyCount,
        description: "Invocations of a function that crashed or timed out.",
      },
      functionThrottles: {
        type: "integer",
        default: 0,
        min: 0,
        max: anyCount,
        description: "Invocations of a function that were throttled because the account had no concurrency left.",
      },
      failedHandshakes: {
        type: "integer",
        default: 0,
        min: 0,
        max: anyCount,
        description: "Handshakes that failed because of an internal error.",
      },
      refusedHandshakesPercent: {
        type: "integer",
        unit: "percent",
        default: 50,
        min: 0,
        max: 99,
        description:
          "Share of the handshakes that were refused for their credential or origin, as a wrong issuer, cookie or origin causes. " +
          "Refusals that only a single client can cause do not count.",
      },
      refusedHandshakesMinimum: {
        type: "integer",
        default: 20,
        min: 1,
        max: anyCount,
        description: "Handshakes below which that share raises no alarm.",
      },
    },
  },
  dashboard: {
    type: "boolean",
    default: true,
    since: "0.2.0",
    see: "operations.md#dashboard",
    description:
      "Whether a CloudWatch dashboard is created. It costs 3 USD a month beyond an account's first three dashboards.",
  },
  gatewayLogs: {
    type: "object",
    otherwise: "the gateway writes no logs",
    since: "0.2.0",
    see: "operations.md#access-logs",
    description:
      "The gateway's logs: the access log of handshakes, frames and closed connections, and the execution log of requests that " +
      "failed.",
    keys: {
      accountRole: {
        type: "string",
        required: true,
        oneOf: ["exists", "create"],
        description:
          "API Gateway writes logs with one role for all APIs of an account and region. `exists`: the role is already set, and the " +
          "relay leaves it alone. `create`: the relay creates the role and sets it. Use `create` in one relay of one stack only: the last " +
          "to write wins, and destroying that stack stops the logs of every other API of the account and region.",
      },
      executionLoggingLevel: {
        type: "string",
        default: "ERROR",
        // https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid-stages.html
        oneOf: ["OFF", "ERROR", "INFO"],
        see: "operations.md#execution-logs",
        description:
          "What API Gateway writes to the execution log. `ERROR`: requests that failed. `INFO`: all requests, which is for debugging. " +
          "`OFF`: nothing. Full requests and responses (data tracing) are never logged, since they contain tokens.",
      },
    },
  },
  tags: {
    type: "object",
    default: {},
    allowed: "up to 50 strings by their keys; IAM's rules apply, the strictest of the services'",
    description: "Tags of every resource that supports tags.",
  },
} as const satisfies Options;

/** The arguments in groups, as docs/configuration.md presents them. */
export const sections: readonly { title: string; options: Options }[] = [
  { title: "Clients", options: clients },
  { title: "Attempts and batches", options: retries },
  { title: "Delivery mode and history", options: replay },
  { title: "Existing resources and other accounts", options: resources },
  { title: "Protection and retention", options: protection },
  { title: "Address and throttling", options: address },
  { title: "Monitoring and tags", options: monitoring },
];

/** Every argument by its key, which is also its key in the stack config. */
export const spec = {
  ...clients,
  ...retries,
  ...replay,
  ...resources,
  ...protection,
  ...address,
  ...monitoring,
};

/** Rules that involve several arguments, by the path that the error names. Each is checked before anything is registered. */
export const rules = {
  backoffMaxSeconds: "`backoffMaxSeconds` is at least `backoffMinSeconds`.",
  backoffMinSeconds:
    "`backoffMinSeconds` and `backoffMaxSeconds` are at most 43,020 less `maximumBatchingWindowInSeconds`, since SQS ends a " +
    "visibility timeout 12 hours after a message was received.",
  maximumBatchingWindowInSeconds: "`maximumBatchingWindowInSeconds` is at least 1 where `batchSize` is over 10.",
  messageRetentionSeconds:
    "`messageRetentionSeconds` is longer than the longest retry window, or the queue would drop messages that are still retried.",
  historyRetentionSeconds:
    "In replay mode, `historyRetentionSeconds` is longer than the longest retry window. Otherwise a message could still be " +
    "retried after its copy in the history has expired and its id is gone, and would be delivered twice.",
  deadLetterExpired:
    "`historyRetentionSeconds`, `historyGeneration`, `deadLetterExpired`, `receipts`, `waitingAfterSeconds`, `rawClients`, `ordering`, " +
    "`httpRead`, the throttles of `resume`, `acknowledge` and the HTTP API, `alarms.expiredMessages` and `alarms.historySweepLagSeconds` keep their defaults " +
    "unless `delivery` is `replay`.",
  httpReadThrottlingRateLimit:
    "`httpReadThrottlingRateLimit` and `httpReadThrottlingBurstLimit` are only set where `httpRead` is `true`.",
  waitingAfterSeconds: "`waitingAfterSeconds` requires `receipts`, and is shorter than `historyRetentionSeconds`.",
  batchSize:
    "Where `ordering` is `strict`, `batchSize` is at most 10 and `maximumBatchingWindowInSeconds` is 0: Lambda allows no more for a " +
    "FIFO queue.",
  topicArn:
    "`topicArn` names a FIFO topic where `ordering` is `strict`, and a standard topic otherwise. It is in the relay's region.",
  publisherAccountIds:
    "`publisherAccountIds` and `publisherOrganizationIds` are empty where `topicArn` is set: the topic's policy belongs to its owner.",
  subscriptionDeadLetterQueueSse: "`subscriptionDeadLetterQueueSse` is `sqs` only where `kmsKeyArn` is set.",
  pointInTimeRecovery: "`pointInTimeRecovery` is not `true` where `tableName` is set, except in replay mode.",
  auth: "`auth` has exactly one of `cognito`, `oidc` and `authenticate`. With `allowedOrigins` it takes at most 3,072 bytes of JSON.",
  "auth.userClaim":
    "`auth.userClaim` and `auth.clockToleranceSeconds` are not set with `auth.authenticate`; `auth.requireFrom` is only set with it.",
  "auth.oidc": "`auth.oidc` has `jwksUri` or `jwks`, not both. An `audience` of `null` requires `authorizedParties`.",
  customDomain:
    "`customDomain` has either `domainName` with `certificateArn` and optionally `hostedZoneId`, or `existingDomainName` without both.",
} as const;
