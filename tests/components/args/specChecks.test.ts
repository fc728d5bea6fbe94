import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../../components/args/args";
import { rules, spec } from "../../../components/args/spec";
import { auth } from "../../support/relayRun";
import { argsWith, optionsWithPaths } from "../../support/optionPaths";
import { problemOf } from "./argsProblem";

/** The other arguments with which an argument may have any value of its range. */
const companions: Record<string, object> = {
  sessionTtlSeconds: {},
  maxAttempts: { backoffMaxSeconds: 2, messageRetentionSeconds: 1_209_599 },
  backoffMinSeconds: { maxAttempts: 2, backoffMaxSeconds: 43_020 },
  backoffMaxSeconds: { maxAttempts: 2, backoffMinSeconds: 1 },
  batchSize: { maximumBatchingWindowInSeconds: 1 },
  messageRetentionSeconds: { maxAttempts: 1 },
  historyRetentionSeconds: { delivery: "replay", maxAttempts: 1 },
  historyGeneration: { delivery: "replay" },
  subscriptionDeadLetterQueueSse: { kmsKeyArn: "arn:aws:kms:eu-west-1:210987654321:key/k-1" },
  waitingAfterSeconds: { delivery: "replay", receipts: true, historyRetentionSeconds: 86_401 },
  ordering: { delivery: "replay" },
  resumeThrottlingRateLimit: { delivery: "replay" },
  resumeThrottlingBurstLimit: { delivery: "replay" },
  acknowledgeThrottlingRateLimit: { delivery: "replay" },
  acknowledgeThrottlingBurstLimit: { delivery: "replay" },
  httpReadThrottlingRateLimit: { delivery: "replay", httpRead: true },
  httpReadThrottlingBurstLimit: { delivery: "replay", httpRead: true },
  alarms: { delivery: "replay" },
};

const argsFor = (path: string, value: unknown): object => {
  const [key = ""] = path.split(".");
  const given = argsWith(path, value) as { auth?: object; gatewayLogs?: object };
  const gatewayLogs = given.gatewayLogs && { accountRole: "exists", ...given.gatewayLogs };
  return { ...companions[key], ...given, auth: { ...auth, ...given.auth }, ...(gatewayLogs && { gatewayLogs }) };
};
const resolve = (path: string, value: unknown) => resolveArgs(argsFor(path, value) as WebsocketRelayArgs);
const refusalOf = (path: string, value: unknown) => problemOf(argsFor(path, value));

describe("an argument with a range", () => {
  const integers = optionsWithPaths().filter(({ option }) => option.type === "integer");
  const ranges = integers.flatMap(({ path, option: { min, max } }) =>
    min === undefined || max === undefined ? [] : [{ path, min, max }],
  );

  it("is every integer but the one whose values are listed", () => {
    const others = integers.filter(({ path }) => !ranges.some((range) => range.path === path));
    expect(others.map(({ path }) => path)).to.deep.equal(["logRetentionInDays"]);
  });

  for (const { path, min, max } of ranges) {
    it(`takes ${min} and ${max} for ${path}`, () => {
      expect(() => resolve(path, min)).not.to.throw();
      expect(() => resolve(path, max)).not.to.throw();
    });

    it(`refuses for ${path} numbers just out of its range, fractions and texts`, () => {
      for (const value of [min - 1, max + 1, min + 0.5, String(max), NaN, Infinity]) {
        const { propertyPath, reason } = refusalOf(path, value);
        expect(propertyPath).to.equal(path);
        expect(reason)
          .to.include(`a whole number from ${min} to ${max}`)
          .and.match(/got .*; allowed: .* Fix: /);
      }
    });
  }
});

describe("an argument with listed values", () => {
  const listed = optionsWithPaths().flatMap(({ path, option: { oneOf } }) => (oneOf ? [{ path, oneOf }] : []));

  for (const { path, oneOf } of listed) {
    it(`takes each of them for ${path}, and refuses another, naming them all`, () => {
      for (const value of oneOf) expect(() => resolve(path, value)).not.to.throw();
      const { propertyPath, reason } = refusalOf(path, typeof oneOf[0] === "number" ? 2 : "other");
      expect(propertyPath).to.equal(path);
      for (const value of oneOf) expect(reason).to.include(JSON.stringify(value));
    });
  }
});

