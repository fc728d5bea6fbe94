import { expect } from "chai";
import type { TokenVerifierConfig } from "../../../../handlers/connect/auth/authenticate";
import { tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { cognito, inline } from "./verifierFixture";

describe("tokenVerifier", () => {
  const oidc = (given: object) => ({ oidc: { ...inline.oidc, ...given } });
  for (const [name, config, reason] of [
    ["no issuer", oidc({ issuer: undefined }), "oidc.issuer"],
    ["no audience", oidc({ audience: undefined }), "oidc.audience"],
    ["an empty list of audiences", oidc({ audience: [] }), "oidc.audience"],
    ["an empty audience", oidc({ audience: "" }), "oidc.audience"],
    ["neither audience nor authorizedParties", oidc({ audience: null }), "oidc.audience"],
    ["no authorized party", oidc({ authorizedParties: [] }), "oidc.authorizedParties"],
    ["an authorized party outside a list", oidc({ authorizedParties: "x" }), "oidc.authorizedParties"],
    ["an issuer that is no URL and no keys", oidc({ issuer: "joe", jwks: undefined }), "oidc.jwksUri"],
    ["keys over http", oidc({ jwksUri: "http://keys.test", jwks: undefined }), "oidc.jwksUri"],
    ["a tolerance that is too long", { ...inline, clockToleranceSeconds: 301 }, "clockToleranceSeconds"],
    ["a tolerance below zero", { ...inline, clockToleranceSeconds: -1 }, "clockToleranceSeconds"],
    ["a tolerance of a part of a second", { ...inline, clockToleranceSeconds: 0.5 }, "clockToleranceSeconds"],
    ["a tolerance that is a text", { ...inline, clockToleranceSeconds: "5" }, "clockToleranceSeconds"],
    ["no user pool", { cognito: { ...cognito, userPoolId: undefined } }, "cognito.userPoolId"],
    ["a user pool that is none", { cognito: { ...cognito, userPoolId: "pool" } }, "cognito.userPoolId"],
    ["no settings of the user pool", { cognito: undefined }, "cognito"],
    ["no issuer and no user pool", {}, "oidc"],
    ["inline keys of which none is usable", oidc({ jwks: { keys: [{ kid: "k1" }] } }), "oidc.jwks"],
    ["inline keys that are no set", oidc({ jwks: null }), "oidc.jwks"],
    ["a jwksUri that is no text", oidc({ jwksUri: 5, jwks: undefined }), "oidc.jwksUri"],
    ["no list of clients", { cognito: { ...cognito, clientIds: null } }, "cognito.clientIds"],
    ["an empty list of clients", { cognito: { ...cognito, clientIds: [] } }, "cognito.clientIds"],
  ] as const) {
    it(`throws at once for ${name}, which would accept more or less than is meant`, () => {
      const verifier = () => tokenVerifier(config as unknown as TokenVerifierConfig);
      expect(verifier).to.throw(TypeError, new RegExp(`^${reason}: got .+; allowed: .+`));
    });
  }

  it("quotes what it got, but of keys nothing", () => {
    const verifierOf = (config: object) => () => tokenVerifier(config as TokenVerifierConfig);
    expect(verifierOf({ ...inline, clockToleranceSeconds: NaN })).to.throw("got NaN");
    expect(verifierOf(oidc({ audience: ["a", ""] }))).to.throw("got [ 'a', '' ]");
    const jwks = { keys: [{ kty: "RSA", d: "private" }] };
    expect(verifierOf(oidc({ jwks })))
      .to.throw(TypeError)
      .with.property("message")
      .that.does.not.include("private");
  });
});
