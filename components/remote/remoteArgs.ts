// Generated from components/args/spec.ts by packaging/generateConfiguration.ts: change the spec, and run that.
/* eslint-disable @typescript-eslint/no-explicit-any -- Pulumi's analyzer does not support unknown. */
import type * as pulumi from "@pulumi/pulumi";
import type { WebsocketRelayArgs } from "../args/args";

type OwnAuth = NonNullable<WebsocketRelayArgs["auth"]>;

type OwnCognito = NonNullable<OwnAuth["cognito"]>;

export interface Cognito {
  /** The ID of the user pool, such as `eu-west-1_a1b2c3d4e`. */
  userPoolId: OwnCognito["userPoolId"];
  /** The app clients whose tokens are accepted: `client_id` of access tokens, `aud` of ID tokens. At least one. */
  clientIds: OwnCognito["clientIds"];
}

type OwnOidc = NonNullable<OwnAuth["oidc"]>;

export interface Oidc {
  /**
   * The claim `iss` of accepted tokens. Compared exactly. Allowed: an https URL without query and fragment, or any
   * string together with `jwksUri` or `jwks`.
   */
  issuer: OwnOidc["issuer"];
  /**
   * The values of the claim `aud` in accepted tokens. One match is enough. Required unless `audienceCheckDisabled`
   * is `true`.
   */
  audience?: pulumi.Input<pulumi.Input<string>[]>;
  /**
   * Whether the claim `aud` is not checked, instead of `audience`: for issuers that set no `aud`. Requires
   * `authorizedParties`. Default: `false`.
   */
  audienceCheckDisabled?: boolean;
  /**
   * The values of the claim `azp` to accept; a token without `azp` is then refused. Without it, the claim is not
   * checked. Required where `audienceCheckDisabled` is `true`.
   */
  authorizedParties?: OwnOidc["authorizedParties"];
  /**
   * The URL of the issuer's keys (JWKS). There is no OIDC discovery. Allowed: an https URL without fragment.
   * Default: `{issuer}/.well-known/jwks.json`.
   */
  jwksUri?: OwnOidc["jwksUri"];
  /**
   * The issuer's public keys themselves, as a JWKS. Nothing is fetched then. Not with `jwksUri`. Default: the keys
   * are fetched from `jwksUri` and cached.
   */
  jwks?: pulumi.Input<Record<string, any>>;
}

export interface Auth {
  /** Accepts access tokens and ID tokens of an Amazon Cognito user pool. Default: not used. */
  cognito?: Cognito;
  /** Accepts tokens of an OpenID Connect issuer. Default: not used. */
  oidc?: Oidc;
  /** The claim that holds the user's ID, to which backends address messages. Default: `"sub"`. */
  userClaim?: OwnAuth["userClaim"];
  /**
   * How far the issuer's clock may differ from AWS's: a token is accepted that long before its `nbf` and, unless
   * `endSessionWithToken` is set, after its `exp`. Allowed: 0 to 300 seconds. Default: `5`.
   */
  clockToleranceSeconds?: OwnAuth["clockToleranceSeconds"];
  /**
   * The cookie that may carry the token if neither the Authorization header nor a subprotocol does. Default:
   * `"access_token"`.
   */
  cookieName?: OwnAuth["cookieName"];
  /**
   * Whether a session ends when its token expires: nothing more is delivered to it, and its connection is closed
   * within two minutes. Adds an index, a function and a rule. Without it, a connection can outlive its token by up
   * to two hours. Default: `false`.
   */
  endSessionWithToken?: OwnAuth["endSessionWithToken"];
}

type OwnCustomDomain = NonNullable<WebsocketRelayArgs["customDomain"]>;

export interface CustomDomain {
  /**
   * The domain to create in API Gateway, such as `ws.your-domain.com`. A change **replaces** it. Allowed: a domain
   * in lower case, without scheme, port or path. Default: no domain is created, and `existingDomainName` is
   * required.
   */
  domainName?: OwnCustomDomain["domainName"];
  /**
   * The certificate of `domainName`. Allowed: the ARN of an issued ACM certificate in the API's region. Default: no
   * certificate; required with `domainName`.
   */
  certificateArn?: OwnCustomDomain["certificateArn"];
  /**
   * The Route 53 hosted zone in which the relay creates the domain's alias records. Default: you point a record at
   * the output `customDomainTarget` yourself.
   */
  hostedZoneId?: OwnCustomDomain["hostedZoneId"];
  /**
   * A regional API Gateway domain name that already exists. The relay only maps its API to it; the certificate and
   * the records stay with their owner. It must not have HTTP or REST APIs, which cannot share a domain with a
   * WebSocket API. Default: `domainName` is created.
   */
  existingDomainName?: OwnCustomDomain["existingDomainName"];
  /**
   * The path after the domain in the URL, such as `chat` or `chat/v1`. Allowed: up to 300 letters, digits and
   * `$-_.+!*'()`, in parts separated by single slashes. Default: the API is at the root of the domain.
   */
  basePath?: OwnCustomDomain["basePath"];
}

