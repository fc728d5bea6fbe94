import { generateKeyPairSync } from "node:crypto";
import type { Fetcher } from "aws-jwt-verify/https";
import type { Jwks } from "aws-jwt-verify/jwk";
import { expect } from "chai";
import type { TokenAuthConfig } from "../../handlers/authenticate";
import { SigningKeysError, tokenVerifier } from "../../handlers/tokenVerifier";
import { audience, issuer, jwks, token } from "./tokens";

const names = { userClaim: "sub", cookieName: "token" };
const inline: TokenAuthConfig = { oidc: { issuer, audience, jwks }, ...names };
const fetched: TokenAuthConfig = { oidc: { issuer, audience }, ...names };
const unused: Fetcher = { fetch: () => Promise.reject(new Error("an inline set is never fetched")) };
const past = Math.floor(Date.now() / 1000) - 60;

function fetcherOf(answer: () => string): Fetcher & { uris: string[] } {
  const uris: string[] = [];
  return {
    uris,
    fetch: async (uri) => {
      uris.push(uri);
      const bytes = new TextEncoder().encode(answer());
      return await Promise.resolve(bytes.buffer as ArrayBuffer);
    },
  };
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
}

describe("tokenVerifier", () => {
  const verify = tokenVerifier(inline, unused);

  it("answers the user that the claim names, and when the token ends", async () => {
    const exp = Math.floor(Date.now() / 1000) + 90;
    expect(await verify(await token({ exp }))).to.deep.equal({ user: "42", expiresAt: exp });
  });

  it("gives a reason that a stranger's token cannot blow up", async () => {
    const { refused } = await verify(await token({ iss: "x".repeat(5_000) }));
    expect(refused).to.have.length.within(1, 200);
  });

  for (const [claim, user] of [
    [7, "7"],
    [-7, "-7"],
    [Number.MAX_SAFE_INTEGER, "9007199254740991"],
    [" x ", " x "],
  ] as const) {
    it(`takes ${JSON.stringify(claim)} for the user ${JSON.stringify(user)}`, async () => {
      const verify = tokenVerifier({ ...inline, userClaim: "id" });
      expect(await verify(await token({ id: claim }))).to.include({ user });
    });
  }

  for (const claim of [undefined, "", 1.5, 2 ** 53, true, null, ["42"], { id: 42 }]) {
    it(`refuses ${JSON.stringify(claim)} as a user`, async () => {
      const verify = tokenVerifier({ ...inline, userClaim: "id" });
      expect(await verify(await token({ id: claim }))).to.deep.equal({
        refused: "the claim id is neither a non-empty string nor an integer",
      });
    });
  }

  it("takes no inherited property for a claim", async () => {
    const verify = tokenVerifier({ ...inline, userClaim: "toString" });
    expect((await verify(await token())).refused).to.contain("the claim toString");
  });

  for (const [name, claims, reason] of [
    ["is expired", { exp: past }, "Token expired"],
    ["expired before the range of dates", { exp: -1e300 }, ""],
    ["is not valid yet", { nbf: past + 3600 }, "can't be used before"],
    ["has no exp", { exp: undefined }, "the token has no exp"],
    ["is of another issuer", { iss: "https://other.test" }, "Issuer not allowed"],
    ["has no issuer", { iss: undefined }, "Missing Issuer"],
    ["is for another audience", { aud: "other" }, "Audience not allowed"],
    ["has no audience", { aud: undefined }, "Missing Audience"],
  ] as const) {
    it(`refuses a token that ${name}`, async () => {
      expect((await verify(await token(claims))).refused).to.contain(reason);
    });
  }

  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  for (const [name, sign, reason] of [
    ["signed by another key", () => token({}, {}, other), "Invalid signature"],
    ["of another algorithm", () => token({}, { alg: "RS512" }), "algorithm not allowed"],
    ["signed with a secret", () => token({}, { alg: "HS256" }, new Uint8Array(32)), "algorithm not allowed"],
    ["without a key id", () => token({}, { kid: undefined }), "valid kid"],
    ["that is no JWT", () => Promise.resolve("abc"), "not a JWT"],
    ["whose header is no JSON", () => Promise.resolve("c2VjcmV0.e30.AA"), "not a JWT"],
  ] as const) {
    it(`refuses a token ${name}`, async () => {
      const { refused } = await verify(await sign());
      expect(refused).to.contain(reason);
      expect(refused).not.to.contain("secret");
    });
  }

  it("refuses a token with alg none", async () => {
    const [, payload] = (await token()).split(".");
    const header = Buffer.from('{"alg":"none","kid":"k1"}').toString("base64url");
    expect((await verify(`${header}.${payload}.AA`)).refused).to.contain("not allowed");
  });

  it("refuses a signature of an odd length, which makes the crypto library throw", async () => {
    const keys = { keys: [{ ...ec.publicKey.export({ format: "jwk" }), kid: "e1" }] } as Jwks;
    const verify = tokenVerifier({ oidc: { issuer, audience, jwks: keys }, ...names });
    const good = await token({}, { alg: "ES256", kid: "e1" }, ec.privateKey);
    expect(await verify(good)).to.include({ user: "42" });
    expect(await verify(good.slice(0, -8))).to.have.property("refused");
  });

  it("refuses an unknown key id every time, where the set is inline", async () => {
    for (let i = 0; i < 3; i++) {
      expect((await verify(await token({}, { kid: "k2" }))).refused).to.contain("not found");
    }
  });

  it("throws at once for an inline set that is malformed", () => {
    const keys = { keys: [{ kid: "k1" }] } as unknown as Jwks;
    expect(() => tokenVerifier({ oidc: { issuer, audience, jwks: keys }, ...names })).to.throw("JWK kty");
  });

  it("fetches the keys from the issuer once", async () => {
    const fetcher = fetcherOf(() => JSON.stringify(jwks));
    const verify = tokenVerifier(fetched, fetcher);
    expect(await verify(await token())).to.include({ user: "42" });
    expect(await verify(await token({ sub: "43" }))).to.include({ user: "43" });
    expect(fetcher.uris).to.deep.equal([`${issuer}/.well-known/jwks.json`]);
  });

  it("fetches the keys from jwksUri where there is one", async () => {
    const fetcher = fetcherOf(() => JSON.stringify(jwks));
    const verify = tokenVerifier({ oidc: { issuer, audience, jwksUri: "https://keys.test/" }, ...names }, fetcher);
    await verify(await token());
    expect(fetcher.uris).to.deep.equal(["https://keys.test/"]);
  });

  it("refuses an unknown key id, and throws while the set may not be fetched again", async () => {
    const verify = tokenVerifier(
      fetched,
      fetcherOf(() => JSON.stringify(jwks)),
    );
    const unknown = await token({}, { kid: "k2" });
    expect((await verify(unknown)).refused).to.contain("not found");
    expect(await rejection(verify(unknown))).to.be.instanceOf(SigningKeysError);
    // The penalty is for unknown keys only.
    expect(await verify(await token())).to.include({ user: "42" });
  });

  it("throws where the keys cannot be fetched, and recovers", async () => {
    let down = true;
    const fetcher = fetcherOf(() => {
      if (down) throw new Error("connect ECONNREFUSED");
      return JSON.stringify(jwks);
    });
    const verify = tokenVerifier(fetched, fetcher);
    const error = await rejection(verify(await token()));
    expect(error).to.be.instanceOf(SigningKeysError);
    expect((error as Error).cause).to.have.property("message", "connect ECONNREFUSED");
    down = false;
    expect(await verify(await token())).to.include({ user: "42" });
  });

  for (const [name, set] of [
    ["is no JSON", "<html>"],
    ["is no JWKS", '{"key":[]}'],
    ["has a key without a type", '{"keys":[{"kid":"k1"}]}'],
    ["has a key without its numbers", '{"keys":[{"kid":"k1","kty":"RSA"}]}'],
  ] as const) {
    it(`throws where the fetched set ${name}`, async () => {
      const verify = tokenVerifier(
        fetched,
        fetcherOf(() => set),
      );
      expect(await rejection(verify(await token()))).to.be.instanceOf(SigningKeysError);
    });
  }

  describe("with Cognito", () => {
    const userPoolId = "eu-west-1_a1b2c3d4e";
    const iss = `https://cognito-idp.eu-west-1.amazonaws.com/${userPoolId}`;
    const fetcher = fetcherOf(() => JSON.stringify(jwks));
    const verify = tokenVerifier({ cognito: { userPoolId, clientIds: ["c1", "c2"] }, ...names }, fetcher);

    for (const [name, claims] of [
      ["an access token", { token_use: "access", client_id: "c2" }],
      ["an id token", { token_use: "id", aud: "c1" }],
    ] as const) {
      it(`accepts ${name} of one of the clients`, async () => {
        expect(await verify(await token({ iss, ...claims }))).to.include({ user: "42" });
        expect(fetcher.uris).to.deep.equal([`${iss}/.well-known/jwks.json`]);
      });
    }

    for (const [name, claims, reason] of [
      ["of another client", { token_use: "access", client_id: "c3" }, "Client ID not allowed"],
      ["of another use", { token_use: "refresh", client_id: "c1" }, "Token use not allowed"],
      ["of another pool", { token_use: "access", client_id: "c1", iss: `${iss}x` }, "issuer not configured"],
      ["without an issuer", { token_use: "access", client_id: "c1", iss: undefined }, "issuer must be provided"],
      ["without exp", { token_use: "access", client_id: "c1", exp: undefined }, "no exp"],
    ] as const) {
      it(`refuses a token ${name}`, async () => {
        expect((await verify(await token({ iss, ...claims }))).refused).to.contain(reason);
      });
    }
  });
});
