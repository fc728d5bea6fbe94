import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs } from "../../../components/args/args";
import { type AlarmArgs, resolveAlarms, type ResolvedAlarms } from "../../../components/args/alarmArgs";
import { alarmsOf } from "../../../components/monitoring/alarms";

const retry = { retryWindowSeconds: { shortest: 3603, longest: 7206 }, thirdReceiveSeconds: 6 };
const topicArn = "arn:aws:sns:eu-west-1:444455556666:on-call";
const subjects = {
  relayName: "chat-prod-relay",
  delivery: "retry" as const,
  topicName: "topic",
  queueName: "queue",
  deadLetterQueueName: "dead-letter-queue",
  subscriptionDeadLetterQueueName: "subscription-dead-letter-queue",
  functionNames: { connect: "connect-1a2b" },
};

describe("resolveAlarms", () => {
  it("has every alarm by default, with thresholds that a healthy relay does not pass, and no actions", () => {
    expect(resolveAlarms({}, retry)).to.deep.equal({
      actions: [],
      failedNotifications: 0,
      deadLetters: 0,
      userAwayDeadLetters: 100,
      expiredMessages: 100,
      historySweepLagSeconds: 600,
      deliverLagSeconds: 246,
      ageAtFailedAttemptSeconds: 2702,
      invisibleMessages: 80_000,
      functionErrors: 0,
      functionThrottles: 0,
      failedHandshakes: 0,
      refusedHandshakesPercent: 50,
      refusedHandshakesMinimum: 20,
    });
  });

  it("has no alarms on SNS for a topic of the user's, whose other subscriptions they would count, unless a threshold is set", () => {
    const own = (alarms: AlarmArgs) => resolveAlarms(alarms, retry, "retry", false)?.failedNotifications;
    expect(own({})).to.equal(undefined);
    expect(own({ failedNotifications: 0 })).to.equal(0);
  });

  it("sets the age below the time when the first message can be dead-lettered, for any retry window", () => {
    const age = (shortest: number) =>
      resolveAlarms({}, { ...retry, retryWindowSeconds: { shortest, longest: shortest } })?.ageAtFailedAttemptSeconds;
    expect([0, 1, 4, 44].map(age)).to.deep.equal([1, 1, 3, 33]);
  });

  it("takes what is given, and a default for what is null, as YAML has an empty key", () => {
    const given = { actions: [topicArn], deadLetters: 5, invisibleMessages: null } as unknown as AlarmArgs;
    expect(resolveAlarms(given, retry)).to.deep.include({
      actions: [topicArn],
      deadLetters: 5,
      invisibleMessages: 80_000,
    });
  });

  it("has none where they are not enabled, and still checks what is given", () => {
    expect(resolveAlarms({ enabled: false }, retry)).to.equal(undefined);
    expect(() => resolveAlarms({ enabled: false, deadLetters: -1 }, retry)).to.throw("alarms.deadLetters");
  });

  it("takes actions that are known later", () => {
    const actions = pulumi.output([topicArn]);
    expect(resolveAlarms({ actions }, retry)?.actions).to.equal(actions);
    expect(() => resolveAlarms({ actions: [pulumi.output(topicArn)] }, retry)).not.to.throw();
  });

  const refused: [what: string, given: unknown, path: string, part: string][] = [
    ["a list", [topicArn], "alarms", "{ actions: [topicArn] }"],
    ["a switch that is none", { enabled: "yes" }, "alarms.enabled", '"yes"'],
    ["an unknown key", { action: topicArn }, "alarms.action", "actions"],
    ["actions that are no list", { actions: topicArn }, "alarms.actions", "a list of ARNs"],
    ["an action that is no ARN", { actions: [topicArn, "on-call"] }, "alarms.actions[1]", '"on-call"'],
    ["more actions than CloudWatch takes", { actions: Array(6).fill(topicArn) }, "alarms.actions", "6 actions"],
    ["a negative threshold", { deadLetters: -1 }, "alarms.deadLetters", "got -1"],
    ["a fraction", { functionErrors: 0.5 }, "alarms.functionErrors", "whole number"],
    ["a threshold in quotes", { functionThrottles: "1" }, "alarms.functionThrottles", '"1"'],
    ["no age", { ageAtFailedAttemptSeconds: 0 }, "alarms.ageAtFailedAttemptSeconds", "from 1"],
    [
      "an age past any retention",
      { ageAtFailedAttemptSeconds: 1_209_601 },
      "alarms.ageAtFailedAttemptSeconds",
      "1209600",
    ],
    ["as many messages as a queue holds", { invisibleMessages: 120_000 }, "alarms.invisibleMessages", "119999"],
    ["a share that nothing passes", { refusedHandshakesPercent: 100 }, "alarms.refusedHandshakesPercent", "99"],
    ["a share of nothing", { refusedHandshakesMinimum: 0 }, "alarms.refusedHandshakesMinimum", "from 1"],
    ["expired messages of a relay that has no history", { expiredMessages: 1 }, "alarms.expiredMessages", '"replay"'],
    [
      "a sweeper's lag of a relay that has no history",
      { historySweepLagSeconds: 601 },
      "alarms.historySweepLagSeconds",
      '"replay"',
    ],
    ["a lag that is normal", { historySweepLagSeconds: 119 }, "alarms.historySweepLagSeconds", "from 120"],
    [
      "a lag past which messages are lost",
      { historySweepLagSeconds: 259_201 },
      "alarms.historySweepLagSeconds",
      "259200",
    ],
    ["a depth that no queue can have", { deadLetterQueueDepth: -1 }, "alarms.deadLetterQueueDepth", "from 0"],
    ["failed notifications in quotes", { failedNotifications: "0" }, "alarms.failedNotifications", "without quotes"],
    ["failed handshakes of no number", { failedHandshakes: NaN }, "alarms.failedHandshakes", "whole number"],
  ];
  for (const [what, given, path, part] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      const resolve = () => resolveAlarms(given as AlarmArgs, retry);
      expect(resolve).to.throw(pulumi.InputPropertyError, `${path}: got`);
      expect(resolve).to.throw(part);
      expect(resolve).to.throw("Fix: ");
    });
  }
});

