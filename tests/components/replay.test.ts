import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../components";
import { INDEX_SHARDS } from "../../handlers/connections/connectionItems";
import { valueOf } from "../support/recorder";
import { byType, type RelayRun, runRelay } from "../support/relayRun";

const replay = { delivery: "replay" } as const;
const history = "arn:aws:dynamodb:eu-west-1:111122223333:table/relay-history-table";
const sessions = "arn:aws:dynamodb:eu-west-1:111122223333:table/relay-table";
const receipts = "arn:aws:sns:eu-west-1:111122223333:relay-receipts-topic";
const flushQueue = "arn:aws:sqs:eu-west-1:111122223333:relay-flush-queue";
const deadLetters = "arn:aws:sqs:eu-west-1:111122223333:relay-dead-letter-queue";
const connections = (...methods: string[]) =>
  methods.map((method) => `arn:aws:execute-api:eu-west-1:111122223333:api123/live/${method}/@connections/*`);

describe("a relay in replay mode", () => {
  let run: RelayRun;
  let plain: RelayRun;

  before(async () => {
    run = await runRelay({ ...replay, tags: { team: "chat" } });
    plain = await runRelay({});
  });

  it("registers the parts of retry mode, a history, the functions for frames and raw clients, and the history sweeper; nothing else", () => {
    expect(added(run, plain)).to.have.members([
      "websocket-relay:index:Replay relay-replay",
      "websocket-relay:index:HistoryTable relay-history",
      "websocket-relay:index:HistorySweeper relay-history-sweeper",
      "aws:dynamodb/table:Table relay-history-table",
      "aws:sqs/queue:Queue relay-flush-queue",
      "aws:sqs/queuePolicy:QueuePolicy relay-flush-queue-policy",
      "aws:lambda/eventSourceMapping:EventSourceMapping relay-flush-mapping",
      ...["resume", "acknowledge", "flush", "expire"].flatMap((part) => [
        `websocket-relay:index:CallbackFunction relay-${part}`,
        `aws:cloudwatch/logGroup:LogGroup relay-${part}-logs`,
        `aws:iam/role:Role relay-${part}-role`,
        `aws:iam/rolePolicy:RolePolicy relay-${part}-policy`,
        `aws:lambda/function:Function relay-${part}`,
        `aws:cloudwatch/metricAlarm:MetricAlarm relay-${part}-errors-alarm`,
        `aws:cloudwatch/metricAlarm:MetricAlarm relay-${part}-throttles-alarm`,
      ]),
      ...["resume", "acknowledge"].flatMap((part) => [
        `aws:apigatewayv2/integration:Integration relay-${part}-integration`,
        `aws:lambda/permission:Permission relay-${part}-permission`,
      ]),
      ...["1", "2"].flatMap((rule) => [
        `aws:cloudwatch/eventRule:EventRule relay-expire-${rule}-rule`,
        `aws:lambda/permission:Permission relay-expire-${rule}-permission`,
      ]),
      "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig relay-expire-invoke-config",
      ...INDEX_SHARDS.map((shard) => `aws:cloudwatch/eventTarget:EventTarget relay-expire-${shard}-target`),
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-expired-messages-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-history-sweep-behind-alarm",
    ]);
    expect(added(plain, run)).to.deep.equal([]);
  });

  it("registers the same in a preview, where what AWS computes is unknown", async () => {
    const preview = await runRelay(replay, { preview: true });
    expect(byType(preview.registrations)).to.deep.equal(byType(run.registrations));
  });

  it("keys the history by session and entry, and finds what is due without reading any body", () => {
    expect(run.inputs("aws:dynamodb/table:Table", "relay-history-table")).to.deep.equal({
      billingMode: "PAY_PER_REQUEST",
      hashKey: "session",
      rangeKey: "entry",
      attributes: [
        { name: "session", type: "S" },
        { name: "entry", type: "S" },
        { name: "due_shard", type: "S" },
        { name: "due_at", type: "N" },
      ],
      globalSecondaryIndexes: [
        {
          name: "due",
          keySchemas: [
            { attributeName: "due_shard", keyType: "HASH" },
            { attributeName: "due_at", keyType: "RANGE" },
          ],
          projectionType: "INCLUDE",
          nonKeyAttributes: ["caller_id", "context"],
        },
      ],
      ttl: { attributeName: "expiration_date", enabled: true },
      pointInTimeRecovery: { enabled: false },
      serverSideEncryption: { enabled: false },
      tags: { team: "chat" },
    });
  });

  it("routes the frames to their functions without a response, each with a permission for its own route", () => {
    for (const [part, routeKey] of [
      ["resume", "resume"],
      ["acknowledge", "ack"],
    ] as const) {
      expect(run.inputs("aws:apigatewayv2/integration:Integration", `relay-${part}-integration`)).to.deep.equal({
        apiId: "relay-api-id",
        integrationType: "AWS_PROXY",
        integrationMethod: "POST",
        integrationUri: `invoke:relay-${part}`,
      });
      expect(run.inputs("aws:apigatewayv2/route:Route", `relay-${part}-route`)).to.deep.equal({
        apiId: "relay-api-id",
        routeKey,
        target: `integrations/relay-${part}-integration-id`,
      });
      expect(run.inputs("aws:lambda/permission:Permission", `relay-${part}-permission`)).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: `relay-${part}`,
        principal: "apigateway.amazonaws.com",
        sourceArn: `arn:aws:execute-api:eu-west-1:111122223333:api123/*/${routeKey}`,
      });
    }
    expect(byType(run.registrations)["aws:apigatewayv2/routeResponse:RouteResponse"]).to.deep.equal([
      "relay-ping-route-response",
    ]);
  });

  it("deploys the routes of the frames, and opens the stage once their functions may be called", () => {
    const parts = ["connect", "disconnect", "resume", "acknowledge"];
    const routed = [...parts, "ping"].flatMap((part) => [`relay-${part}-route`, `relay-${part}-integration`]);
    const responses = ["relay-ping-integration-response", "relay-ping-route-response"];
    expect(run.dependencies["relay-deployment"]).to.deep.equal([...routed, ...responses].sort());
    expect(run.dependencies["relay-stage"]).to.deep.equal(parts.map((part) => `relay-${part}-permission`).sort());
  });

  it("gives the functions of the frames less than the gateway's 29 seconds, and expire less than its minute", () => {
    const timeout = (name: string) => run.inputs("aws:lambda/function:Function", name).timeout;
    expect([timeout("relay-resume"), timeout("relay-acknowledge"), timeout("relay-expire")]).to.deep.equal([
      28, 28, 50,
    ]);
  });

  it("has expire called every minute for each shard, by its two rules alone, with at most five targets each", () => {
    const called = INDEX_SHARDS.map((shard) =>
      run.inputs("aws:cloudwatch/eventTarget:EventTarget", `relay-expire-${shard}-target`),
    );
    const arn = "arn:aws:lambda:eu-west-1:111122223333:function:relay-expire";
    expect(called).to.deep.equal(
      [0, 1, 2, 3, 4, 5, 6, 7].map((shard) => ({
        rule: `relay-expire-${shard < 4 ? 1 : 2}-rule`,
        arn,
        input: `{"shard":${shard}}`,
        retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 },
      })),
    );
    for (const rule of ["relay-expire-1", "relay-expire-2"]) {
      expect(run.inputs("aws:cloudwatch/eventRule:EventRule", `${rule}-rule`)).to.deep.equal({
        scheduleExpression: "rate(1 minute)",
        tags: { team: "chat" },
      });
      expect(run.inputs("aws:lambda/permission:Permission", `${rule}-permission`)).to.deep.equal({
        action: "lambda:InvokeFunction",
        function: "relay-expire",
        principal: "events.amazonaws.com",
        sourceArn: `arn:aws:events:eu-west-1:111122223333:rule/${rule}-rule`,
      });
    }
  });

  it("has a run of expire that is late by a minute dropped, and none repeated", () => {
    const type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig";
    expect(byType(run.registrations)[type]).to.deep.equal(["relay-expire-invoke-config"]);
    expect(run.inputs(type, "relay-expire-invoke-config")).to.deep.equal({
      functionName: "relay-expire",
      maximumEventAgeInSeconds: 60,
      maximumRetryAttempts: 0,
    });
  });

  it("raises the sweeper's alarm, and no other, without any data: the sweeper is not called", () => {
    const alarms = run.registrations.filter(({ type }) => type === "aws:cloudwatch/metricAlarm:MetricAlarm");
    const raised = alarms.filter(({ inputs }) => inputs.treatMissingData === "breaching");
    expect(raised.map(({ name }) => name)).to.deep.equal(["relay-history-sweep-behind-alarm"]);
  });

  it("asks for what raw clients have missed through a queue of its own, which delays the requests, and keeps none for long", () => {
    expect(run.inputs("aws:sqs/queue:Queue", "relay-flush-queue")).to.deep.equal({
      delaySeconds: 1,
      visibilityTimeoutSeconds: 60,
      messageRetentionSeconds: 300,
      sqsManagedSseEnabled: true,
      tags: { team: "chat" },
    });
    expect(run.inputs("aws:lambda/eventSourceMapping:EventSourceMapping", "relay-flush-mapping")).to.deep.equal({
      eventSourceArn: flushQueue,
      functionName: "arn:aws:lambda:eu-west-1:111122223333:function:relay-flush",
      batchSize: 10,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 10 },
      tags: { team: "chat" },
    });
    expect(run.inputs("aws:lambda/function:Function", "relay-flush").timeout).to.equal(30);
  });

  it("leaves that queue to the policies of its account's roles, and denies them calls without TLS", () => {
    const { queueUrl, policy } = run.inputs("aws:sqs/queuePolicy:QueuePolicy", "relay-flush-queue-policy");
    expect(queueUrl).to.equal("https://sqs.eu-west-1.amazonaws.com/111122223333/relay-flush-queue");
    const { Statement } = JSON.parse(policy as string) as { Statement: object[] };
    expect(Statement).to.have.lengthOf(1);
    expect(Statement[0]).to.deep.include({
      Effect: "Deny",
      Action: "sqs:*",
      Resource: flushQueue,
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  });

  it("keeps that queue standard where the others are FIFO, which delay no single message", async () => {
    const strict = await runRelay({ ...replay, ordering: "strict", batchSize: 10 });
    expect(strict.inputs("aws:sqs/queue:Queue", "relay-flush-queue")).not.to.have.property("fifoQueue");
  });

  it("lets only connect and flush use that queue", () => {
    const users = ["connect", "disconnect", "deliver", "resume", "acknowledge", "flush", "expire"].filter((part) =>
      JSON.stringify(rights(run, part)).includes(flushQueue),
    );
    expect(users).to.deep.equal(["connect", "flush"]);
    expect(rights(run, "connect")).to.deep.include(allow(flushQueue, "sqs:SendMessage"));
    expect(rights(run, "flush")).to.deep.equal([
      allow(sessions, "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
      allow(history, "dynamodb:Query", "dynamodb:UpdateItem"),
      { Effect: "Allow", Action: ["execute-api:ManageConnections"], Resource: connections("POST", "GET", "DELETE") },
      allow(
        flushQueue,
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ChangeMessageVisibility",
      ),
    ]);
  });

  it("has nothing of all that where raw clients are refused", async () => {
    const refusing = await runRelay({ ...replay, rawClients: false, tags: { team: "chat" } });
    expect(added(refusing, run)).to.deep.equal([]);
    expect(added(run, refusing)).to.have.members([
      "aws:sqs/queue:Queue relay-flush-queue",
      "aws:sqs/queuePolicy:QueuePolicy relay-flush-queue-policy",
      "aws:lambda/eventSourceMapping:EventSourceMapping relay-flush-mapping",
      "websocket-relay:index:CallbackFunction relay-flush",
      "aws:cloudwatch/logGroup:LogGroup relay-flush-logs",
      "aws:iam/role:Role relay-flush-role",
      "aws:iam/rolePolicy:RolePolicy relay-flush-policy",
      "aws:lambda/function:Function relay-flush",
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-flush-errors-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm relay-flush-throttles-alarm",
    ]);
    expect(JSON.stringify(rights(refusing, "connect"))).not.to.include("sqs:");
  });

  it("gives each function the environment that it needs, and no more", () => {
    const table = { TABLE_NAME: "relay-table" };
    const kept = { HISTORY_TABLE_NAME: "relay-history-table", HISTORY_RETENTION_SECONDS: "86400" };
    const endpoint = { MANAGEMENT_ENDPOINT: "https://api123.execute-api.eu-west-1.amazonaws.com/live" };
    const named = { RELAY_NAME: "pulumi-websocket-relay-test-relay" };
    expect(run.variables("relay-connect")).to.deep.include({ ...plain.variables("relay-connect"), ...endpoint });
    expect(run.variables("relay-connect")).to.include({ HISTORY_RETENTION_SECONDS: "86400" });
    expect(run.variables("relay-disconnect")).to.deep.equal(plain.variables("relay-disconnect"));
    expect(run.variables("relay-deliver")).to.deep.equal({
      ...plain.variables("relay-deliver"),
      ...kept,
      HISTORY_GENERATION: "0",
    });
    expect(run.variables("relay-resume")).to.deep.equal({ ...table, ...kept, ...endpoint, ...named });
    expect(run.variables("relay-acknowledge")).to.deep.equal({ ...table, ...kept, ...endpoint, ...named });
    const requests = { FLUSH_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-flush-queue" };
    expect(run.variables("relay-flush")).to.deep.equal({ ...table, ...kept, ...endpoint, ...named, ...requests });
    expect(run.variables("relay-expire")).to.deep.equal({ ...kept, HISTORY_DUE_INDEX_NAME: "due", ...named });
  });

  it("grants each role what its function does to the history, and nothing of what is not asked for", () => {
    expect(rights(run, "connect").slice(0, 2)).to.deep.equal([...rights(plain, "connect"), posts]);
    expect(rights(run, "disconnect")).to.deep.equal(rights(plain, "disconnect"));
    expect(rights(run, "deliver")).to.deep.equal([
      ...rights(plain, "deliver"),
      allow(history, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"),
    ]);
    expect(rights(run, "resume")).to.deep.equal([
      allow(sessions, "dynamodb:GetItem"),
      allow(history, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"),
      { ...posts, Resource: connections("POST", "GET") },
    ]);
    expect(rights(run, "acknowledge")).to.deep.equal([
      allow(sessions, "dynamodb:GetItem"),
      allow(history, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"),
      posts,
    ]);
    expect(rights(run, "expire")).to.deep.equal([
      allow(`${history}/index/due`, "dynamodb:Query"),
      allow(history, "dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"),
    ]);
  });

  it("outputs how it delivers and where its history is", async () => {
    const outputsOf = async ({ relay }: RelayRun) => ({
      delivery: relay.delivery,
      historyTableName: relay.historyTableName && (await valueOf(relay.historyTableName)),
      receiptsTopicArn: relay.receiptsTopicArn && (await valueOf(relay.receiptsTopicArn)),
    });
    const addressesOf = async ({ relay }: RelayRun) => {
      const { delivery, historyTableName, receiptsTopicArn, ...others } = await valueOf(relay.addresses);
      return [{ delivery, historyTableName, receiptsTopicArn }, Object.keys(others).length] as const;
    };
    const here = { delivery: "replay", historyTableName: "relay-history-table", receiptsTopicArn: undefined };
    expect(await outputsOf(run)).to.deep.equal(here);
    expect(await addressesOf(run)).to.deep.equal([here, 9]);
    const none = { delivery: "retry", historyTableName: undefined, receiptsTopicArn: undefined };
    expect(await outputsOf(plain)).to.deep.equal(none);
    expect(await addressesOf(plain)).to.deep.equal([none, 9]);
    expect(Object.keys(await valueOf(plain.relay.addresses))).not.to.include("historyTableName");
  });

  describe("with receipts, and dead letters of what expires", () => {
    let reporting: RelayRun;

    before(async () => {
      const args: Partial<WebsocketRelayArgs> = { ...replay, receipts: true, deadLetterExpired: true };
      reporting = await runRelay({ ...args, historyRetentionSeconds: 172_800, protectData: true });
    });

    it("registers a topic more, and nothing else", async () => {
      expect(added(reporting, run)).to.have.members([
        "aws:sns/topic:Topic relay-receipts-topic",
        "aws:sns/topicPolicy:TopicPolicy relay-receipts-topic-policy",
      ]);
      expect(await valueOf(reporting.relay.receiptsTopicArn)).to.equal(receipts);
      expect(await valueOf(reporting.relay.addresses)).to.include({ receiptsTopicArn: receipts });
    });

    it("tells those who publish receipts the topic, those who report the queue, and each the retention", () => {
      const topic = { RECEIPTS_TOPIC_ARN: receipts };
      const queue = {
        DEAD_LETTER_QUEUE_URL: "https://sqs.eu-west-1.amazonaws.com/111122223333/relay-dead-letter-queue",
      };
      const kept = { HISTORY_RETENTION_SECONDS: "172800" };
      expect(reporting.variables("relay-connect")).to.deep.equal({ ...run.variables("relay-connect"), ...kept });
      expect(reporting.variables("relay-disconnect")).to.deep.equal(run.variables("relay-disconnect"));
      expect(reporting.variables("relay-acknowledge")).to.deep.equal({
        ...run.variables("relay-acknowledge"),
        ...topic,
        ...kept,
      });
      expect(reporting.variables("relay-deliver")).to.deep.equal({
        ...run.variables("relay-deliver"),
        ...topic,
        ...kept,
        DEAD_LETTER_EXPIRED: "true",
      });
      const reports = { ...topic, ...queue, ...kept };
      expect(reporting.variables("relay-expire")).to.deep.equal({ ...run.variables("relay-expire"), ...reports });
      expect(reporting.variables("relay-flush")).to.deep.equal({ ...run.variables("relay-flush"), ...reports });
      expect(reporting.variables("relay-resume")).to.deep.equal({
        ...run.variables("relay-resume"),
        ...reports,
        ACK_SECONDS: "5",
      });
    });

    it("tells those who store messages and who sweep how long one waits for its receipt, and grants nothing for it", async () => {
      const args = {
        ...replay,
        receipts: true,
        deadLetterExpired: true,
        historyRetentionSeconds: 172_800,
        protectData: true,
      };
      const waiting = await runRelay({ ...args, waitingAfterSeconds: 300 });
      const told = { WAITING_AFTER_SECONDS: "300" };
      for (const name of ["connect", "disconnect", "deliver", "resume", "acknowledge", "expire"]) {
        const isTold = name === "deliver" || name === "expire";
        expect(waiting.variables(`relay-${name}`), name).to.deep.equal({
          ...reporting.variables(`relay-${name}`),
          ...(isTold && told),
        });
        const policy = (run: RelayRun) => run.inputs("aws:iam/rolePolicy:RolePolicy", `relay-${name}-policy`);
        expect(policy(waiting), name).to.deep.equal(policy(reporting));
      }
      expect(byType(waiting.registrations)).to.deep.equal(byType(reporting.registrations));
    });

    it("lets them publish and dead-letter, and read what they tell of", () => {
      const publish = allow(receipts, "sns:Publish");
      const send = allow(deadLetters, "sqs:SendMessage");
      const more = (part: string) => {
        const known = rights(run, part).map((right) => JSON.stringify(right));
        return rights(reporting, part).filter((right) => !known.includes(JSON.stringify(right)));
      };
      expect(more("connect")).to.deep.equal([]);
      expect(more("disconnect")).to.deep.equal([]);
      expect(more("deliver")).to.deep.equal([publish]);
      expect(more("acknowledge")).to.deep.equal([publish]);
      expect(more("resume")).to.deep.equal([send, publish]);
      expect(more("flush")).to.deep.equal([send, publish]);
      expect(more("expire")).to.deep.equal([send, publish]);
    });

    it("guards history and topic, and restores the history, where data is protected", () => {
      expect(reporting.guarded).to.deep.equal([
        "relay-dead-letter-queue",
        "relay-history-table",
        "relay-queue",
        "relay-receipts-topic",
        "relay-subscription-dead-letter-queue",
        "relay-table",
        "relay-topic",
      ]);
      expect(reporting.inputs("aws:dynamodb/table:Table", "relay-history-table")).to.deep.include({
        deletionProtectionEnabled: true,
        pointInTimeRecovery: { enabled: true },
      });
    });
  });
});

const posts = { Effect: "Allow", Action: ["execute-api:ManageConnections"], Resource: connections("POST") };

function allow(resource: string, ...actions: string[]): object {
  return { Effect: "Allow", Action: actions, Resource: [resource] };
}

/** A role's rights, without that to write its log. */
function rights(run: RelayRun, part: string): object[] {
  return run.statements(`relay-${part}-policy`).slice(0, -1);
}

/** What the one run registered and the other did not. */
function added(run: RelayRun, other: RelayRun): string[] {
  const keys = ({ registrations }: RelayRun) => registrations.map(({ type, name }) => `${type} ${name}`);
  return keys(run).filter((key) => !keys(other).includes(key));
}
