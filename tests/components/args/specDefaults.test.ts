import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import { VERIFIER_DEFAULTS, MAX_CLOCK_TOLERANCE_SECONDS } from "../../../handlers/connect/auth/verifierSettings";
import { spec } from "../../../components/args/spec";
import { Publisher } from "../../../components/ingress/publisher";
import { argsWith, optionsWithPaths } from "../../support/optionPaths";
import { auth, byType, type RelayRun, runPart, runRelay } from "../../support/relayRun";

describe("a default of the spec", () => {
  const withDefault = optionsWithPaths().filter(({ option }) => option.default !== undefined);
  // It has a required key, and a key with a default.
  const gatewayLogs = { accountRole: "exists" } as const;
  let run: RelayRun;
  before(async () => {
    run = await runRelay({ delivery: "replay", gatewayLogs });
  });

  const names = (type: string) => byType(run.registrations)[type] ?? [];
  const connectAuth = () => JSON.parse(run.variables("relay-connect").AUTH ?? "") as Record<string, unknown>;
  const mapping = () => run.inputs("aws:lambda/eventSourceMapping:EventSourceMapping", "relay-deliver-mapping");
  const stage = () => run.inputs("aws:apigatewayv2/stage:Stage", "relay-stage");
  const routeSettings = () => stage().defaultRouteSettings as Record<string, unknown>;
  const pingSettings = () =>
    (stage().routeSettings as Record<string, unknown>[]).find(({ routeKey }) => routeKey === "ping") ?? {};
  const loggingConfig = () =>
    run.inputs("aws:lambda/function:Function", "relay-deliver").loggingConfig as Record<string, unknown>;
  const publishers = (sid: string) => {
    const { policy } = run.inputs("aws:sns/topicPolicy:TopicPolicy", "relay-topic-policy");
    return (JSON.parse(policy as string) as { Statement: { Sid: string }[] }).Statement.filter(
      ({ Sid }) => Sid === sid,
    );
  };
  const alarm = (part: string) => run.inputs("aws:cloudwatch/metricAlarm:MetricAlarm", `relay-${part}-alarm`);
  const refusedHandshakes = () => JSON.stringify(alarm("refused-handshakes").metricQueries);

  /** What is registered for each in a relay that leaves it out. */
  const registered: Record<string, () => unknown> = {
    "auth.oidc.authorizedParties": () =>
      (connectAuth().oidc as { authorizedParties?: string[] }).authorizedParties ?? null,
    "auth.userClaim": () => connectAuth().userClaim,
    "auth.clockToleranceSeconds": () => connectAuth().clockToleranceSeconds,
    "auth.cookieName": () => connectAuth().cookieName,
    "auth.endSessionWithToken": () => names("aws:lambda/function:Function").includes("relay-sweep"),
    allowedOrigins: () =>
      (JSON.parse(run.variables("relay-connect").ALLOWED_ORIGINS ?? "") as string[]).filter(
        (origin) => !origin.endsWith(".amazonaws.com"),
      ),
    sessionTtlSeconds: () => Number(run.variables("relay-connect").SESSION_TTL_SECONDS),
    connections: () => run.variables("relay-connect").CONNECTIONS,
    maxAttempts: () => Number(run.variables("relay-deliver").MAX_ATTEMPTS),
    backoffMinSeconds: () => Number(run.variables("relay-deliver").BACKOFF_MIN_SECONDS),
    backoffMaxSeconds: () => Number(run.variables("relay-deliver").BACKOFF_MAX_SECONDS),
    batchSize: () => mapping().batchSize,
    maximumBatchingWindowInSeconds: () => mapping().maximumBatchingWindowInSeconds,
    maximumConcurrency: () => (mapping().scalingConfig as { maximumConcurrency: number }).maximumConcurrency,
    messageRetentionSeconds: () => run.inputs("aws:sqs/queue:Queue", "relay-queue").messageRetentionSeconds,
    // This relay sets it, so that the others are registered.
    delivery: () => resolveArgs({ auth }).delivery,
    historyRetentionSeconds: () => Number(run.variables("relay-expire").HISTORY_RETENTION_SECONDS),
    historyGeneration: () => Number(run.variables("relay-deliver").HISTORY_GENERATION),
    deadLetterExpired: () => run.variables("relay-expire").DEAD_LETTER_QUEUE_URL !== undefined,
    receipts: () => names("aws:sns/topic:Topic").length > 1,
    rawClients: () => names("aws:sqs/queue:Queue").includes("relay-flush-queue"),
    ordering: () => (run.inputs("aws:sns/topic:Topic", "relay-topic").fifoTopic ? "strict" : "standard"),
    httpRead: () => names("aws:lambda/function:Function").includes("relay-read"),
    connectionIndex: () => run.variables("relay-disconnect").CONNECTION_INDEX_NAME !== undefined,
    publisherAccountIds: () => publishers("PublisherAccounts"),
    publisherOrganizationIds: () => publishers("PublisherOrganizations"),
    subscriptionDeadLetterQueueSse: () => resolveArgs({ auth }).subscriptionDeadLetterQueueSse,
    protectData: () => run.guarded.length > 0,
    logRetentionInDays: () => run.inputs("aws:cloudwatch/logGroup:LogGroup", "relay-connect-logs").retentionInDays,
    applicationLogLevel: () => loggingConfig().applicationLogLevel,
    throttlingRateLimit: () => routeSettings().throttlingRateLimit,
    throttlingBurstLimit: () => routeSettings().throttlingBurstLimit,
    pingThrottlingRateLimit: () => pingSettings().throttlingRateLimit,
    pingThrottlingBurstLimit: () => pingSettings().throttlingBurstLimit,
    stageName: () => stage().name,
    ipAddressType: () => run.inputs("aws:apigatewayv2/api:Api", "relay-api").ipAddressType,
    "alarms.enabled": () => names("aws:cloudwatch/metricAlarm:MetricAlarm").length > 0,
    "alarms.actions": () => alarm("dead-letters").alarmActions,
    "alarms.deadLetters": () => alarm("dead-letters").threshold,
    "alarms.userAwayDeadLetters": () => alarm("dead-letters-user-away").threshold,
    "alarms.expiredMessages": () => alarm("expired-messages").threshold,
    "alarms.historySweepLagSeconds": () => Number(alarm("history-sweep-behind").threshold) / 1_000,
    "alarms.invisibleMessages": () => alarm("invisible-messages").threshold,
    "alarms.functionErrors": () => alarm("connect-errors").threshold,
    "alarms.functionThrottles": () => alarm("connect-throttles").threshold,
    "alarms.failedHandshakes": () => alarm("failed-handshakes").threshold,
    "alarms.refusedHandshakesPercent": () => alarm("refused-handshakes").threshold,
    "alarms.refusedHandshakesMinimum": () => Number(/ >= (\d+)/.exec(refusedHandshakes())?.[1]),
    dashboard: () => names("aws:cloudwatch/dashboard:Dashboard").length > 0,
    "gatewayLogs.executionLoggingLevel": () => routeSettings().loggingLevel,
    tags: () => run.inputs("aws:sns/topic:Topic", "relay-topic").tags,
  };

  it("is one of these, each of which is looked for in what is registered", () => {
    expect(withDefault.map(({ path }) => path)).to.have.members(Object.keys(registered));
  });

  for (const { path, option } of withDefault) {
    it(`is what a relay without ${path} registers`, () => {
      expect(registered[path]?.()).to.deep.equal(option.default);
    });

    it(`changes nothing where ${path} is set to it`, () => {
      const given = argsWith(path, option.default) as { auth?: { oidc?: object }; gatewayLogs?: object };
      const withIt = {
        ...given,
        auth: { ...auth, ...given.auth, oidc: { ...auth.oidc, ...given.auth?.oidc } },
        gatewayLogs: { ...gatewayLogs, ...given.gatewayLogs },
      };
      const resolved = resolveArgs(withIt as WebsocketRelayArgs);
      expect({ ...resolved, auth }).to.deep.equal(resolveArgs({ auth, gatewayLogs }));
    });
  }

  it("is what the functions assume, too, where they are used without the component", () => {
    const { userClaim, clockToleranceSeconds } = spec.auth.keys;
    expect(VERIFIER_DEFAULTS).to.deep.equal({
      userClaim: userClaim.default,
      clockToleranceSeconds: clockToleranceSeconds.default,
    });
    expect(clockToleranceSeconds.max).to.equal(MAX_CLOCK_TOLERANCE_SECONDS);
  });
});

describe("the dead-letter queue", () => {
  it("keeps messages longer than the longest retention of the retry queue", async () => {
    const { inputs } = await runPart((args, opts) => new Publisher("relay", args, opts));
    const { messageRetentionSeconds } = inputs("aws:sqs/queue:Queue", "relay-dead-letter-queue");
    expect(messageRetentionSeconds).to.be.above(spec.messageRetentionSeconds.max);
    expect(messageRetentionSeconds).to.equal(spec.historyRetentionSeconds.max);
  });
});
