import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs, type WebsocketRelayArgs } from "../../components/args";
import { resolveAuth } from "../../components/authArgs";

const auth = { oidc: { issuer: "https://issuer.relay.dev", audience: "relay" } };

function problemOf(args: object): { propertyPath: string; reason: string } {
  try {
    resolveArgs(args as WebsocketRelayArgs);
  } catch (error) {
    if (pulumi.InputPropertyError.isInstance(error)) {
      return { propertyPath: error.propertyPath, reason: error.reason };
    }
    throw error;
  }
  throw new Error(`expected a refusal of ${JSON.stringify(args)}`);
}

describe("resolveArgs", () => {
  it("fills in the defaults of production: an hour away is covered, with at most 120 s to wait on return", () => {
    const resolved = resolveArgs({ auth });
    expect(resolved).to.deep.include({
      allowedOrigins: [],
      sessionTtlSeconds: 10_800,
      maxAttempts: 66,
      backoffMinSeconds: 2,
      backoffMaxSeconds: 120,
      batchSize: 10,
      maximumBatchingWindowInSeconds: 0,
      maximumConcurrency: 10,
      messageRetentionSeconds: 345_600,
      logRetentionInDays: 30,
      throttlingRateLimit: 500,
      throttlingBurstLimit: 500,
      stageName: "live",
      tags: {},
    });
    expect(resolved.retryWindowSeconds).to.deep.equal({ shortest: 3603, longest: 7206 });
  });

  it("takes undefined for an argument that was left out, as a config getter answers", () => {
    expect(resolveArgs({ auth, maxAttempts: undefined }).maxAttempts).to.equal(66);
  });

  it("derives the visibility time-out from the function's time-out and the window, and the net from the attempts", () => {
    const resolved = resolveArgs({ auth, maximumBatchingWindowInSeconds: 5, maxAttempts: 10 });
    expect(resolved.visibilityTimeoutSeconds).to.equal(6 * resolved.deliverTimeoutSeconds + 5);
    expect(resolved.maxReceiveCount).to.equal(15);
  });

  const refused: [what: string, args: object, path: string, parts: string[]][] = [
    [
      "a session that ends before a connection does",
      { sessionTtlSeconds: 7499 },
      "sessionTtlSeconds",
      ["7499", "7500"],
    ],
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
    ["a burst over the account's", { throttlingBurstLimit: 5001 }, "throttlingBurstLimit", ["5001", "5000"]],
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
    [
      "a retry window that outlasts the retention only with its batching windows",
      { maxAttempts: 100, maximumBatchingWindowInSeconds: 300, messageRetentionSeconds: 40_000 },
      "messageRetentionSeconds",
      ["40986 s", "300"],
    ],
    ["an argument that does not exist", { maxAttempt: 3 }, "maxAttempt", ["maxAttempts", "spelling"]],
    ["a wildcard origin", { allowedOrigins: ["*"] }, "allowedOrigins[0]", ['"*"', "wildcard"]],
    ["the origin null", { allowedOrigins: ["null"] }, "allowedOrigins[0]", ['"null"']],
    ["an origin with a path", { allowedOrigins: ["https://a.dev/x"] }, "allowedOrigins[0]", ['write "https://a.dev"']],
    [
      "an origin with a closing slash",
      { allowedOrigins: ["https://a.dev/"] },
      "allowedOrigins[0]",
      ['"https://a.dev"'],
    ],
    [
      "an origin with the default port",
      { allowedOrigins: ["https://a.dev:443"] },
      "allowedOrigins[0]",
      ['"https://a.dev"'],
    ],
    ["a placeholder origin", { allowedOrigins: ["https://app.example.com"] }, "allowedOrigins[0]", ["set the origin"]],
    ["origins that are no list", { allowedOrigins: "https://a.dev" }, "allowedOrigins", ["a list"]],
    ["no auth", { auth: undefined }, "auth", ["cognito", "oidc"]],
    ["auth of no kind", { auth: {} }, "auth", ["neither"]],
    [
      "auth of both kinds",
      { auth: { ...auth, cognito: { userPoolId: "eu-west-1_abc", clientIds: ["a"] } } },
      "auth",
      ["both", "keep one"],
    ],
    ["an unknown key in auth", { auth: { ...auth, claim: "sub" } }, "auth.claim", ["userClaim"]],
    ["an empty user claim", { auth: { ...auth, userClaim: "" } }, "auth.userClaim", ['""']],
    ["a cookie's name with a space", { auth: { ...auth, cookieName: "a b" } }, "auth.cookieName", ['"a b"']],
    [
      "a placeholder issuer",
      oidc({ issuer: "https://issuer.example.com" }),
      "auth.oidc.issuer",
      ["placeholder", "set the"],
    ],
    ["an issuer over http", oidc({ issuer: "http://issuer.relay.dev" }), "auth.oidc.issuer", ["https"]],
    ["an issuer with a space around it", oidc({ issuer: " https://id.relay.dev" }), "auth.oidc.issuer", ["https URL"]],
    ["an issuer with a query", oidc({ issuer: "https://id.relay.dev?x" }), "auth.oidc.issuer", ["without query"]],
    [
      "the issuer of our own samples",
      oidc({ issuer: "https://login.your-domain.com" }),
      "auth.oidc.issuer",
      ["placeholder"],
    ],
    ["an audience with a space around it", oidc({ audience: " relay" }), "auth.oidc.audience", ['" relay"']],
    ["an issuer that is no URL", oidc({ issuer: "issuer" }), "auth.oidc.issuer", ['"issuer"']],
    ["no audience", { auth: { oidc: { issuer: auth.oidc.issuer } } }, "auth.oidc.audience", ["aud"]],
    ["an empty list of audiences", oidc({ audience: [] }), "auth.oidc.audience", ["[]"]],
    ["a JWKS URI over http", oidc({ jwksUri: "http://a.dev/jwks" }), "auth.oidc.jwksUri", ["https"]],
    ["keys twice", oidc({ jwksUri: "https://a.dev/jwks", jwks: { keys: [{}] } }), "auth.oidc", ["remove one"]],
    ["a key set without keys", oidc({ jwks: { keys: [] } }), "auth.oidc.jwks", ["at least one key"]],
    ["a key without kid", oidc({ jwks: { keys: [{ kty: "RSA" }] } }), "auth.oidc.jwks", ["kid"]],
    ["a key that is none", oidc({ jwks: { keys: ["x"] } }), "auth.oidc.jwks", ['"x"']],
    ["a private key", oidc({ jwks: { keys: [{ kty: "RSA", d: "x" }] } }), "auth.oidc.jwks", ["private"]],
    ["an unknown key in oidc", oidc({ aud: "x" }), "auth.oidc.aud", ["audience"]],
    ["a user pool id of the wrong form", cognito({ userPoolId: "pool" }), "auth.cognito.userPoolId", ['"pool"']],
    ["a user pool of no region", cognito({ userPoolId: "foo_bar" }), "auth.cognito.userPoolId", ['"foo_bar"']],
    [
      "the user pool of our own samples",
      cognito({ userPoolId: "eu-west-1_a1b2c3d4e" }),
      "auth.cognito.userPoolId",
      ["your own"],
    ],
    ["a placeholder user pool", cognito({ userPoolId: "us-east-1_EXAMPLE" }), "auth.cognito.userPoolId", ["your own"]],
    ["no app client", cognito({ clientIds: [] }), "auth.cognito.clientIds", ["[]", "at least one"]],
    ["an unknown key in cognito", cognito({ region: "x" }), "auth.cognito.region", ["userPoolId"]],
  ];
  for (const [what, args, path, parts] of refused) {
    it(`refuses ${what}, naming ${path}`, () => {
      const { propertyPath, reason } = problemOf({ auth, ...args });
      expect(propertyPath.startsWith(path), propertyPath).to.equal(true);
      expect(reason)
        .to.include(path.split("[")[0])
        .and.to.match(/To mend it, /);
      for (const part of parts) {
        expect(reason).to.include(part);
      }
    });
  }

  it("accepts values that are known later, and checks them when they are", () => {
    const issuer = pulumi.output("https://issuer.example.com");
    expect(() => resolveArgs({ auth: { oidc: { issuer, audience: "relay" } } })).not.to.throw();
    expect(() => resolveAuth({ oidc: { issuer: "https://issuer.example.com", audience: "relay" } }, [])).to.throw(
      "auth.oidc.issuer",
    );
    expect(() => resolveAuth(auth, ["https://app.example.com"])).to.throw("allowedOrigins[0]");
  });

  it("accepts a JWKS URI with a query, as some issuers have", () => {
    const jwksUri = "https://id.relay.dev/keys?p=policy";
    expect(resolveArgs({ auth: { oidc: { ...auth.oidc, jwksUri } } }).auth).to.deep.equal({
      oidc: { ...auth.oidc, jwksUri },
    });
  });

  it("takes an undefined or empty key in auth for one that was left out", () => {
    const given = { ...auth, userClaim: undefined, cookieName: undefined, cognito: null };
    expect(() => resolveArgs({ auth: given as unknown as WebsocketRelayArgs["auth"] })).not.to.throw();
    expect(resolveAuth(given, [])).to.deep.equal({ ...auth, userClaim: "sub", cookieName: "access_token" });
  });

  it("refuses what would not fit into a function's environment, before anything is registered where it can", () => {
    const allowedOrigins = Array.from({ length: 200 }, (_, index) => `https://app-${index}.relay.dev`);
    expect(problemOf({ auth, allowedOrigins }).reason).to.match(/bytes of JSON.*fewer origins/);
    const jwks = { keys: [{ kty: "RSA", kid: "k", n: "n".repeat(3_100) }] };
    expect(() => resolveAuth({ oidc: { ...auth.oidc, jwks } }, [])).to.throw(/bytes of JSON.*jwksUri instead of jwks/);
  });
});

function oidc(args: object): object {
  return { auth: { oidc: { ...auth.oidc, ...args } } };
}

function cognito(args: object): object {
  return { auth: { cognito: { userPoolId: "eu-west-1_abc", clientIds: ["app"], ...args } } };
}
