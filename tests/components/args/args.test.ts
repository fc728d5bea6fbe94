import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import { itRefuses } from "./argsProblem";
import { auth } from "../../support/relayRun";

describe("resolveArgs", () => {
  it("fills in the defaults of production: an hour away is covered, with at most 120 s to wait on return", () => {
    const resolved = resolveArgs({ auth });
    expect(resolved).to.deep.include({
      allowedOrigins: [],
      sessionTtlSeconds: 10_800,
      connections: "newest",
      maxAttempts: 66,
      backoffMinSeconds: 2,
      backoffMaxSeconds: 120,
      batchSize: 10,
      maximumBatchingWindowInSeconds: 0,
      maximumConcurrency: 10,
      messageRetentionSeconds: 345_600,
      logRetentionInDays: 30,
      applicationLogLevel: "WARN",
      throttlingRateLimit: 500,
      throttlingBurstLimit: 500,
      pingThrottlingRateLimit: 2_000,
      pingThrottlingBurstLimit: 4_000,
      stageName: "live",
      ipAddressType: "ipv4",
      customDomain: undefined,
      dashboard: true,
      gatewayLogs: undefined,
      tags: {},
    });
    expect(resolved.retryWindowSeconds).to.deep.equal({ shortest: 3603, longest: 7206 });
  });

  it("takes all connections of a session, in both modes", () => {
    for (const delivery of ["retry", "replay"] as const) {
      expect(resolveArgs({ auth, delivery, connections: "all" })).to.include({ connections: "all" });
    }
  });

  it("counts what each attempt may wait for its batch into the longest window, and not into the shortest", () => {
    const { retryWindowSeconds } = resolveArgs({ auth, maximumBatchingWindowInSeconds: 10 });
    expect(retryWindowSeconds).to.deep.equal({ shortest: 3603, longest: 7206 + 65 * 10 });
  });

  it("takes undefined for an argument that was left out, as a config getter answers", () => {
    expect(resolveArgs({ auth, maxAttempts: undefined }).maxAttempts).to.equal(66);
  });

  it("derives the visibility time-out from the function's time-out and the window, and the net from the attempts", () => {
    const resolved = resolveArgs({ auth, maximumBatchingWindowInSeconds: 5, maxAttempts: 10 });
    expect(resolved.visibilityTimeoutSeconds).to.equal(6 * resolved.deliverTimeoutSeconds + 5);
    expect(resolved.maxReceiveCount).to.equal(15);
  });

  for (const args of [undefined, null, "auth", 7, [], pulumi.output({ auth })]) {
    it(`refuses ${pulumi.Output.isInstance(args) ? "an output" : JSON.stringify(args)} for the arguments, and says what to write`, () => {
      let error: unknown;
      try {
        resolveArgs(args as unknown as WebsocketRelayArgs);
      } catch (thrown) {
        error = thrown;
      }
      if (!pulumi.InputPropertyError.isInstance(error)) throw new Error(`refused with ${String(error)}`);
      expect(error.reason).to.match(/^args: got .*; allowed: an object with auth\. Fix: write new WebsocketRelay\(/);
    });
  }

  itRefuses([
    [
      "a session that ends before a connection does",
      { sessionTtlSeconds: 7499 },
      "sessionTtlSeconds",
      ["7499", "7500"],
    ],
    ["another choice of connections", { connections: "oldest" }, "connections", ['"oldest"', '"newest" or "all"']],
    ["connections that are a number", { connections: 2 }, "connections", ["got 2", '"newest" or "all"']],
    ["no attempt", { maxAttempts: 0 }, "maxAttempts", ["got 0", "1 to 995", "66"]],
    ["more attempts than a queue counts", { maxAttempts: 996 }, "maxAttempts", ["996", "995"]],
    ["a fraction", { maxAttempts: 1.5 }, "maxAttempts", ["1.5", "whole number"]],
    ["a number in quotes", { batchSize: "10" }, "batchSize", ['"10"', "whole number"]],
    ["a back-off of nothing", { backoffMinSeconds: 0 }, "backoffMinSeconds", ["got 0"]],
    [
      "a pause past SQS's 12 hours",
      { backoffMaxSeconds: 43_021, maxAttempts: 2 },
      "backoffMaxSeconds",
      ["43021", "43020"],
    ],
    [
      "a maximum below the minimum",
      { backoffMinSeconds: 5, backoffMaxSeconds: 4 },
      "backoffMaxSeconds",
      ["got 4", "(5)"],
    ],
    ["an empty batch", { batchSize: 0 }, "batchSize", ["got 0", "10000"]],
    ["a batch over 10 without a window", { batchSize: 11 }, "maximumBatchingWindowInSeconds", ["got 0", "(11)"]],
    ["too long a window", { maximumBatchingWindowInSeconds: 301 }, "maximumBatchingWindowInSeconds", ["301", "300"]],
    ["a concurrency of one", { maximumConcurrency: 1 }, "maximumConcurrency", ["got 1", "2 to 1000"]],
    ["too much concurrency", { maximumConcurrency: 1001 }, "maximumConcurrency", ["1001"]],
    ["retention below a minute", { messageRetentionSeconds: 59 }, "messageRetentionSeconds", ["59", "60"]],
    [
      "a source that outlives its dead letters",
      { messageRetentionSeconds: 1_209_600 },
      "messageRetentionSeconds",
      ["1209599"],
    ],
    ["a retry window of the retention", { messageRetentionSeconds: 7206 }, "messageRetentionSeconds", ["7206 s", "66"]],
    [
      "a log retention that CloudWatch does not know",
      { logRetentionInDays: 31 },
      "logRetentionInDays",
      ["31", "30, 60"],
    ],
    ["a throttle of nothing", { throttlingRateLimit: 0 }, "throttlingRateLimit", ["got 0"]],
    ["no heartbeats", { pingThrottlingRateLimit: 0 }, "pingThrottlingRateLimit", ["got 0", "1", "100000"]],
    [
      "a burst of heartbeats over any account's",
      { pingThrottlingBurstLimit: 50_001 },
      "pingThrottlingBurstLimit",
      ["got 50001", "50000"],
    ],
    ["a log level in lower case", { applicationLogLevel: "info" }, "applicationLogLevel", ['got "info"', '"INFO"']],
    ["a log level that Lambda lacks", { applicationLogLevel: "OFF" }, "applicationLogLevel", ['"FATAL"']],
    ["a burst over any account's", { throttlingBurstLimit: 50_001 }, "throttlingBurstLimit", ["50001", "50000"]],
    ["a stage that is not a plain word", { stageName: "$default" }, "stageName", ["$default"]],
    ["a tag that is no text", { tags: { cost: 7 } }, "tags.cost", ["got 7", "quotes"]],
    ["a reserved tag", { tags: { "aws:team": "x" } }, "tags.aws:team", ["aws:"]],
    ["an empty tag key", { tags: { "": "x" } }, "tags.", ["rename"]],
    ["a tag key over 128 characters", { tags: { ["k".repeat(129)]: "x" } }, "tags.k", ["128"]],
    ["a tag with characters that IAM does not take", { tags: { cost: "a,b;c" } }, "tags.cost", ["a,b;c"]],
    ["a tag value over 256 characters", { tags: { cost: "v".repeat(257) } }, "tags.cost", ["256"]],
    [
      "over 50 tags",
      { tags: Object.fromEntries([...Array(51).keys()].map((n) => [`t${n}`, "x"])) },
      "tags",
      ["51 tags"],
    ],
    ["a stage that is a number", { stageName: 5 }, "stageName", ["got 5"]],
    ["an address type of IPv6 alone", { ipAddressType: "ipv6" }, "ipAddressType", ['"dualstack"']],
    ["a dashboard that is neither there nor not", { dashboard: "no" }, "dashboard", ["true or false"]],
    ["access logs without a word on the account's role", { gatewayLogs: {} }, "gatewayLogs.accountRole", ["exists"]],
    ["alarms that are no object", { alarms: true }, "alarms", ["{ enabled: false }"]],
    ["a domain without a certificate", { customDomain: { domainName: "ws.relay.dev" } }, "customDomain", ["ACM"]],
    [
      "a retry window that outlasts the retention only with its batching windows",
      { maxAttempts: 100, maximumBatchingWindowInSeconds: 300, messageRetentionSeconds: 40_000 },
      "messageRetentionSeconds",
      ["40986 s", "300"],
    ],
    ["a number in quotes", { maxAttempts: "66" }, "maxAttempts", ['got "66"', "1 to 995", "write 66 without quotes"]],
    ["a number out of its range in quotes", { maxAttempts: "996" }, "maxAttempts", ["1 to 995", "without quotes"]],
    ["a days' number in quotes", { logRetentionInDays: "30" }, "logRetentionInDays", ["write 30 without quotes"]],
    ["a threshold in quotes", { alarms: { deadLetters: "10" } }, "alarms.deadLetters", ["write 10 without quotes"]],
    ["a truth in quotes", { protectData: "true" }, "protectData", ['got "true"', "write true without quotes"]],
    ["an untruth in quotes", { dashboard: "False" }, "dashboard", ['got "False"', "write false without quotes"]],
    ["a yes", { pointInTimeRecovery: "yes" }, "pointInTimeRecovery", ["write one of them without quotes"]],
    ["a one", { alarms: { enabled: 1 } }, "alarms.enabled", ["got 1", "true or false"]],
    [
      "a delivery in another letter case",
      { delivery: "Replay" },
      "delivery",
      ['"retry" or "replay"', 'write "replay"'],
    ],
    ["a delivery with a typing error", { delivery: "rety" }, "delivery", ['write "retry"']],
    ["a delivery that is none", { delivery: "push" }, "delivery", ['"retry" or "replay"', "write one of them"]],
    [
      "an ordering in another letter case",
      { delivery: "replay", ordering: "STRICT" },
      "ordering",
      ['"standard" or "strict"', 'write "strict"'],
    ],
    ["an address type in another letter case", { ipAddressType: "DualStack" }, "ipAddressType", ['write "dualstack"']],
    [
      "an account's role in another letter case",
      { gatewayLogs: { accountRole: "Create" } },
      "gatewayLogs.accountRole",
      ['write "create"'],
    ],
    ["access logs that are a text", { gatewayLogs: "exists" }, "gatewayLogs", ['write { accountRole: "exists" }']],
    [
      "an account that is no list",
      { publisherAccountIds: "210987654321" },
      "publisherAccountIds",
      ['["210987654321"]'],
    ],
    ["an account without quotes", { publisherAccountIds: 210987654321 }, "publisherAccountIds", ['["210987654321"]']],
    [
      "an organization that is no list",
      { publisherOrganizationIds: "o-a1b2c3d4e5" },
      "publisherOrganizationIds",
      ['write ["o-a1b2c3d4e5"]'],
    ],
    [
      "an action that is no list",
      { alarms: { actions: "arn:aws:sns:eu-west-1:210987654321:ops" } },
      "alarms.actions",
      ["a list of ARNs", 'write ["arn:aws:sns:eu-west-1:210987654321:ops"]'],
    ],
    ["alarms that are off", { alarms: false }, "alarms", ["write { enabled: false }"]],
    ["tags that are a list", { tags: ["team"] }, "tags", ['write { team: "chat" }']],
    [
      "a domain alone",
      { customDomain: "ws.relay.dev" },
      "customDomain",
      ['{ domainName: "ws.relay.dev", certificateArn }'],
    ],
    [
      "a domain with capitals",
      { customDomain: { domainName: "WS.Relay.dev", certificateArn: "x" } },
      "customDomain.domainName",
      ['write "ws.relay.dev"'],
    ],
    [
      "a domain that is a URL",
      { customDomain: { domainName: "wss://ws.relay.dev/live", certificateArn: "x" } },
      "customDomain.domainName",
      ['write "ws.relay.dev"'],
    ],
    [
      "a base path with a / before it",
      { customDomain: { existingDomainName: "ws.relay.dev", basePath: "/chat/v1/" } },
      "customDomain.basePath",
      ['write "chat/v1"'],
    ],
    [
      "a key of the alarms with a typing error",
      { alarms: { deadLetter: 1 } },
      "alarms.deadLetter",
      ["mean deadLetters?"],
    ],
    [
      "a key of the domain in another letter case",
      { customDomain: { domainname: "ws.relay.dev" } },
      "customDomain.domainname",
      ["did you mean domainName?"],
    ],
    [
      "a key of the access logs with a typing error",
      { gatewayLogs: { acountRole: "exists" } },
      "gatewayLogs.acountRole",
      ["did you mean accountRole?"],
    ],
    ["an argument in another letter case", { MaxAttempts: 3 }, "MaxAttempts", ["did you mean maxAttempts?"]],
    ["an argument like none there is", { colour: "red" }, "colour", ["check the spelling."]],
    ["an argument that does not exist", { maxAttempt: 3 }, "maxAttempt", ["maxAttempts", "spelling"]],
  ]);
});
