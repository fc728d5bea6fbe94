import { generateKeyPairSync } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import type { WebsocketRelayArgs } from "../../../components";
import { resolveArgs } from "../../../components/args/args";
import { resolveAuth } from "../../../components/args/authArgs";
import { itRefuses, problemOf } from "./argsProblem";
import { auth } from "../../support/relayRun";

const defaults = { userClaim: "sub", clockToleranceSeconds: 5, cookieName: "access_token" };
const jwksUri = "https://id.relay.dev/keys";
const authenticate = () => Promise.resolve({ code: "42" });

describe("auth", () => {
  itRefuses([
    ["no auth", { auth: undefined }, "auth", ["cognito", "oidc"]],
    ["auth of no kind", { auth: {} }, "auth", ["got none", "cognito, oidc, authenticate"]],
    [
      "auth of both kinds",
      { auth: { ...auth, cognito: { userPoolId: "eu-west-1_abc", clientIds: ["a"] } } },
      "auth",
      ["cognito and oidc", "keep one"],
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
    ["an issuer that is no URL", oidc({ issuer: "issuer" }), "auth.oidc.issuer", ['"issuer"', "set jwksUri or jwks"]],
    [
      "a placeholder issuer next to keys",
      oidc({ issuer: "https://id.example.com", jwksUri }),
      "auth.oidc.issuer",
      ["placeholder"],
    ],
    [
      "a URN of an issuer with a space around it",
      oidc({ issuer: "urn:sso ", jwksUri }),
      "auth.oidc.issuer",
      ['"urn:sso "'],
    ],
    ["no issuer next to keys", oidc({ issuer: undefined, jwksUri }), "auth.oidc.issuer", ["non-empty"]],
    [
      "no audience without authorizedParties",
      oidc({ audience: null }),
      "auth.oidc.authorizedParties",
      ["azp", "or null"],
    ],
    ["no audience in words", oidc({ audience: "null" }), "auth.oidc.audience", ['"null"', "by hand, without quotes"]],
    ["no authorized party", oidc({ authorizedParties: [] }), "auth.oidc.authorizedParties", ["[]", "azp"]],
    [
      "an authorized party outside a list",
      oidc({ authorizedParties: "app" }),
      "auth.oidc.authorizedParties",
      ['"app"', "list"],
    ],
    ["an empty authorized party", oidc({ authorizedParties: [""] }), "auth.oidc.authorizedParties", ['[""]']],
    [
      "no parties in words",
      oidc({ authorizedParties: "null" }),
      "auth.oidc.authorizedParties",
      ["by hand, without quotes"],
    ],
    ["a wildcard for an issuer", oidc({ issuer: "https://*.relay.dev" }), "auth.oidc.issuer", ["one exact value"]],
    [
      "a wildcard in an issuer",
      oidc({ issuer: "https://id.relay.dev/*/v2.0" }),
      "auth.oidc.issuer",
      ["one exact value"],
    ],
    [
      "a wildcard in an issuer next to keys",
      oidc({ issuer: "https://*.relay.dev", jwksUri }),
      "auth.oidc.issuer",
      ["one exact value"],
    ],
    ["a wildcard for an audience", oidc({ audience: ["*"] }), "auth.oidc.audience", ['["*"]', "exact values"]],
    [
      "a wildcard in an authorized party",
      oidc({ authorizedParties: ["https://*.relay.dev"] }),
      "auth.oidc.authorizedParties",
      ["exact values"],
    ],
    [
      "a wildcard in a JWKS URI",
      oidc({ jwksUri: "https://*.relay.dev/jwks" }),
      "auth.oidc.jwksUri",
      ["one exact value"],
    ],
    ["no audience", { auth: { oidc: { issuer: auth.oidc.issuer } } }, "auth.oidc.audience", ["aud"]],
    ["an empty list of audiences", oidc({ audience: [] }), "auth.oidc.audience", ["[]"]],
    ["a JWKS URI over http", oidc({ jwksUri: "http://a.dev/jwks" }), "auth.oidc.jwksUri", ["https"]],
    ["keys twice", oidc({ jwksUri: "https://a.dev/jwks", jwks: { keys: [{}] } }), "auth.oidc", ["remove one"]],
    ["a key set without keys", oidc({ jwks: { keys: [] } }), "auth.oidc.jwks", ["at least one key"]],
    ["a key without kty", oidc({ jwks: { keys: [{ kid: "k" }] } }), "auth.oidc.jwks", ["kty"]],
    ["a key with a numeric kid", oidc({ jwks: { keys: [{ kty: "RSA", kid: 1 }] } }), "auth.oidc.jwks", ["kid"]],
    ["no key that can verify", oidc({ jwks: { keys: [{ kty: "RSA", kid: "k" }] } }), "auth.oidc.jwks", ["can verify"]],
    ["a key that is none", oidc({ jwks: { keys: ["x"] } }), "auth.oidc.jwks", ['"x"']],
    ["a private key", oidc({ jwks: { keys: [{ kty: "RSA", d: "x" }] } }), "auth.oidc.jwks", ["private"]],
    [
      "a misspelled key in auth",
      { auth: { ...auth, userclaim: "sub" } },
      "auth.userclaim",
      ["did you mean userClaim?"],
    ],
    ["a misspelled key in oidc", oidc({ issuerr: "x" }), "auth.oidc.issuerr", ["did you mean issuer?"]],
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
    ["a callback and an issuer", { auth: { ...auth, authenticate } }, "auth", ["oidc and authenticate"]],
    [
      "a callback that is none",
      { auth: { authenticate: "jwt" } },
      "auth.authenticate",
      ['"jwt"', "program of your own"],
    ],
    ["a folder without a callback", { auth: { ...auth, requireFrom: "/x" } }, "auth.requireFrom", ["authenticate"]],
    ["a folder that is none", { auth: { authenticate, requireFrom: 5 } }, "auth.requireFrom", ["__dirname"]],
    ["a claim and a callback", { auth: { authenticate, userClaim: "sub" } }, "auth.userClaim", ["user's code"]],
    [
      "a clock tolerance next to a callback",
      { auth: { authenticate, clockToleranceSeconds: 5 } },
      "auth.clockToleranceSeconds",
      ["callback checks"],
    ],
    ...[-1, 301, 2.5, "5", true].map(
      (clockToleranceSeconds) =>
        [
          `a clock tolerance of ${JSON.stringify(clockToleranceSeconds)}`,
          { auth: { ...auth, clockToleranceSeconds } },
          "auth.clockToleranceSeconds",
          [JSON.stringify(clockToleranceSeconds), "from 0 to 300", "leave it out for 5"],
        ] as [string, object, string, string[]],
    ),
    [
      "a word for whether sessions end",
      { auth: { ...auth, endSessionWithToken: "false" } },
      "auth.endSessionWithToken",
      ['"false"', "without quotes"],
    ],
    ["auth that is an output", { auth: pulumi.output(auth) }, "auth", ["an output", "values may be outputs"]],
    ["a word for auth", { auth: "none" }, "auth", ['"none"', "null in a program"]],
  ]);

  it("accepts null, which is not written by mistake, for no authentication: an absent auth is refused", () => {
    expect(resolveArgs({ auth: null })).to.include({ auth: null, endSessionWithToken: false });
    expect(resolveAuth(null, [])).to.equal(null);
    expect(problemOf({ auth: undefined }).propertyPath).to.equal("auth");
  });

  it("takes null for every origin, and an absent list for none but the API's own", () => {
    expect(resolveArgs({ auth, allowedOrigins: null }).allowedOrigins).to.equal(null);
    expect(resolveArgs({ auth, allowedOrigins: undefined }).allowedOrigins).to.deep.equal([]);
    expect(resolveAuth(auth, null)).to.deep.equal({ ...auth, ...defaults });
  });

  it("tells connect of a callback that there is one, and neither its code nor its folder", () => {
    const given = { authenticate, requireFrom: __dirname, cookieName: "session" };
    expect(resolveArgs({ auth: given }).auth).to.equal(given);
    expect(resolveAuth(given, [])).to.deep.equal({ ...defaults, authenticate: true, cookieName: "session" });
  });

  it("tells connect of sessions that end with their token only where they do", () => {
    expect(resolveAuth({ ...auth, endSessionWithToken: true }, [])).to.have.property("endSessionWithToken", true);
    expect(resolveAuth({ ...auth, endSessionWithToken: false }, [])).not.to.have.property("endSessionWithToken");
    expect(resolveArgs({ auth: { ...auth, endSessionWithToken: true } }).endSessionWithToken).to.equal(true);
  });

  it("accepts values that are known later, and checks them when they are", () => {
    const issuer = pulumi.output("https://issuer.example.com");
    expect(() => resolveArgs({ auth: { oidc: { issuer, audience: "relay" } } })).not.to.throw();
    expect(() => resolveAuth({ oidc: { issuer: "https://issuer.example.com", audience: "relay" } }, [])).to.throw(
      "auth.oidc.issuer",
    );
    expect(() => resolveAuth(auth, ["https://app.example.com"])).to.throw("allowedOrigins[0]");
  });

  it("counts nothing of a function's environment for what is known only later", () => {
    const later = Array.from({ length: 50 }, () => pulumi.output("app"));
    const cognito = { userPoolId: pulumi.output("eu-west-1_abc"), clientIds: later };
    expect(() => resolveArgs({ auth: { cognito }, allowedOrigins: later })).not.to.throw();
  });

  for (const issuer of ["accounts.acme", "joe", "urn:sso.acme", "http://keycloak.internal/realms/a?b#c"]) {
    it(`accepts the issuer ${issuer} next to jwksUri or jwks`, () => {
      const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      for (const keys of [{ jwksUri }, { jwks: { keys: [publicKey.export({ format: "jwk" })] } }]) {
        const given = oidc({ issuer, ...keys }) as Pick<WebsocketRelayArgs, "auth">;
        expect(resolveArgs(given).auth).to.deep.equal(given.auth);
      }
    });
  }

  it("accepts a null audience with authorizedParties, which reach connect as they are", () => {
    for (const authorizedParties of [["https://app.relay.dev"], null]) {
      const given = { oidc: { ...auth.oidc, audience: null, authorizedParties } };
      expect(resolveArgs({ auth: given }).auth).to.deep.equal(given);
      expect(resolveAuth(given, [])).to.deep.equal({ ...given, ...defaults });
    }
  });

  it("accepts authorizedParties next to an audience, and values of both that are known later", () => {
    const later = { audience: pulumi.output("relay"), authorizedParties: [pulumi.output("app")] };
    for (const given of [{ authorizedParties: ["app"] }, later, { authorizedParties: pulumi.output(["app"]) }]) {
      expect(() => resolveArgs({ auth: { oidc: { ...auth.oidc, ...given } } })).not.to.throw();
    }
    const wrong = { oidc: { ...auth.oidc, audience: null, authorizedParties: [] } };
    expect(() => resolveAuth(wrong, [])).to.throw("auth.oidc.authorizedParties");
  });

  it("accepts a clock tolerance from none to five minutes, and one that is known later", () => {
    for (const clockToleranceSeconds of [0, 300]) {
      expect(resolveAuth({ ...auth, clockToleranceSeconds }, [])).to.include({ clockToleranceSeconds });
    }
    expect(() => resolveArgs({ auth: { ...auth, clockToleranceSeconds: pulumi.output(10) } })).not.to.throw();
    expect(() => resolveAuth({ ...auth, clockToleranceSeconds: 301 }, [])).to.throw("auth.clockToleranceSeconds");
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
    expect(resolveAuth(given, [])).to.deep.equal({ ...auth, ...defaults });
  });

  it("refuses what would not fit into a function's environment, before anything is registered where it can", () => {
    const allowedOrigins = Array.from({ length: 200 }, (_, index) => `https://app-${index}.relay.dev`);
    expect(problemOf({ auth, allowedOrigins }).reason).to.match(/bytes of JSON.*fewer origins/);
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwks = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k".repeat(3_000) }] };
    expect(() => resolveAuth({ oidc: { ...auth.oidc, jwks } }, [])).to.throw(/bytes of JSON.*jwksUri instead of jwks/);
  });
});

function oidc(args: object): object {
  return { auth: { oidc: { ...auth.oidc, ...args } } };
}

function cognito(args: object): object {
  return { auth: { cognito: { userPoolId: "eu-west-1_abc", clientIds: ["app"], ...args } } };
}
