import { expect } from "chai";
import { connectFromEnvironment } from "../../handlers/connect/connect";
import { deliverFromEnvironment } from "../../handlers/deliver/deliver";
import { disconnectFromEnvironment } from "../../handlers/disconnect/disconnect";
import type { Environment } from "../../handlers/environment";
import { authConfig } from "../../handlers/connect/auth/authConfig";
import { sessionSweeperFromEnvironment } from "../../handlers/sweepers/sessionSweeper";

const auth = { oidc: { issuer: "https://issuer.test", audience: "app" }, userClaim: "sub", cookieName: "token" };
const fix = "Fix: deploy the relay again with pulumi up --refresh";
const oneKind = "allowed: exactly one of cognito, oidc, authenticate";
const callback = { authenticate: true, cookieName: "token" };
const cases: [string, (environment: Environment) => unknown, Environment, [string, string, string][]][] = [
  [
    "connect",
    connectFromEnvironment,
    {
      TABLE_NAME: "t",
      SESSION_TTL_SECONDS: "10800",
      CONNECTIONS: "newest",
      AUTH: JSON.stringify(auth),
      ALLOWED_ORIGINS: '["https://a.test"]',
      RELAY_NAME: "project-dev-relay",
    },
    [
      ["SESSION_TTL_SECONDS", "3h", 'SESSION_TTL_SECONDS: got "3h"; allowed: a whole number above zero'],
      ["SESSION_TTL_SECONDS", "0", 'SESSION_TTL_SECONDS: got "0"; allowed: a whole number above zero'],
      ["CONNECTIONS", "one", 'CONNECTIONS: got "one"; allowed: newest or all'],
      ["AUTH", "{", 'AUTH: got "{"; allowed: JSON'],
      ["AUTH", "1", "AUTH: got 1; allowed: a JSON object, or null"],
      ["AUTH", "[]", "AUTH: got []; allowed: a JSON object, or null"],
      ["AUTH", JSON.stringify({ ...auth, cookieName: "" }), 'AUTH.cookieName: got ""; allowed: a non-empty string'],
      ["AUTH", JSON.stringify({ ...auth, userClaim: 1 }), "AUTH.userClaim: got 1; allowed: a non-empty string"],
      [
        "AUTH",
        JSON.stringify({ ...callback, cookieName: undefined }),
        "AUTH.cookieName: got nothing; allowed: a non-empty string",
      ],
      ["AUTH", JSON.stringify({ ...auth, cognito: {} }), `AUTH: got ["cognito","oidc"]; ${oneKind}`],
      ["AUTH", JSON.stringify({ ...auth, ...callback }), `AUTH: got ["oidc","authenticate"]; ${oneKind}`],
      ["AUTH", "{}", `AUTH: got []; ${oneKind}`],
      ["AUTH", JSON.stringify({ ...callback, authenticate: false }), "AUTH.authenticate: got false; allowed: true"],
      [
        "AUTH",
        JSON.stringify({ ...auth, endSessionWithToken: "yes" }),
        'AUTH.endSessionWithToken: got "yes"; allowed: true or false',
      ],
      ["AUTH", JSON.stringify(callback), "LAMBDA_TASK_ROOT is not set"],
      [
        "ALLOWED_ORIGINS",
        '"https://a.test"',
        'ALLOWED_ORIGINS: got "https://a.test"; allowed: a JSON array of strings, or null',
      ],
      ["ALLOWED_ORIGINS", "[null]", "ALLOWED_ORIGINS: got [null]; allowed: a JSON array of strings, or null"],
    ],
  ],
  ["disconnect", disconnectFromEnvironment, { TABLE_NAME: "t" }, []],
  [
    "sweep",
    sessionSweeperFromEnvironment,
    {
      TABLE_NAME: "t",
      TOKEN_EXPIRY_INDEX_NAME: "i",
      MANAGEMENT_ENDPOINT: "https://api.test/dev",
      RELAY_NAME: "project-dev-relay",
    },
    [
      [
        "MANAGEMENT_ENDPOINT",
        "api.test/dev",
        'MANAGEMENT_ENDPOINT: got "api.test/dev"; allowed: an absolute https URL',
      ],
    ],
  ],
  [
    "deliver",
    deliverFromEnvironment,
    {
      TABLE_NAME: "t",
      MANAGEMENT_ENDPOINT: "https://api.test/dev",
      QUEUE_URL: "https://sqs.test/q",
      DEAD_LETTER_QUEUE_URL: "https://sqs.test/d",
      RELAY_NAME: "chat-dev-relay",
      CONNECTIONS: "newest",
      MAX_ATTEMPTS: "66",
      BACKOFF_MIN_SECONDS: "2",
      BACKOFF_MAX_SECONDS: "120",
    },
    [
      [
        "MANAGEMENT_ENDPOINT",
        "wss://api.test/dev",
        'MANAGEMENT_ENDPOINT: got "wss://api.test/dev"; allowed: an absolute https URL',
      ],
      ["CONNECTIONS", "one", 'CONNECTIONS: got "one"; allowed: newest or all'],
      ["MAX_ATTEMPTS", "1.5", 'MAX_ATTEMPTS: got "1.5"; allowed: a whole number above zero'],
    ],
  ],
];