describe("alarmsOf", () => {
  const alarms = alarmsOf(resolveAlarms({}, retry) as ResolvedAlarms, subjects);
  const once = {
    period: 300,
    evaluationPeriods: 1,
    comparisonOperator: "GreaterThanThreshold",
    treatMissingData: "notBreaching",
  };
  const repeatedly = { ...once, evaluationPeriods: 3, datapointsToAlarm: 2 };

  const expected: [part: string, what: string, alarm: object][] = [
    [
      "failed-notifications",
      "any message that SNS could not deliver",
      {
        namespace: "AWS/SNS",
        metricName: "NumberOfNotificationsFailed",
        dimensions: { TopicName: "topic" },
        statistic: "Sum",
        threshold: 0,
        ...once,
      },
    ],
    [
      "lost-notifications",
      "any message that the subscription's dead-letter queue did not take either",
      {
        namespace: "AWS/SNS",
        metricName: "NumberOfNotificationsFailedToRedriveToDlq",
        dimensions: { TopicName: "topic" },
        statistic: "Sum",
        threshold: 0,
        ...once,
      },
    ],
    [
      "subscription-dead-letters",
      "any message that SNS puts into the subscription's dead-letter queue, and not what is still there",
      {
        namespace: "AWS/SQS",
        metricName: "NumberOfMessagesSent",
        dimensions: { QueueName: "subscription-dead-letter-queue" },
        statistic: "Sum",
        threshold: 0,
        ...once,
      },
    ],
    [
      "dead-letters",
      "any dead letter that is to be fixed, and not what is still there",
      {
        namespace: "WebsocketRelay",
        metricName: "DeadLetteredToFix",
        dimensions: { Relay: "chat-prod-relay" },
        statistic: "Sum",
        threshold: 0,
        ...once,
      },
    ],
    [
      "dead-letters-user-away",
      "more dead letters of absent users than single ones cause",
      {
        namespace: "WebsocketRelay",
        metricName: "DeadLetteredUserAway",
        dimensions: { Relay: "chat-prod-relay" },
        statistic: "Sum",
        threshold: 100,
        ...once,
      },
    ],
    [
      "deliver-behind",
      "messages that deliver has not got yet, or gets again and again",
      {
        namespace: "AWS/SQS",
        metricName: "ApproximateAgeOfOldestMessage",
        dimensions: { QueueName: "queue" },
        statistic: "Maximum",
        threshold: 246,
        ...once,
      },
    ],
    [
      "age-at-failed-attempt",
      "the oldest message that was tried in vain though its user was not away, in the metric's milliseconds",
      {
        namespace: "WebsocketRelay",
        metricName: "AgeAtFailedAttempt",
        dimensions: { Relay: "chat-prod-relay" },
        statistic: "Maximum",
        threshold: 2_702_000,
        ...once,
      },
    ],
    [
      "invisible-messages",
      "a retry queue that fills",
      {
        namespace: "AWS/SQS",
        metricName: "ApproximateNumberOfMessagesNotVisible",
        dimensions: { QueueName: "queue" },
        statistic: "Maximum",
        threshold: 80_000,
        ...once,
      },
    ],
    [
      "connect-errors",
      "a function that crashes in two periods of three",
      {
        namespace: "AWS/Lambda",
        metricName: "Errors",
        dimensions: { FunctionName: "connect-1a2b" },
        statistic: "Sum",
        threshold: 0,
        ...repeatedly,
      },
    ],
    [
      "connect-throttles",
      "a function that is throttled in two periods of three",
      {
        namespace: "AWS/Lambda",
        metricName: "Throttles",
        dimensions: { FunctionName: "connect-1a2b" },
        statistic: "Sum",
        threshold: 0,
        ...repeatedly,
      },
    ],
    [
      "failed-handshakes",
      "handshakes that are refused by a fault of ours",
      {
        namespace: "WebsocketRelay",
        metricName: "HandshakesRefused",
        dimensions: { Relay: "chat-prod-relay", Reason: "internal-error" },
        statistic: "Sum",
        threshold: 0,
        ...repeatedly,
      },
    ],
  ];
  for (const [part, what, alarm] of expected) {
    it(`watches ${what} (${part})`, () => {
      const { alarmDescription, ...rest } = alarms[part] ?? {};
      expect(rest).to.deep.equal(alarm);
      expect(alarmDescription).to.match(/\.$/);
    });
  }

  it("watches the share of handshakes that are refused for what may be configured wrongly, once there are enough", () => {
    const { alarmDescription, metricQueries, ...rest } = alarms["refused-handshakes"] ?? {};
    const sum = (id: string, metricName: string, dimensions: object) => ({
      id,
      metric: { namespace: "WebsocketRelay", metricName, dimensions, stat: "Sum", period: 300 },
      returnData: false,
    });
    const refused = (id: string, Reason: string) => sum(id, "HandshakesRefused", { Relay: "chat-prod-relay", Reason });
    expect(metricQueries).to.deep.equal([
      sum("accepted", "HandshakesAccepted", { Relay: "chat-prod-relay" }),
      refused("noCredential", "no-credential"),
      refused("tokenRefused", "token-refused"),
      refused("ambiguousCookie", "ambiguous-cookie"),
      refused("originNotAllowed", "origin-not-allowed"),
      {
        id: "refused",
        expression:
          "FILL(noCredential, 0) + FILL(tokenRefused, 0) + FILL(ambiguousCookie, 0) + FILL(originNotAllowed, 0)",
        returnData: false,
      },
      { id: "handshakes", expression: "refused + FILL(accepted, 0)", returnData: false },
      {
        id: "share",
        label: "Refused handshakes (%)",
        expression: "IF(handshakes >= 20, 100 * refused / handshakes, 0)",
        returnData: true,
      },
    ]);
    const { period, ...evaluation } = repeatedly;
    expect(rest).to.deep.equal({ threshold: 50, ...evaluation });
    expect(alarmDescription).to.include("issuer").and.to.include("Node 24");
    expect(period).to.equal(300);
  });

  it("watches the depth of the dead-letter queue only where a threshold is set, and keeps its state while the queue has no metrics", () => {
    expect(alarms).not.to.have.property("dead-letter-queue-depth");
    const resolved = resolveAlarms({ deadLetterQueueDepth: 0 }, retry) as ResolvedAlarms;
    const { alarmDescription, ...alarm } = alarmsOf(resolved, subjects)["dead-letter-queue-depth"] ?? {};
    expect(alarmDescription).to.include("without a reason");
    expect(alarm).to.deep.equal({
      namespace: "AWS/SQS",
      metricName: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: "dead-letter-queue" },
      statistic: "Maximum",
      threshold: 0,
      ...once,
      treatMissingData: "ignore",
    });
  });

  it("has no alarm on SNS where there is no threshold for them", () => {
    const resolved = resolveAlarms({}, retry, "retry", false) as ResolvedAlarms;
    expect(Object.keys(alarmsOf(resolved, subjects))).to.deep.equal(
      Object.keys(alarms).filter((part) => part !== "failed-notifications" && part !== "lost-notifications"),
    );
  });

  it("says what to look at where SNS loses messages: the key, characters and attributes", () => {
    expect(alarms["lost-notifications"]?.alarmDescription).to.match(
      /key's policy, control characters .* ten attributes/,
    );
    expect(alarms["subscription-dead-letters"]?.alarmDescription).to.match(/queue's policy and the key's/);
  });

  it("is OK from its creation on, or raised: no alarm's state is unknown while its metric has never had a value", () => {
    const resolved = resolveAlarms({}, retry, "replay") as ResolvedAlarms;
    const all = Object.entries(alarmsOf(resolved, { ...subjects, delivery: "replay" }));
    const untold = all.filter(
      ([, { treatMissingData }]) => treatMissingData !== "notBreaching" && treatMissingData !== "breaching",
    );
    expect(untold.map(([part]) => part)).to.deep.equal([]);
    expect(all.filter(([, alarm]) => alarm.treatMissingData === "breaching").map(([part]) => part)).to.deep.equal([
      "history-sweep-behind",
    ]);
  });

  it("evaluates at most ten metrics in an expression, none of them by SEARCH, which alarms cannot use", () => {
    for (const { metricQueries = [] } of Object.values(alarms)) {
      const queries = metricQueries as { metric?: object; expression?: string }[];
      expect(queries.filter(({ metric }) => metric).length).to.be.at.most(10);
      expect(queries.filter(({ expression = "" }) => expression.includes("SEARCH"))).to.deep.equal([]);
    }
  });

  for (const args of [{}, { maximumBatchingWindowInSeconds: 300 }, { backoffMinSeconds: 30 }]) {
    it(`raises deliver-behind for no message that is only tried again, with ${JSON.stringify(args)}, and before its third receive if Lambda cannot invoke deliver`, () => {
      const resolved = resolveArgs({ auth: null, ...args });
      const { backoffMinSeconds, maximumBatchingWindowInSeconds, visibilityTimeoutSeconds } = resolved;
      const threshold = resolved.alarms?.deliverLagSeconds;
      // After the third receive, the metric leaves it out: two pauses and two windows.
      const third = 3 * backoffMinSeconds + 2 * maximumBatchingWindowInSeconds;
      expect(threshold).to.equal(third + 240);
      expect(threshold).to.be.below(2 * visibilityTimeoutSeconds);
    });
  }

  for (const args of [{}, { maxAttempts: 1 }, { maxAttempts: 1, batchSize: 11, maximumBatchingWindowInSeconds: 300 }]) {
    it(`raises deliver-errors before the queue itself moves a message that crashes deliver, with ${JSON.stringify(args)}`, () => {
      const { visibilityTimeoutSeconds, maxReceiveCount } = resolveArgs({ auth: null, ...args });
      const {
        threshold = 1,
        period = 0,
        evaluationPeriods,
        datapointsToAlarm,
      } = alarms["connect-errors"] as {
        threshold: number;
        period: number;
        evaluationPeriods: number;
        datapointsToAlarm: number;
      };
      const crashes = Array.from({ length: maxReceiveCount }, (_, receive) => receive * visibilityTimeoutSeconds);
      const movedAt = maxReceiveCount * visibilityTimeoutSeconds;
      // CloudWatch evaluates each minute.
      const isRaised = Array.from({ length: Math.floor(movedAt / 60) }, (_, minute) => minute * 60).some((now) => {
        const errors = Array.from({ length: evaluationPeriods }, (_, back) => {
          const end = now - back * period;
          return crashes.filter((at) => at < end && at >= end - period).length;
        });
        return errors.filter((count) => count > threshold).length >= datapointsToAlarm;
      });
      expect(isRaised).to.equal(true);
    });
  }

  it("has two alarms for each function and ten others", () => {
    const functionNames = { connect: "a", disconnect: "b", deliver: "c", sweep: "d" };
    const parts = Object.keys(alarmsOf(resolveAlarms({}, retry) as ResolvedAlarms, { ...subjects, functionNames }));
    expect(parts.filter((part) => /-(errors|throttles)$/.test(part))).to.deep.equal(
      ["connect", "disconnect", "deliver", "sweep"].flatMap((name) => [`${name}-errors`, `${name}-throttles`]),
    );
    expect(parts).to.have.lengthOf(4 * 2 + 10);
  });

  it("watches the expired messages and the sweeper of a relay that has a history, and of no other", () => {
    expect(alarms).not.to.have.property("expired-messages");
    const given = { expiredMessages: 7, historySweepLagSeconds: 300 };
    const resolved = resolveAlarms(given, retry, "replay") as ResolvedAlarms;
    const those = alarmsOf(resolved, { ...subjects, delivery: "replay" });
    expect(Object.keys(those).filter((part) => !(part in alarms))).to.deep.equal([
      "expired-messages",
      "history-sweep-behind",
    ]);
    const { alarmDescription, ...alarm } = those["expired-messages"] ?? {};
    expect(alarmDescription).to.include("No client acknowledged");
    expect(alarm).to.deep.equal({
      namespace: "WebsocketRelay",
      metricName: "Expired",
      dimensions: { Relay: "chat-prod-relay" },
      statistic: "Sum",
      threshold: 7,
      ...once,
    });
    expect(those["history-sweep-behind"]).to.deep.equal({
      alarmDescription:
        "The history sweeper is over 300 s late, or is not called: expired messages are reported late. See expire's log.",
      namespace: "WebsocketRelay",
      metricName: "HistorySweepLag",
      dimensions: { Relay: "chat-prod-relay" },
      statistic: "Maximum",
      threshold: 300_000,
      ...once,
      treatMissingData: "breaching",
    });
  });

  it("uses the thresholds that are given", () => {
    const given = {
      failedNotifications: 9,
      deadLetters: 1,
      userAwayDeadLetters: 10,
      deadLetterQueueDepth: 11,
      deliverLagSeconds: 60,
      ageAtFailedAttemptSeconds: 2,
      invisibleMessages: 3,
      functionErrors: 4,
      functionThrottles: 5,
      failedHandshakes: 6,
      refusedHandshakesPercent: 7,
      refusedHandshakesMinimum: 8,
    };
    const those = alarmsOf(resolveAlarms(given, retry) as ResolvedAlarms, subjects);
    expect(Object.fromEntries(Object.entries(those).map(([part, { threshold }]) => [part, threshold]))).to.deep.equal({
      "failed-notifications": 9,
      "lost-notifications": 9,
      "subscription-dead-letters": 1,
      "dead-letters": 1,
      "dead-letters-user-away": 10,
      "dead-letter-queue-depth": 11,
      "deliver-behind": 60,
      "age-at-failed-attempt": 2_000,
      "invisible-messages": 3,
      "connect-errors": 4,
      "connect-throttles": 5,
      "failed-handshakes": 6,
      "refused-handshakes": 7,
    });
    expect(JSON.stringify(those["refused-handshakes"]?.metricQueries)).to.include("handshakes >= 8");
  });
});