describe("an argument that is true or false", () => {
  for (const { path } of optionsWithPaths().filter(({ option }) => option.type === "boolean")) {
    it(`takes both for ${path} in replay mode, and refuses texts and numbers`, () => {
      for (const value of [true, false]) {
        const args = { delivery: "replay", ...argsFor(path, value) } as unknown as WebsocketRelayArgs;
        expect(() => resolveArgs(args)).not.to.throw();
      }
      for (const value of ["true", "no", 1]) {
        const { propertyPath, reason } = refusalOf(path, value);
        expect(propertyPath).to.equal(path);
        expect(reason).to.include("true or false");
      }
    });
  }
});

describe("an argument that is required", () => {
  const cases = [
    ["auth", {}],
    ["auth.cognito.userPoolId", { auth: { cognito: { clientIds: ["a"] } } }],
    ["auth.cognito.clientIds", { auth: { cognito: { userPoolId: "eu-west-1_abc" } } }],
    ["auth.oidc.issuer", { auth: { oidc: { audience: "a" } } }],
    ["auth.oidc.audience", { auth: { oidc: { issuer: auth.oidc.issuer } } }],
    ["gatewayLogs.accountRole", { auth, gatewayLogs: {} }],
  ] as const;
  for (const [path, parent] of cases) {
    it(`is refused if it is absent: ${path}`, () => {
      expect(optionsWithPaths().find((each) => each.path === path)?.option.required).to.equal(true);
      expect(problemOf(parent).propertyPath).to.equal(path);
    });
  }

  it("is in this list", () => {
    const required = optionsWithPaths().filter(({ option }) => option.required);
    expect(required.map(({ path }) => path)).to.have.members(cases.map(([path]) => path));
  });
});

