import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { resolveArgs } from "../../../components/args/args";
import { relayArgsOf } from "../../../components/remote/relayArgsOf";

const oidc = { issuer: "https://login.acme.dev", audience: ["chat"] };
const auth = { oidc };

describe("relayArgsOf", () => {
  it("keeps what a program sets", () => {
    const given = { auth, maxAttempts: 30, tags: { team: "chat" }, alarms: { deadLetters: 1 } };
    expect(relayArgsOf(given)).to.deep.equal(given);
  });

  it("takes null for no value", () => {
    expect(relayArgsOf({ auth: { oidc: { ...oidc, jwksUri: null } }, stageName: null })).to.deep.equal({ auth });
  });

  const nulls: Record<string, { given: object; own: object }> = {
    "authDisabled for no authentication": { given: { authDisabled: true }, own: { auth: null } },
    "originCheckDisabled for no check of origins": {
      given: { auth, originCheckDisabled: true },
      own: { auth, allowedOrigins: null },
    },
    "audienceCheckDisabled for tokens without an audience": {
      given: { auth: { oidc: { issuer: oidc.issuer, audienceCheckDisabled: true, authorizedParties: ["web"] } } },
      own: { auth: { oidc: { issuer: oidc.issuer, audience: null, authorizedParties: ["web"] } } },
    },
  };
  for (const [what, { given, own }] of Object.entries(nulls)) {
    it(`takes ${what}`, () => {
      expect(relayArgsOf(given)).to.deep.equal(own);
      expect(() => resolveArgs(relayArgsOf(given))).not.to.throw();
    });
  }

  it("takes false for the check itself, which is the default", () => {
    expect(relayArgsOf({ auth, authDisabled: false, originCheckDisabled: false })).to.deep.equal({ auth });
  });

  const refused: Record<string, { given: object; told: string }> = {
    "neither auth nor authDisabled": {
      given: { authDisabled: false },
      told: "auth: got undefined; allowed: a value, unless authDisabled is true. Fix: set auth.",
    },
    "both auth and authDisabled": {
      given: { auth, authDisabled: true },
      told: "authDisabled: got true; allowed: false where auth is set. Fix: remove auth or authDisabled.",
    },
    "both allowedOrigins and originCheckDisabled": {
      given: { auth, allowedOrigins: [], originCheckDisabled: true },
      told: "originCheckDisabled: got true; allowed: false where allowedOrigins is set. Fix: remove allowedOrigins or",
    },
    "both audience and audienceCheckDisabled": {
      given: { auth: { oidc: { ...oidc, audienceCheckDisabled: true } } },
      told: "auth.oidc.audienceCheckDisabled: got true; allowed: false where audience is set.",
    },
    "neither audience nor audienceCheckDisabled": {
      given: { auth: { oidc: { issuer: oidc.issuer } } },
      told: "auth.oidc.audience: got undefined; allowed: a value, unless audienceCheckDisabled is true.",
    },
    "a text in the place of true": {
      given: { authDisabled: "true" },
      told: 'authDisabled: got "true"; allowed: true or false. Fix: write true without quotes.',
    },
    "an output in the place of true": {
      given: { authDisabled: pulumi.output(true) },
      told:
        'authDisabled: got "an output"; allowed: true or false. Fix: pass the value itself, neither an output nor a ' +
        "secret.",
    },
    "a key that no argument has, naming the booleans, too": {
      given: { auth: { oidc: { ...oidc, isuer: "" } } },
      told: "auth.oidc.isuer: got an unknown key; allowed: issuer, audience, audienceCheckDisabled, authorizedParties,",
    },
    "a misspelt boolean": {
      given: { authDisable: true },
      told: "authDisable: got an unknown key; allowed: authDisabled and ",
    },
    "what only a TypeScript program has": {
      given: { auth: { authenticate: "./authenticate" } },
      told: "auth.authenticate: got an unknown key; allowed: cognito, oidc, ",
    },
  };
  for (const [what, { given, told }] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(() => relayArgsOf(given))
        .to.throw(pulumi.InputPropertyError)
        .with.property("message")
        .that.includes(told);
    });
  }

  for (const key of ["auth", "alarms", "customDomain"]) {
    it(`keeps an output in the place of an object, which the relay refuses by name: ${key}`, () => {
      const given = { auth, [key]: pulumi.secret({ oidc }) };
      expect(() => resolveArgs(relayArgsOf(given))).to.throw(new RegExp(`^${key}: got "an output"; allowed: `));
    });
  }

  it("gives the same JSON whatever order the keys arrive in, so that no function is updated for nothing", async () => {
    const key = { kid: "1", kty: "RSA" };
    const orders = [
      { userClaim: "sub", oidc: { jwks: { keys: [key] }, audience: ["chat"], issuer: oidc.issuer } },
      {
        oidc: { issuer: oidc.issuer, jwks: { keys: [{ kty: "RSA", kid: "1" }] }, audience: ["chat"] },
        userClaim: "sub",
      },
    ].map((given) => JSON.stringify(relayArgsOf({ auth: given })));
    expect(orders[1]).to.equal(orders[0]);

    const { auth: deferred } = relayArgsOf({
      auth: { oidc: { ...oidc, jwks: pulumi.output({ keys: [{ kty: "RSA", kid: "1" }] }) } },
    });
    const known = await new Promise((resolve) => pulumi.output(deferred?.oidc?.jwks).apply(resolve));
    expect(JSON.stringify(known)).to.equal(JSON.stringify({ keys: [key] }));
  });
});
