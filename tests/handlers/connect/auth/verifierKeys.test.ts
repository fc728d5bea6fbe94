import { expect } from "chai";
import type { TokenVerifierConfig } from "../../../../handlers/connect/auth/authenticate";
import { SigningKeysError, tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { refusal } from "../../../support/refusal";
import { audience, inSeconds, issuer, jwks, token } from "./tokens";
import { cognito, cognitoIssuer, fetching, inline } from "./verifierFixture";

describe("tokenVerifier", () => {
  for (const text of ["accounts.acme", "joe", "urn:sso.acme", "http://keycloak.internal/realms/acme"]) {
    it(`takes the issuer ${text} next to keys, and compares it exactly`, async () => {
      for (const keys of [{ jwks }, { jwks: undefined, jwksUri: "https://keys.test/" }]) {
        const verify = tokenVerifier(
          { oidc: { ...inline.oidc, issuer: text, ...keys } },
          fetching(() => JSON.stringify(jwks)),
        );
        expect(await verify(await token({ iss: text }))).to.include({ user: "42" });
        expect(await verify(await token())).to.have.property("refused");
      }
    });
  }

  for (const [at, uri] of [
    ["https://acme.test", "https://acme.test/.well-known/jwks.json"],
    ["https://acme.test/", "https://acme.test/.well-known/jwks.json"],
    ["https://acme.test/oauth2/default", "https://acme.test/oauth2/default/.well-known/jwks.json"],
  ] as const) {
    it(`fetches the keys of ${at} from ${uri}, once`, async () => {
      const fetchKeys = fetching(() => JSON.stringify(jwks));
      const verify = tokenVerifier({ oidc: { issuer: at, audience } }, fetchKeys);
      expect(await verify(await token({ iss: at }))).to.include({ user: "42" });
      expect(await verify(await token({ iss: at, sub: "43" }))).to.include({ user: "43" });
      expect(fetchKeys.uris).to.deep.equal([uri]);
    });
  }

  it("fetches the keys from jwksUri where there is one", async () => {
    const fetchKeys = fetching(() => JSON.stringify(jwks));
    await tokenVerifier({ oidc: { issuer, audience, jwksUri: "https://keys.test/" } }, fetchKeys)(await token());
    expect(fetchKeys.uris).to.deep.equal(["https://keys.test/"]);
  });

  it("fetches nothing for a token that could not be accepted by any key", async () => {
    const fetchKeys = fetching(() => JSON.stringify(jwks));
    const verify = tokenVerifier({ oidc: { issuer, audience } }, fetchKeys);
    for (const bad of ["abc", await token({}, { alg: "HS256" }, new Uint8Array(32))]) {
      expect(await verify(bad)).to.have.property("refused");
    }
    expect(fetchKeys.uris).to.deep.equal([]);
  });

  it("refuses an expired token before it looks up its key, which may be one that a rotation removed", async () => {
    for (const [config, claims] of [
      [{ oidc: { issuer, audience } }, {}],
      [{ cognito }, { iss: cognitoIssuer, token_use: "access", client_id: "c" }],
    ] as const) {
      const fetchKeys = fetching(() => JSON.stringify(jwks));
      const verify = tokenVerifier(config as unknown as TokenVerifierConfig, fetchKeys);
      const stale = await token({ ...claims, exp: inSeconds(-60) }, { kid: "old" });
      for (let time = 0; time < 2; time++) {
        expect(await verify(stale)).to.deep.equal({ refused: "the claim exp has passed" });
      }
      expect(fetchKeys.uris).to.deep.equal([]);
      expect(await verify(await token(claims))).to.include({ user: "42" });
    }
  });

  it("throws where the keys cannot be fetched, and recovers", async () => {
    let down = true;
    const fetchKeys = fetching(() => {
      if (down) throw new Error("connect ECONNREFUSED");
      return JSON.stringify(jwks);
    });
    const verify = tokenVerifier({ oidc: { issuer, audience } }, fetchKeys);
    const error = await refusal(verify(await token()));
    expect(error).to.be.instanceOf(SigningKeysError);
    expect(error.cause).to.have.property("message", "connect ECONNREFUSED");
    down = false;
    expect(await verify(await token())).to.include({ user: "42" });
  });
});