describe("a rule between arguments", () => {
  const topicArn = "arn:aws:sns:eu-west-1:210987654321:events";
  const replay = { delivery: "replay" };
  const domain = { domainName: "ws.relay.dev", certificateArn: "arn:aws:acm:eu-west-1:210987654321:certificate/c-1" };
  const authenticate = () => Promise.resolve(null);
  const jwks = { jwksUri: "https://id.relay.dev/keys", jwks: { keys: [] } };
  /** For each rule arguments that break it, with the path of the error where that is not the rule's. */
  const violations: Record<keyof typeof rules, [args: object, path?: string][]> = {
    backoffMaxSeconds: [[{ backoffMinSeconds: 5, backoffMaxSeconds: 4 }]],
    backoffMinSeconds: [
      [{ backoffMinSeconds: 43_020, backoffMaxSeconds: 43_020, maxAttempts: 1, maximumBatchingWindowInSeconds: 1 }],
    ],
    maximumBatchingWindowInSeconds: [[{ batchSize: 11 }]],
    messageRetentionSeconds: [[{ messageRetentionSeconds: 7_206 }]],
    historyRetentionSeconds: [[{ ...replay, historyRetentionSeconds: 7_206 }]],
    deadLetterExpired: [
      [{ deadLetterExpired: true }],
      [{ historyRetentionSeconds: 86_401 }, "historyRetentionSeconds"],
      [{ historyGeneration: 1 }, "historyGeneration"],
      [{ receipts: true }, "receipts"],
      [{ waitingAfterSeconds: 60 }, "waitingAfterSeconds"],
      [{ rawClients: false }, "rawClients"],
      [{ ordering: "strict" }, "ordering"],
      [{ httpRead: true }, "httpRead"],
      [{ resumeThrottlingRateLimit: 500 }, "resumeThrottlingRateLimit"],
      [{ resumeThrottlingBurstLimit: 500 }, "resumeThrottlingBurstLimit"],
      [{ acknowledgeThrottlingRateLimit: 500 }, "acknowledgeThrottlingRateLimit"],
      [{ acknowledgeThrottlingBurstLimit: 500 }, "acknowledgeThrottlingBurstLimit"],
      [{ httpReadThrottlingRateLimit: 500 }, "httpReadThrottlingRateLimit"],
      [{ httpReadThrottlingBurstLimit: 500 }, "httpReadThrottlingBurstLimit"],
      [{ alarms: { expiredMessages: 1 } }, "alarms.expiredMessages"],
      [{ alarms: { historySweepLagSeconds: 601 } }, "alarms.historySweepLagSeconds"],
    ],
    httpReadThrottlingRateLimit: [
      [{ ...replay, httpReadThrottlingRateLimit: 500 }],
      [{ ...replay, httpReadThrottlingBurstLimit: 500 }, "httpReadThrottlingBurstLimit"],
    ],
    waitingAfterSeconds: [
      [{ ...replay, waitingAfterSeconds: 60 }],
      [{ ...replay, receipts: true, historyRetentionSeconds: 7_207, waitingAfterSeconds: 7_207 }],
    ],
    batchSize: [
      [{ ...replay, ordering: "strict", batchSize: 11, maximumBatchingWindowInSeconds: 1 }],
      [{ ...replay, ordering: "strict", maximumBatchingWindowInSeconds: 1 }, "maximumBatchingWindowInSeconds"],
    ],
    topicArn: [[{ topicArn: `${topicArn}.fifo` }], [{ ...replay, ordering: "strict", topicArn }]],
    publisherAccountIds: [
      [{ topicArn, publisherAccountIds: ["210987654321"] }],
      [{ topicArn, publisherOrganizationIds: ["o-a1b2c3d4e5"] }, "publisherOrganizationIds"],
    ],
    subscriptionDeadLetterQueueSse: [[{ subscriptionDeadLetterQueueSse: "sqs" }]],
    pointInTimeRecovery: [[{ tableName: "sessions", pointInTimeRecovery: true }]],
    auth: [
      [{ auth: {} }],
      [{ auth: { ...auth, authenticate } }],
      [{ allowedOrigins: Array.from({ length: 150 }, (_, n) => `https://app${n}.relay.dev`) }],
    ],
    "auth.userClaim": [
      [{ auth: { authenticate, userClaim: "sub" } }],
      [{ auth: { authenticate, clockToleranceSeconds: 5 } }, "auth.clockToleranceSeconds"],
      [{ auth: { ...auth, requireFrom: "/" } }, "auth.requireFrom"],
    ],
    "auth.oidc": [
      [{ auth: { oidc: { ...auth.oidc, ...jwks } } }],
      [{ auth: { oidc: { ...auth.oidc, audience: null } } }, "auth.oidc.authorizedParties"],
    ],
    customDomain: [
      [{ customDomain: { ...domain, existingDomainName: "ws.relay.dev" } }],
      [{ customDomain: { basePath: "chat" } }],
      [{ customDomain: { domainName: "ws.relay.dev" } }, "customDomain.certificateArn"],
      [
        { customDomain: { existingDomainName: "ws.relay.dev", certificateArn: domain.certificateArn } },
        "customDomain.certificateArn",
      ],
      [{ customDomain: { existingDomainName: "ws.relay.dev", hostedZoneId: "Z1" } }, "customDomain.hostedZoneId"],
    ],
  };

  for (const [rule, broken] of Object.entries(violations)) {
    it(`is enforced: ${rule}`, () => {
      expect(broken).to.not.be.empty;
      for (const [args, path = rule] of broken) expect(problemOf({ auth, ...args }).propertyPath).to.equal(path);
    });
  }

  it("is described with the numbers that the code has", () => {
    expect(rules.backoffMinSeconds).to.include(spec.backoffMinSeconds.max.toLocaleString("en-US"));
    expect(spec.backoffMaxSeconds.max).to.equal(spec.backoffMinSeconds.max);
  });
});

describe("the spec's limits", () => {
  const { visibilityTimeoutSeconds } = resolveArgs({ auth });

  it("leave of SQS's 12 hours of a visibility timeout what the function may already have used", () => {
    expect(spec.backoffMinSeconds.max).to.equal(43_200 - visibilityTimeoutSeconds);
  });

  it("leave of SQS's 1,000 receives a message's spare ones", () => {
    const { maxReceiveCount } = resolve("maxAttempts", spec.maxAttempts.max);
    expect(maxReceiveCount).to.equal(1_000);
  });
});