describe("environment", () => {
  for (const [name, fromEnvironment, environment, refusals] of cases) {
    it(`makes ${name} a handler of at most two parameters, which is what Node 24 accepts`, () => {
      const handler = fromEnvironment(environment) as (...args: unknown[]) => unknown;
      expect(handler).to.be.a("function");
      expect(handler.length).to.be.at.most(2);
    });

    for (const variable of Object.keys(environment)) {
      it(`refuses to make ${name} without ${variable}`, () => {
        expect(() => fromEnvironment({ ...environment, [variable]: undefined })).to.throw(
          `${variable} is not set in the function's environment. ${fix}`,
        );
      });
    }

    for (const [variable, value, message] of refusals) {
      it(`refuses to make ${name} with ${variable} = ${value}`, () => {
        expect(() => fromEnvironment({ ...environment, [variable]: value })).to.throw(
          message.includes("allowed") ? `${message}. ${fix}` : message,
        );
      });
    }
  }

  const connectEnvironment = cases[0]?.[2] ?? {};
  for (const [name, given] of [
    ["a callback, which is loaded once", { AUTH: JSON.stringify(callback) }],
    ["no authentication, which loads nothing", { AUTH: "null" }],
    [
      "sessions that end with their token, which loads nothing",
      { AUTH: JSON.stringify({ ...auth, endSessionWithToken: true }) },
    ],
    ["every origin allowed, which loads nothing", { ALLOWED_ORIGINS: "null" }],
  ] as const) {
    it(`makes connect with ${name}`, () => {
      let loaded = 0;
      connectFromEnvironment({ ...connectEnvironment, ...given }, () => {
        loaded += 1;
        return () => Promise.resolve(null);
      });
      expect(loaded).to.equal(name.startsWith("a callback") ? 1 : 0);
    });
  }

  it("makes connect with all connections of a session live, which needs the gateway's address", () => {
    const all = { ...connectEnvironment, CONNECTIONS: "all", AUTH: "null" };
    expect(() => connectFromEnvironment(all)).to.throw("MANAGEMENT_ENDPOINT is not set");
    expect(connectFromEnvironment({ ...all, MANAGEMENT_ENDPOINT: "https://api.test/dev" })).to.be.a("function");
  });

  it("reads AUTH as it was given", () => {
    const ending = { ...auth, endSessionWithToken: true };
    expect(authConfig({ AUTH: JSON.stringify(ending) })).to.deep.equal(ending);
    expect(authConfig({ AUTH: "null" })).to.equal(null);
  });
});
