import { expect } from "chai";
import { tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { audience, ec, inSeconds, issuer, jwk, jwks, rsa, token } from "./tokens";
import { fetching, tokenOf, verifierWith } from "./verifierFixture";

describe("tokenVerifier", () => {
  const verify = verifierWith();

  it("answers the user that the claim names, when the token ends, and every claim", async () => {
    const exp = inSeconds(90);
    const { claims, ...verified } = await verify(await token({ exp, tenant: "acme" }));
    expect(verified).to.deep.equal({ user: "42", expiresAt: exp });
    expect(claims).to.include({ iss: issuer, aud: audience, sub: "42", tenant: "acme" });
  });

  for (const [claim, user] of [
    [7, "7"],
    [-7, "-7"],
    [Number.MAX_SAFE_INTEGER, "9007199254740991"],
    [" x ", " x "],
  ] as const) {
    for (const userClaim of ["id", "sub"]) {
      it(`takes ${JSON.stringify(claim)} in ${userClaim} for the user ${JSON.stringify(user)}`, async () => {
        expect(await verifierWith({ userClaim })(await token({ [userClaim]: claim }))).to.include({ user });
      });
    }
  }

  for (const claim of [undefined, "", 1.5, 2 ** 53, true, null, ["42"], { id: 42 }]) {
    for (const userClaim of ["id", "sub"]) {
      it(`refuses ${JSON.stringify(claim)} in ${userClaim} as a user`, async () => {
        expect(await verifierWith({ userClaim })(await token({ [userClaim]: claim }))).to.deep.equal({
          refused: `the claim ${userClaim} is neither a non-empty string nor an integer`,
        });
      });
    }
  }

  for (const [name, claims] of [
    ["a numeric jti", { jti: 17 }],
    ["scope as a list, as IdentityServer writes it", { scope: ["openid", "relay"] }],
    ["a numeric sub where another claim is the user", { sub: 5, id: "42" }],
    ["the audience in a list", { aud: ["other", audience] }],
    ["a time of issue in the future", { iat: inSeconds(3600) }],
  ] as const) {
    it(`accepts a token with ${name}`, async () => {
      expect(await verifierWith({ userClaim: "id" })(await token({ id: "42", ...claims }))).to.include({ user: "42" });
    });
  }

  it("accepts a token for one of several audiences", async () => {
    expect(await verifierWith({}, { audience: ["web", audience] })(await token())).to.include({ user: "42" });
  });

  it("takes no inherited property for a claim", async () => {
    expect((await verifierWith({ userClaim: "toString" })(await token())).refused).to.contain("the claim toString");
  });

  for (const [name, claims, reason] of [
    ["is expired", { exp: inSeconds(-60) }, "the claim exp has passed"],
    ["expired before the range of dates", { exp: -1e300 }, "the claim exp has passed"],
    ["is not valid yet", { nbf: inSeconds(86_400) }, "the claim nbf has not come yet"],
    ["has no exp", { exp: undefined }, "the claim exp is missing"],
    ["has an exp that is a text", { exp: "never" }, "the claim exp is not a number"],
    ["has an nbf that is a text", { nbf: "never" }, "the claim nbf is not a number"],
    ["is of another issuer", { iss: "https://other.test" }, `the claim iss is not "${issuer}"`],
    ["is of an issuer with a slash more", { iss: `${issuer}/` }, `the claim iss is not "${issuer}"`],
    ["has no issuer", { iss: undefined }, "the claim iss is missing"],
    ["is for another audience", { aud: "other" }, `the claim aud has none of ["${audience}"]`],
    ["has an empty audience", { aud: [] }, `the claim aud has none of ["${audience}"]`],
    ["has no audience", { aud: undefined }, "the claim aud is missing"],
  ] as const) {
    it(`refuses a token that ${name}`, async () => {
      expect(await verify(await token(claims))).to.deep.equal({ refused: reason });
    });
  }

  for (const exp of ["1e999", "1e200"]) {
    it(`refuses a token whose exp is ${exp}, which no date reaches`, async () => {
      const endless = await tokenOf(`{"iss":"${issuer}","aud":"${audience}","sub":"42","exp":${exp}}`);
      expect(await verify(endless)).to.deep.equal({ refused: "the claim exp is beyond all dates" });
    });
  }

  it("refuses a token of another issuer without looking for its key, however often it comes", async () => {
    const fetchKeys = fetching(() => JSON.stringify(jwks));
    const verify = tokenVerifier({ oidc: { issuer, audience } }, fetchKeys);
    const foreign = await token({ iss: "https://staging.test" }, { kid: "theirs" });
    for (let times = 0; times < 3; times++) {
      expect(await verify(foreign)).to.deep.equal({ refused: `the claim iss is not "${issuer}"` });
    }
    expect(fetchKeys.uris).to.deep.equal([]);
    expect(await verify(await token())).to.include({ user: "42" });
  });

  for (const [name, sign, reason] of [
    ["signed by another key", () => token({}, {}, rsa().privateKey), "the signature is not that of the issuer's key"],
    ["of another algorithm than its key's", () => token({}, { alg: "RS512" }), "fits its alg RS512"],
    ["signed with a secret", () => token({}, { alg: "HS256" }, new Uint8Array(32)), "the header's alg is not allowed"],
    ["on a curve that is not allowed", () => token({}, { alg: "ES256" }, ec("P-256").privateKey), "fits its alg ES256"],
    ["with a numeric kid", () => token({}, { kid: 1 as never }), "the header's kid is not a string"],
    ["that is no JWT", () => Promise.resolve("abc"), "not a JWT"],
    ["that is empty", () => Promise.resolve(""), "not a JWT"],
    ["whose header is no JSON", () => Promise.resolve("c2VjcmV0.e30.AA"), "not a JWT"],
    ["whose payload is no JSON", () => tokenOf("secret"), "not a JWT"],
    ["whose payload is a list", () => tokenOf("[]"), "not a JWT"],
  ] as const) {
    it(`refuses a token ${name}`, async () => {
      const { refused } = await verify(await sign());
      expect(refused).to.contain(reason);
      expect(refused).not.to.contain("secret");
    });
  }

  for (const header of [
    { alg: "none", kid: "k1" },
    { alg: ["RS256"], kid: "k1" },
    { kid: "k1" },
    { alg: "RSA-OAEP", enc: "A256GCM", kid: "k1" },
  ]) {
    it(`refuses a token with the header ${JSON.stringify(header)}`, async () => {
      const [, payload] = (await token()).split(".");
      const given = Buffer.from(JSON.stringify(header)).toString("base64url");
      expect((await verify(`${given}.${payload}.AA`)).refused).to.contain("the header's alg is not allowed");
    });
  }

  it("tries every key with the token's kid that fits", async () => {
    const [older, newer] = [rsa(), rsa()];
    const verify = verifierWith({}, { jwks: { keys: [older, newer].map((pair) => jwk(pair, { kid: "k1" })) } });
    for (const { privateKey } of [older, newer]) {
      expect(await verify(await token({}, {}, privateKey))).to.include({ user: "42" });
      expect((await verify(await token({ aud: "other" }, {}, privateKey))).refused).to.contain("aud");
    }
    expect((await verify(await token())).refused).to.contain("signature");
  });

  it("accepts a token without kid where one key fits", async () => {
    expect(await verify(await token({}, { kid: undefined }))).to.include({ user: "42" });
  });

  it("refuses a token with a critical header that it does not know", async () => {
    const [, payload] = (await token()).split(".");
    const header = Buffer.from('{"alg":"RS256","kid":"k1","crit":["x"],"x":1}').toString("base64url");
    expect(await verify(`${header}.${payload}.AA`)).to.deep.equal({
      refused: "the header's crit names an extension that is not supported",
    });
  });

  it("never accepts another user of a token whose characters change, nor blames the keys", async () => {
    const good = await token();
    // A linear congruential generator, so that a failure comes again.
    let seed = 42;
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    const characters = "ABCxyz019-_=.+/ ~\u00e9\u{1f511}";
    for (let run = 0; run < 300; run++) {
      const at = random(good.length - 1);
      const changed = good.slice(0, at) + [...characters][random([...characters].length)] + good.slice(at + random(3));
      const { refused, user } = await verify(changed);
      // The last bits of a signature's base64 mean nothing, and a character may be replaced by itself.
      expect(user === undefined || user === "42", changed).to.equal(true);
      if (refused !== undefined) expect(refused.length, changed).to.be.within(1, 300);
    }
  });

  describe("with clocks that differ", () => {
    it("accepts an nbf some seconds ahead and an exp some seconds ago, within five by default", async () => {
      expect(await verify(await token({ nbf: inSeconds(4) }))).to.include({ user: "42" });
      expect(await verify(await token({ exp: inSeconds(0) }))).to.include({ user: "42" });
    });

    it("takes another tolerance, or none", async () => {
      const patient = verifierWith({ clockToleranceSeconds: 300 });
      expect(await patient(await token({ nbf: inSeconds(290) }))).to.include({ user: "42" });
      expect(await patient(await token({ exp: inSeconds(-200) }))).to.include({ user: "42" });
      const strict = verifierWith({ clockToleranceSeconds: 0 });
      expect(await strict(await token({ nbf: inSeconds(60) }))).to.have.property("refused");
      expect(await strict(await token({ exp: inSeconds(0) }))).to.have.property("refused");
    });

    it("gives exp no tolerance where sessions end with their token, and nbf still", async () => {
      const ending = verifierWith({ endSessionWithToken: true, clockToleranceSeconds: 300 });
      expect(await ending(await token({ exp: inSeconds(0) }))).to.deep.equal({ refused: "the claim exp has passed" });
      expect(await ending(await token({ nbf: inSeconds(290) }))).to.include({ user: "42" });
    });
  });

  describe("with authorizedParties", () => {
    const listed = { authorizedParties: ["https://app.test", "https://admin.test"] };

    for (const [name, oidc] of [
      ["next to an audience", listed],
      ["in the place of an audience", { audience: null, ...listed }],
    ] as const) {
      const verify = verifierWith({}, oidc);

      it(`accepts a listed azp, ${name}`, async () => {
        expect(await verify(await token({ azp: "https://admin.test" }))).to.include({ user: "42" });
      });

      for (const azp of [undefined, null, "https://evil.test", "https://app.test/", ["https://app.test"]]) {
        it(`refuses an azp of ${JSON.stringify(azp)}, ${name}`, async () => {
          expect(await verify(await token({ azp }))).to.deep.equal({
            refused: 'the claim azp is none of ["https://app.test","https://admin.test"]',
          });
        });
      }
    }

    it("still asks for the audience next to an audience, and for no aud without", async () => {
      const azp = "https://app.test";
      expect((await verifierWith({}, listed)(await token({ azp, aud: undefined }))).refused).to.contain("aud");
      const unbound = verifierWith({}, { audience: null, ...listed });
      expect(await unbound(await token({ azp, aud: undefined }))).to.include({ user: "42" });
    });

    it("checks neither aud nor azp where both are null", async () => {
      const verify = verifierWith({}, { audience: null, authorizedParties: null });
      expect(await verify(await token({ aud: undefined }))).to.include({ user: "42" });
      expect(await verify(await token({ aud: "other", azp: "other" }))).to.include({ user: "42" });
    });
  });
});
