import { expect } from "chai";
import { CompactSign } from "jose";
import type { TokenVerifierConfig } from "../../../../handlers/connect/auth/authenticate";
import { cognitoVerifier } from "../../../../handlers/connect/auth/cognitoVerifier";
import type { FetchKeys } from "../../../../handlers/connect/auth/fetchKeys";
import { SigningKeysError, tokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { refusal } from "../../../support/refusal";
import { audience, ec, inSeconds, issuer, jwk, jwks, keys, rsa, token } from "./tokens";

const unused: FetchKeys = () => Promise.reject(new Error("an inline set is never fetched"));
const inline = { oidc: { issuer, audience, jwks } };

/** A verifier of the inline set, with other settings. */
function verifierWith(settings: Partial<TokenVerifierConfig> = {}, oidc: object = {}) {
  return tokenVerifier({ ...inline, ...settings, oidc: { ...inline.oidc, ...oidc } }, unused);
}

function fetching(answer: () => string): FetchKeys & { uris: string[] } {
  const uris: string[] = [];
  const fetchKeys = async (uri: string) => {
    uris.push(uri);
    return Promise.resolve(new TextEncoder().encode(answer()).buffer as ArrayBuffer);
  };
  return Object.assign(fetchKeys, { uris });
}

const cognito = { userPoolId: "eu-west-1_a1b2c3d4e", clientIds: ["c"] };
const cognitoIssuer = `https://cognito-idp.eu-west-1.amazonaws.com/${cognito.userPoolId}`;

/** A signed token whose payload is this text, whether or not a library would write it. */
async function tokenOf(payload: string): Promise<string> {
  const signing = new CompactSign(new TextEncoder().encode(payload));
  return await signing.setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(keys.privateKey);
}

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
    ["is for nobody", { aud: [] }, `the claim aud has none of ["${audience}"]`],
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