type OwnAlarms = NonNullable<WebsocketRelayArgs["alarms"]>;

export interface Alarms {
  /** Whether the alarms are created. Default: `true`. */
  enabled?: OwnAlarms["enabled"];
  /**
   * The ARNs to notify when an alarm is raised and when it is over, such as those of SNS topics. Allowed: up to
   * five ARNs. Default: `[]`.
   */
  actions?: OwnAlarms["actions"];
  /**
   * Notifications that SNS failed to deliver, and of these the ones that the subscription's dead-letter queue did
   * not take either. On a topic of yours the metrics count all of its subscriptions, and are in the topic's
   * account. Allowed: 0 to 1,000,000,000. Default: 0 for a topic that the relay creates; with `topicArn`, these two
   * alarms are not created.
   */
  failedNotifications?: OwnAlarms["failedNotifications"];
  /**
   * Dead letters for a reason other than that the user was away, and messages that SNS put into the subscription's
   * dead-letter queue. Applies to each of the two. Allowed: 0 to 1,000,000,000. Default: `0`.
   */
  deadLetters?: OwnAlarms["deadLetters"];
  /**
   * Dead letters whose user was away: `no-session`, `session-expired`, `token-expired`, `subprotocol-changed`,
   * `connection-gone` or `expired`. Single users cause fewer than the default. Allowed: 0 to 1,000,000,000.
   * Default: `100`.
   */
  userAwayDeadLetters?: OwnAlarms["userAwayDeadLetters"];
  /**
   * Messages in the dead-letter queue, however long they have been there. Set it to be told of messages without a
   * reason, which the queue itself moved there, or to have the queue emptied. Allowed: 0 to 1,000,000,000. Default:
   * that alarm is not created.
   */
  deadLetterQueueDepth?: OwnAlarms["deadLetterQueueDepth"];
  /**
   * Age of the oldest message that `deliver` has not received three times yet. Allowed: 60 to 1,209,600 seconds (1
   * minute to 14 days). Default: four minutes more than a third receive takes without a backlog: 246 with the
   * default pauses.
   */
  deliverLagSeconds?: OwnAlarms["deliverLagSeconds"];
  /**
   * Age of the oldest message that an attempt failed to deliver although its user was not away, or whose dead
   * letter could not be sent. Allowed: 1 to 1,209,600 seconds. Default: three quarters of the shortest retry
   * window, which is before the message is dead-lettered.
   */
  ageAtFailedAttemptSeconds?: OwnAlarms["ageAtFailedAttemptSeconds"];
  /**
   * Messages that no client acknowledged within the history's retention or before their `expiresAt`. Allowed: 0 to
   * 1,000,000,000. Only in replay mode. Default: `100`.
   */
  expiredMessages?: OwnAlarms["expiredMessages"];
  /**
   * How late the history sweeper may be. Up to 60 seconds are normal. Allowed: 120 to 259,200 seconds (2 minutes to
   * 3 days). Only in replay mode. Default: `600`.
   */
  historySweepLagSeconds?: OwnAlarms["historySweepLagSeconds"];
  /**
   * Messages that wait invisibly in the retry queue, which holds 120,000 of them. Allowed: 0 to 119,999. Default:
   * `80000`.
   */
  invisibleMessages?: OwnAlarms["invisibleMessages"];
  /** Invocations of a function that crashed or timed out. Allowed: 0 to 1,000,000,000. Default: `0`. */
  functionErrors?: OwnAlarms["functionErrors"];
  /**
   * Invocations of a function that were throttled because the account had no concurrency left. Allowed: 0 to
   * 1,000,000,000. Default: `0`.
   */
  functionThrottles?: OwnAlarms["functionThrottles"];
  /** Handshakes that failed because of an internal error. Allowed: 0 to 1,000,000,000. Default: `0`. */
  failedHandshakes?: OwnAlarms["failedHandshakes"];
  /**
   * Share of the handshakes that were refused for their credential or origin, as a wrong issuer, cookie or origin
   * causes. Refusals that only a single client can cause do not count. Allowed: 0 to 99 percent. Default: `50`.
   */
  refusedHandshakesPercent?: OwnAlarms["refusedHandshakesPercent"];
  /** Handshakes below which that share raises no alarm. Allowed: 1 to 1,000,000,000. Default: `20`. */
  refusedHandshakesMinimum?: OwnAlarms["refusedHandshakesMinimum"];
}

