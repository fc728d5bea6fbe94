import { expect } from "chai";
import { connectFromEnvironment } from "../../handlers/connect";
import { deliverFromEnvironment } from "../../handlers/deliver";
import { disconnectFromEnvironment } from "../../handlers/disconnect";
import type { Environment } from "../../handlers/environment";

const auth = { oidc: { issuer: "https://issuer.test", audience: "app" }, userClaim: "sub", cookieName: "token" };
const cases: [string, (environment: Environment) => unknown, Environment, [string, string, string][]][] = [
  [
    "connect",
    connectFromEnvironment,
    {
      TABLE_NAME: "t",
      SESSION_TTL_SECONDS: "10800",
      AUTH: JSON.stringify(auth),
      ALLOWED_ORIGINS: '["https://a.test"]',
    },
    [
      ["SESSION_TTL_SECONDS", "3h", 'SESSION_TTL_SECONDS is "3h": expected a whole number above zero'],
      ["SESSION_TTL_SECONDS", "0", 'SESSION_TTL_SECONDS is "0": expected a whole number above zero'],
      ["AUTH", "{", "AUTH is not JSON"],
      ["AUTH", "null", "AUTH is not a JSON object"],
      ["AUTH", JSON.stringify({ ...auth, cookieName: "" }), "AUTH.cookieName is not a non-empty string"],
      ["AUTH", JSON.stringify({ ...auth, userClaim: 1 }), "AUTH.userClaim is not a non-empty string"],
      ["AUTH", JSON.stringify({ ...auth, cognito: {} }), "AUTH has to name exactly one of cognito and oidc"],
      ["ALLOWED_ORIGINS", '"https://a.test"', "ALLOWED_ORIGINS is not a JSON array of strings"],
    ],
  ],
  ["disconnect", disconnectFromEnvironment, { TABLE_NAME: "t", CONNECTION_INDEX_NAME: "i" }, []],
  [
    "deliver",
    deliverFromEnvironment,
    {
      TABLE_NAME: "t",
      MANAGEMENT_ENDPOINT: "https://api.test/dev",
      QUEUE_URL: "https://sqs.test/q",
      DEAD_LETTER_QUEUE_URL: "https://sqs.test/d",
      MAX_ATTEMPTS: "66",
      BACKOFF_MIN_SECONDS: "2",
      BACKOFF_MAX_SECONDS: "120",
    },
    [
      [
        "MANAGEMENT_ENDPOINT",
        "wss://api.test/dev",
        'MANAGEMENT_ENDPOINT is "wss://api.test/dev": expected an https URL',
      ],
      ["MAX_ATTEMPTS", "1.5", 'MAX_ATTEMPTS is "1.5": expected a whole number above zero'],
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
        expect(() => fromEnvironment({ ...environment, [variable]: undefined })).to.throw(`${variable} is not set`);
      });
    }

    for (const [variable, value, message] of refusals) {
      it(`refuses to make ${name} with ${variable} = ${value}`, () => {
        expect(() => fromEnvironment({ ...environment, [variable]: value })).to.throw(message);
      });
    }
  }
});
