import { expect } from "chai";
import { cognitoVerifier } from "../../../../handlers/connect/auth/cognitoVerifier";
import { SigningKeysError, tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { refusal } from "../../../support/refusal";
import { inSeconds, jwk, jwks, rsa, token } from "./tokens";
import { cognito, cognitoIssuer, fetching } from "./verifierFixture";

describe("tokenVerifier", () => {
  describe("with Cognito", () => {
    const iss = cognitoIssuer;
    const config = { cognito: { ...cognito, clientIds: ["c1", "c2"] } };
    const fetchKeys = fetching(() => JSON.stringify(jwks));
    const verify = tokenVerifier(config, fetchKeys);
    const access = { iss, token_use: "access", client_id: "c2" };

    for (const [name, claims] of [
      ["an access token", access],
      ["an id token", { iss, token_use: "id", aud: "c1" }],
    ] as const) {
      it(`accepts ${name} of one of the clients`, async () => {
        expect(await verify(await token(claims))).to.include({ user: "42" });
        expect(fetchKeys.uris).to.deep.equal([`${iss}/.well-known/jwks.json`]);
      });
    }

    for (const [name, claims, reason] of [
      ["of another client", { client_id: "c3" }, "Client ID not allowed"],
      ["of another use", { token_use: "refresh" }, "Token use not allowed"],
      ["of another pool", { iss: `${iss}x` }, "issuer not configured"],
      ["without an issuer", { iss: undefined }, "issuer must be provided"],
      ["without exp", { exp: undefined }, "the claim exp is missing"],
      ["that is expired", { exp: inSeconds(-60) }, "the claim exp has passed"],
      ["that is not valid yet", { nbf: inSeconds(86_400) }, "can't be used before"],
      ["that expired before the range of dates", { exp: -1e300 }, "the claim exp has passed"],
    ] as const) {
      it(`refuses a token ${name}`, async () => {
        expect((await verify(await token({ ...access, ...claims }))).refused).to.contain(reason);
      });
    }

    for (const [name, sign] of [
      ["signed by another key", () => token(access, {}, rsa().privateKey)],
      ["signed with a secret", () => token(access, { alg: "HS256" }, new Uint8Array(32))],
      ["without a key id", () => token(access, { kid: undefined })],
      ["that is no JWT", () => Promise.resolve("c2VjcmV0.e30.AA")],
    ] as const) {
      it(`refuses a token ${name}`, async () => {
        expect((await verify(await sign())).refused)
          .to.be.a("string")
          .that.does.not.contain("secret");
      });
    }

    it("gives a reason that a stranger's token cannot blow up", async () => {
      expect((await verify(await token({ ...access, iss: "x".repeat(5_000) }))).refused).to.have.length.within(1, 200);
    });

    it("tolerates the same difference of clocks", async () => {
      expect(await verify(await token({ ...access, nbf: inSeconds(4) }))).to.include({ user: "42" });
      expect(await verify(await token({ ...access, exp: inSeconds(0) }))).to.include({ user: "42" });
      const strict = tokenVerifier({ ...config, clockToleranceSeconds: 0 }, fetchKeys);
      expect(await strict(await token({ ...access, nbf: inSeconds(60) }))).to.have.property("refused");
    });

    it("gives exp no tolerance where sessions end with their token, and nbf still", async () => {
      const ending = tokenVerifier({ ...config, endSessionWithToken: true }, fetchKeys);
      expect(await ending(await token({ ...access, exp: inSeconds(0) }))).to.have.property("refused");
      expect(await ending(await token({ ...access, nbf: inSeconds(4) }))).to.include({ user: "42" });
    });

    it("refuses an unknown key id, and throws while the keys may not be fetched again", async () => {
      const verify = tokenVerifier(
        config,
        fetching(() => JSON.stringify(jwks)),
      );
      const unknown = await token(access, { kid: "k2" });
      expect((await verify(unknown)).refused).to.contain("not found");
      expect(await refusal(verify(unknown))).to.be.instanceOf(SigningKeysError);
      expect(await verify(await token(access))).to.include({ user: "42" });
    });

    it("fetches keys again that are ten minutes old, and keeps the old ones while that fails", async () => {
      let now = 0;
      let answer = JSON.stringify(jwks);
      const fetchKeys = fetching(() => answer);
      const claimsOf = cognitoVerifier(config.cognito, 5, fetchKeys, () => now);
      const valid = await token(access);
      const fetches = () => fetchKeys.uris.length;
      await claimsOf(valid);
      now = 599_999;
      await claimsOf(valid);
      expect(fetches()).to.equal(1);
      now += 1;
      answer = "<html>";
      expect(await claimsOf(valid)).to.include({ sub: "42" });
      expect(await claimsOf(valid)).to.include({ sub: "42" });
      expect(fetches()).to.equal(2);
      now += 60_000;
      answer = JSON.stringify({ keys: [jwk(rsa(), { kid: "k2", alg: "RS256", use: "sig" })] });
      expect((await refusal(claimsOf(valid))).message).to.contain("not found");
    });

    it("throws where the keys cannot be fetched or used", async () => {
      for (const answer of ["<html>", '{"keys":[{"kid":"k1","kty":"RSA"}]}']) {
        const verify = tokenVerifier(
          config,
          fetching(() => answer),
        );
        expect(await refusal(verify(await token(access)))).to.be.instanceOf(SigningKeysError);
      }
    });
  });
});