export interface GatewayLogs {
  /**
   * API Gateway writes logs with one role for all APIs of an account and region. `exists`: the role is already set,
   * and the relay leaves it alone. `create`: the relay creates the role and sets it. Use `create` in one relay of
   * one stack only: the last to write wins, and destroying that stack stops the logs of every other API of the
   * account and region. Allowed: `exists`, `create`.
   */
  accountRole: string;
  /**
   * What API Gateway writes to the execution log. `ERROR`: requests that failed. `INFO`: all requests, which is for
   * debugging. `OFF`: nothing. Full requests and responses (data tracing) are never logged, since they contain
   * tokens. Allowed: `OFF`, `ERROR`, `INFO`. Default: `"ERROR"`.
   */
  executionLoggingLevel?: string;
}

export interface RelayArgs {
  /** Who may connect, and which user they are: either `cognito` or `oidc`. Required unless `authDisabled` is `true`. */
  auth?: Auth;
  /**
   * Whether authentication is off, instead of `auth`: each client names its user itself, in the query parameter
   * `user`, and receives everything that is published to that user. Default: `false`.
   */
  authDisabled?: boolean;
  /**
   * Origins whose pages may connect with a cookie or a subprotocol token, exactly as browsers send them:
   * `https://app.your-domain.com`, an app's own `capacitor://localhost`, or `file://`. `https://*.your-domain.com`
   * matches one more label. The origins of the API and of the custom domain are always allowed. Default: `[]`.
   */
  allowedOrigins?: WebsocketRelayArgs["allowedOrigins"];
  /**
   * Whether no origin is checked, instead of `allowedOrigins`: any page that a user visits may then connect with
   * the user's cookie. Default: `false`.
   */
  originCheckDisabled?: boolean;
  /**
   * How long a session is kept after its client connected. A connection lasts up to two hours, and a session must
   * outlive it. Allowed: 7,500 to 31,536,000 seconds. Default: `10800`.
   */
  sessionTtlSeconds?: WebsocketRelayArgs["sessionTtlSeconds"];
  /**
   * Which connections of one user, context and contextId get its messages. `newest`: the one that connected last.
   * `all`: each of them, up to ten, such as tabs and devices. A change takes effect for each session when a client
   * connects. Allowed: `newest`, `all`. Default: `"newest"`.
   */
  connections?: string;
  /** Attempts to deliver a message before it is dead-lettered. Allowed: 1 to 995. Default: `66`. */
  maxAttempts?: WebsocketRelayArgs["maxAttempts"];
  /**
   * The longest pause before the second attempt. Each further pause is twice as long, up to `backoffMaxSeconds`.
   * Each is random between half of that and all of it. Allowed: 1 to 43,020 seconds. Default: `2`.
   */
  backoffMinSeconds?: WebsocketRelayArgs["backoffMinSeconds"];
  /**
   * The longest pause between two attempts, which is the longest that a client waits for a message after it has
   * reconnected. Allowed: 1 to 43,020 seconds. Default: `120`.
   */
  backoffMaxSeconds?: WebsocketRelayArgs["backoffMaxSeconds"];
  /** Messages that one invocation of `deliver` takes at most. Allowed: 1 to 10,000. Default: `10`. */
  batchSize?: WebsocketRelayArgs["batchSize"];
  /** How long to wait for a batch to fill. Allowed: 0 to 300 seconds. Default: `0`. */
  maximumBatchingWindowInSeconds?: WebsocketRelayArgs["maximumBatchingWindowInSeconds"];
  /** Invocations of `deliver` at one time. Allowed: 2 to 1,000. Default: `10`. */
  maximumConcurrency?: WebsocketRelayArgs["maximumConcurrency"];
  /** How long the retry queue keeps a message. Allowed: 60 to 1,209,599 seconds. Default: `345600`. */
  messageRetentionSeconds?: WebsocketRelayArgs["messageRetentionSeconds"];
  /**
   * How a message reaches a client that was away. `retry`: the relay tries to deliver it until the client is back.
   * `replay`: the relay numbers it and stores it in a history, and a client that speaks `websocket-relay.v1` asks
   * for the messages that it missed; to other clients they are sent when they connect. A change closes the
   * connections that the new mode does not serve, so that their clients reconnect. Allowed: `retry`, `replay`.
   * Default: `"retry"`.
   */
  delivery?: string;
  /**
   * How long the history keeps a message. Allowed: 300 to 1,209,600 seconds (5 minutes to 14 days). Only in replay
   * mode. Default: `86400`.
   */
  historyRetentionSeconds?: WebsocketRelayArgs["historyRetentionSeconds"];
  /**
   * How many times the history was restored to a point in time. Raise it by one after each restore: clients may
   * have seen numbers that the restored history does not have, and would take new messages with these numbers for
   * duplicates. Allowed: 0 to 1,000,000. Only in replay mode. Default: `0`.
   */
  historyGeneration?: WebsocketRelayArgs["historyGeneration"];
  /**
   * Whether a message that no client acknowledged in time is dead-lettered, with the reason `expired`. Without it,
   * the message is counted and logged. Only in replay mode. Default: `false`.
   */
  deadLetterExpired?: WebsocketRelayArgs["deadLetterExpired"];
  /**
   * Whether a topic reports the outcome of each message: delivered, accepted, expired or dead. Only in replay mode.
   * Default: `false`.
   */
  receipts?: WebsocketRelayArgs["receipts"];
  /**
   * After how long a message that no client has acknowledged gets the receipt `waiting`, for example to send a push
   * notification. Requires `receipts`. Allowed: 30 to 86,400 seconds. Only in replay mode. Default: no such
   * receipts.
   */
  waitingAfterSeconds?: WebsocketRelayArgs["waitingAfterSeconds"];
  /**
   * Whether clients that do not speak `websocket-relay.v1` may connect. They get messages as published, at least
   * once, and may lose what is sent into a half-open connection. Only in replay mode. Default: `true`.
   */
  rawClients?: WebsocketRelayArgs["rawClients"];
  /**
   * The order in which the messages of a session are numbered. `standard`: as they arrive, and the queue may let
   * one overtake another. `strict`: as they were published, through a FIFO topic and FIFO queues. A change
   * **replaces** the topic and the queues. Allowed: `standard`, `strict`. Only in replay mode. Default:
   * `"standard"`.
   */
  ordering?: string;
  /**
   * Whether an HTTP API, with a function of its own, reads the messages of a session over HTTPS: for networks that
   * block WebSockets, and for servers. Only in replay mode. Default: `false`.
   */
  httpRead?: WebsocketRelayArgs["httpRead"];
  /**
   * An SNS topic of yours that backends publish to, in the relay's region. The policy of a topic of another account
   * has to allow this account `sns:Subscribe`. A change **replaces** the subscription and deletes a topic that the
   * relay created. Allowed: the ARN of a standard topic, or of a FIFO topic where `ordering` is `strict`. Default:
   * the relay creates a topic.
   */
  topicArn?: WebsocketRelayArgs["topicArn"];
  /**
   * A DynamoDB table of yours for the sessions of this relay alone, in its account and region. A table without the
   * required keys, indexes and TTL attribute is refused. Allowed: the name of a table, not its ARN. Default: the
   * relay creates a table.
   */
  tableName?: WebsocketRelayArgs["tableName"];
  /**
   * Whether the session table has the index `connection`, by which `disconnect` finds connections that were opened
   * under 0.1.0. It costs a write unit more for each session that is saved or deleted. Set it to `false` on a new
   * stack, and on a stack of 0.1.0 two hours after its update. The next release removes the index and this key.
   * Default: `true`.
   */
  connectionIndex?: WebsocketRelayArgs["connectionIndex"];
  /**
   * A customer-managed KMS key that encrypts tables, topics, queues, log groups and the functions' environments. If
   * you bring your own table or topic, use the key that encrypts it. Its policy needs `kmsKeyPolicyStatements`.
   * Allowed: the ARN of a key in the relay's region, not of an alias. Default: AWS's own keys encrypt them.
   */
  kmsKeyArn?: WebsocketRelayArgs["kmsKeyArn"];
  /**
   * The encryption of the subscription's dead-letter queue if `kmsKeyArn` is set. `kms`: with that key. If the
   * key's policy does not let SNS use it, SNS can write to neither queue, and messages are lost. `sqs`: with a key
   * that SQS manages (SSE-SQS), so that these messages are kept. Allowed: `kms`, `sqs`. Default: `"kms"`.
   */
  subscriptionDeadLetterQueueSse?: string;
  /**
   * The permissions boundary of every role that the relay creates. Allowed: the ARN of an IAM policy. Default: the
   * roles have no boundary.
   */
  permissionsBoundaryArn?: WebsocketRelayArgs["permissionsBoundaryArn"];
  /**
   * Other accounts whose roles may publish to the topic, if their own policies allow it. Not with `topicArn`.
   * Allowed: account IDs of twelve digits, in quotes. Default: `[]`.
   */
  publisherAccountIds?: WebsocketRelayArgs["publisherAccountIds"];
  /**
   * AWS organizations whose accounts may all publish to the topic. Not with `topicArn`. Allowed: organization IDs
   * such as `o-a1b2c3d4e5`. Default: `[]`.
   */
  publisherOrganizationIds?: WebsocketRelayArgs["publisherOrganizationIds"];
  /**
   * Whether tables, topics and queues are protected from being deleted or replaced: Pulumi's `protect`, and the
   * tables' deletion protection. To destroy the stack, set it to `false` and run `pulumi up` first. Default:
   * `false`.
   */
  protectData?: WebsocketRelayArgs["protectData"];
  /**
   * Whether the relay's own tables can be restored to any second of the last 35 days. Not with `tableName` in retry
   * mode. Default: the value of `protectData`.
   */
  pointInTimeRecovery?: WebsocketRelayArgs["pointInTimeRecovery"];
  /**
   * How long the functions' logs and the gateway's are kept; 0 keeps them forever. Allowed: `0`, `1`, `3`, `5`,
   * `7`, `14`, `30`, `60`, `90`, `120`, `150`, `180`, `365`, `400`, `545`, `731`, `1096`, `1827`, `2192`, `2557`,
   * `2922`, `3288`, `3653` days. Default: `30`.
   */
  logRetentionInDays?: WebsocketRelayArgs["logRetentionInDays"];
  /**
   * The lowest level of lines in the functions' logs. `WARN`: dead letters, refused frames and everything that went
   * wrong. `INFO` adds a line for each message, attempt, handshake and frame, which costs more than the rest of the
   * logs. The functions log nothing at `DEBUG` or `TRACE`. Metrics are written at every level. Allowed: `TRACE`,
   * `DEBUG`, `INFO`, `WARN`, `ERROR`, `FATAL`. Default: `"WARN"`.
   */
  applicationLogLevel?: string;
  /**
   * The sustained rate of requests to each route without a limit of its own. The default is an account's limit of
   * new connections. Allowed: 1 to 100,000 requests per second. Default: `500`.
   */
  throttlingRateLimit?: WebsocketRelayArgs["throttlingRateLimit"];
  /**
   * Requests to each route without a limit of its own that may arrive at the same time. Allowed: 1 to 50,000.
   * Default: `500`.
   */
  throttlingBurstLimit?: WebsocketRelayArgs["throttlingBurstLimit"];
  /**
   * The sustained rate of handshakes: at least clients divided by the seconds in which they are to be back after
   * all of them lost their connections. The account's limit of new connections, 500 a second by default, applies as
   * well. The end of a connection is never limited to less. Allowed: 1 to 100,000 requests per second. Default: the
   * value of `throttlingRateLimit`.
   */
  connectThrottlingRateLimit?: WebsocketRelayArgs["connectThrottlingRateLimit"];
  /**
   * Handshakes that may arrive at the same time. Allowed: 1 to 50,000. Default: the value of
   * `throttlingBurstLimit`.
   */
  connectThrottlingBurstLimit?: WebsocketRelayArgs["connectThrottlingBurstLimit"];
  /**
   * The sustained rate of `resume` frames. A protocol client sends one when it has connected, and one for each
   * further page of messages that it has missed. Allowed: 1 to 100,000 requests per second. Only in replay mode.
   * Default: the larger of `throttlingRateLimit` and `connectThrottlingRateLimit`.
   */
  resumeThrottlingRateLimit?: WebsocketRelayArgs["resumeThrottlingRateLimit"];
  /**
   * The `resume` frames that may arrive at the same time. Allowed: 1 to 50,000. Only in replay mode. Default: the
   * larger of `throttlingBurstLimit` and `connectThrottlingBurstLimit`.
   */
  resumeThrottlingBurstLimit?: WebsocketRelayArgs["resumeThrottlingBurstLimit"];
  /**
   * The sustained rate of `ack` frames. With `receipts` or `deadLetterExpired`, each client that gets messages
   * sends one within five seconds. Otherwise few are sent. Allowed: 1 to 100,000 requests per second. Only in
   * replay mode. Default: the value of `throttlingRateLimit`.
   */
  acknowledgeThrottlingRateLimit?: WebsocketRelayArgs["acknowledgeThrottlingRateLimit"];
  /**
   * The `ack` frames that may arrive at the same time. Allowed: 1 to 50,000. Only in replay mode. Default: the
   * value of `throttlingBurstLimit`.
   */
  acknowledgeThrottlingBurstLimit?: WebsocketRelayArgs["acknowledgeThrottlingBurstLimit"];
  /**
   * The sustained rate of requests to the HTTP API. Requires `httpRead`. Allowed: 1 to 100,000 requests per second.
   * Only in replay mode. Default: the value of `throttlingRateLimit`.
   */
  httpReadThrottlingRateLimit?: WebsocketRelayArgs["httpReadThrottlingRateLimit"];
  /**
   * Requests to the HTTP API that may arrive at the same time. Requires `httpRead`. Allowed: 1 to 50,000. Only in
   * replay mode. Default: the value of `throttlingBurstLimit`.
   */
  httpReadThrottlingBurstLimit?: WebsocketRelayArgs["httpReadThrottlingBurstLimit"];
  /**
   * The sustained rate of heartbeats of all clients together: at least clients divided by the seconds between two
   * heartbeats. The default is enough for 60,000 clients with a heartbeat every 30 s. Heartbeats count towards the
   * account's 10,000 requests a second, as handshakes, frames and deliveries do. Allowed: 1 to 100,000 requests per
   * second. Default: `2000`.
   */
  pingThrottlingRateLimit?: WebsocketRelayArgs["pingThrottlingRateLimit"];
  /** Heartbeats that may arrive at the same time. Allowed: 1 to 50,000. Default: `4000`. */
  pingThrottlingBurstLimit?: WebsocketRelayArgs["pingThrottlingBurstLimit"];
  /**
   * The last part of the WebSocket URL. A change **replaces** the stage. Allowed: 1 to 128 letters, digits and `_`.
   * Default: `"live"`.
   */
  stageName?: WebsocketRelayArgs["stageName"];
  /**
   * How much of the account's concurrency is reserved for `connect`. A backlog of `deliver`, or another
   * application, then cannot keep clients from connecting. It is also the most that `connect` can use. AWS refuses
   * it unless 100 of the account's concurrency remain unreserved. Allowed: 1 to 100,000. Default: `connect` shares
   * the account's concurrency with every other function.
   */
  connectReservedConcurrentExecutions?: WebsocketRelayArgs["connectReservedConcurrentExecutions"];
  /**
   * The addresses of the API: `ipv4`, or `dualstack` for IPv4 and IPv6. Allowed: `ipv4`, `dualstack`. Default:
   * `"ipv4"`.
   */
  ipAddressType?: string;
  /**
   * A domain of your own for the WebSocket URL, so that the cookies of pages under the same parent domain reach the
   * handshake. Default: clients use the API's own domain.
   */
  customDomain?: CustomDomain;
  /**
   * When CloudWatch raises an alarm. A threshold is the highest value that raises none; periods are five minutes.
   * All alarms together cost about 2.00 USD a month, in replay mode 3.00 USD. Default: all alarms are created, and
   * notify no one.
   */
  alarms?: Alarms;
  /**
   * Whether a CloudWatch dashboard is created. It costs 3 USD a month beyond an account's first three dashboards.
   * Default: `true`.
   */
  dashboard?: WebsocketRelayArgs["dashboard"];
  /**
   * The gateway's logs: the access log of handshakes, frames and closed connections, and the execution log of
   * requests that failed. Default: the gateway writes no logs.
   */
  gatewayLogs?: GatewayLogs;
  /**
   * Tags of every resource that supports tags. Allowed: up to 50 strings by their keys; IAM's rules apply, the
   * strictest of the services'. Default: `{}`.
   */
  tags?: WebsocketRelayArgs["tags"];
}
