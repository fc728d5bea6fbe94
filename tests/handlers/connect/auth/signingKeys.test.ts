import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { ALGORITHMS, hasUsableKey } from "../../../../handlers/connect/auth/jwks";
import { inlineKeys } from "../../../../handlers/connect/auth/signingKeys";
import { RefusedTokenError, SigningKeysError } from "../../../../handlers/connect/auth/tokenErrors";
import { refusal } from "../../../support/refusal";
import { ec, jwk, type KeyPair, rsa } from "./tokens";
import { found } from "./foundKeys";

const [first, second, p256, p384] = [rsa(), rsa(), ec("P-256"), ec("P-384")];
const ed25519: KeyPair = generateKeyPairSync("ed25519");

const inline = (...keys: unknown[]) => inlineKeys({ keys: keys as object[] });

describe("the keys of a set", () => {
  for (const [alg, pair] of [
    ["RS256", first],
    ["RS384", first],
    ["RS512", first],
    ["PS256", first],
    ["PS384", first],
    ["PS512", first],
    ["ES256", p256],
    ["ES384", p384],
    ["ES512", ec("P-521")],
    ["EdDSA", ed25519],
    ["Ed25519", ed25519],
  ] as const) {
    it(`verify ${alg}, with and without an alg of their own`, async () => {
      for (const members of [{}, { alg }]) {
        const keys = inline(jwk(pair, { kid: "k", ...members }));
        expect(await found(keys, { alg, kid: "k" }, { pair })).to.deep.equal(["pair"]);
        expect(await found(keys, { alg }, { pair })).to.deep.equal(["pair"]);
      }
    });
  }

  it("verify no other algorithm", () => {
    expect(ALGORITHMS).to.have.members([
      "RS256",
      "RS384",
      "RS512",
      "PS256",
      "PS384",
      "PS512",
      "ES256",
      "ES384",
      "ES512",
      "EdDSA",
      "Ed25519",
    ]);
  });

  for (const [name, other] of [
    ["alg", jwk(second, { alg: "RS512" })],
    ["use", jwk(second, { use: "enc" })],
    ["key_ops", jwk(second, { key_ops: ["encrypt"] })],
    ["kty", jwk(p256)],
    ["the alg of an encryption", jwk(second, { alg: "RSA-OAEP" })],
  ] as const) {
    it(`with one kid are told apart by ${name}, in any order`, async () => {
      const good = jwk(first, { kid: "k", alg: "RS256", use: "sig" });
      for (const keys of [inline({ ...other, kid: "k" }, good), inline(good, { ...other, kid: "k" })]) {
        expect(await found(keys, { alg: "RS256", kid: "k" }, { first, second })).to.deep.equal(["first"]);
      }
    });
  }

  it("with one kid are told apart by their curve", async () => {
    const keys = inline(jwk(p384, { kid: "k" }), jwk(p256, { kid: "k" }));
    expect(await found(keys, { alg: "ES256", kid: "k" }, { p256 })).to.deep.equal(["p256"]);
    expect(await found(keys, { alg: "ES384", kid: "k" }, { p384 })).to.deep.equal(["p384"]);
  });

  it("with one kid are all found where all fit", async () => {
    const keys = inline(jwk(first, { kid: "k" }), jwk(second, { kid: "k" }), jwk(rsa(), { kid: "other" }));
    expect(await found(keys, { alg: "RS256", kid: "k" }, { first, second })).to.deep.equal(["first", "second"]);
  });

  it("of another kid are never found, though they fit", async () => {
    const error = await refusal(inline(jwk(first, { kid: "k" }), jwk(second)).find({ alg: "RS256", kid: "j" }));
    expect(error).to.be.instanceOf(RefusedTokenError);
    expect(error.message).to.equal("the header's kid names no key of the set");
  });

  it("are refused where none of a token's kid fits", async () => {
    const error = await refusal(inline(jwk(first, { kid: "k" })).find({ alg: "ES256", kid: "k" }));
    expect(error).to.be.instanceOf(RefusedTokenError);
    expect(error.message).to.equal("no key that the header's kid names fits its alg ES256");
  });

  describe("for a token without kid", () => {
    it("are found where exactly one fits, with or without a kid of its own", async () => {
      for (const kid of ["k", undefined]) {
        const set = [jwk(p256, { kid: "e" }), jwk(first, { kid }), jwk(second, { kid: "enc", use: "enc" })];
        expect(await found(inline(...set), { alg: "RS256" }, { first, second })).to.deep.equal(["first"]);
      }
    });

    it("are refused where several fit, or none", async () => {
      const several = await refusal(inline(jwk(first), jwk(second, { kid: "k" })).find({ alg: "RS256" }));
      expect(several).to.be.instanceOf(RefusedTokenError);
      expect(several.message).to.equal("the header has no kid, and 2 keys of the set fit its alg RS256");
      const none = await refusal(inline(jwk(first)).find({ alg: "ES256" }));
      expect(none).to.be.instanceOf(RefusedTokenError);
      expect(none.message).to.equal("the header has no kid, and no key of the set fits its alg ES256");
    });
  });

  const secret = { kty: "oct", k: "c2VjcmV0" };
  const unusable: [name: string, key: unknown][] = [
    ["that is no object", "x"],
    ["that is null", null],
    ["without a type", { kid: "bad" }],
    ["of a type to come", { kty: "AKP", alg: "ML-DSA-44", pub: "AA" }],
    ["of the issuer's own secret", secret],
    ["for encryption", jwk(second, { use: "enc" })],
    ["for another algorithm", jwk(second, { alg: "RSA-OAEP-256" })],
    ["without its numbers", { kty: "RSA" }],
    ["that has only a certificate", { kty: "RSA", x5c: ["MIIB"] }],
    ["whose numbers are none", { kty: "RSA", n: 5, e: "AQAB" }],
    ["that is no point of its curve", { ...jwk(p256), x: "AAAA" }],
    ["of an unknown curve", { kty: "EC", crv: "P-999", x: "AA", y: "AA" }],
    ["that is too short", jwk(rsa(1024))],
    ["that is private", second.privateKey.export({ format: "jwk" })],
  ];
  for (const [name, key] of unusable) {
    it(`are found next to one ${name}`, async () => {
      const bad = typeof key === "object" && key !== null ? { ...key, kid: "bad" } : key;
      const keys = inline(bad, jwk(first, { kid: "k" }));
      expect(await found(keys, { alg: "RS256", kid: "k" }, { first })).to.deep.equal(["first"]);
      expect(await found(keys, { alg: "RS256" }, { first })).to.deep.equal(["first"]);
    });

    it(`are our side's fault where the only one is one ${name}`, () => {
      expect(() => inline(key)).to.throw(SigningKeysError, "none of the ");
      expect(hasUsableKey({ keys: [key] })).to.equal(false);
    });
  }

  it("are our side's fault where there are none", () => {
    for (const set of [{ keys: [] }, {}, { keys: {} }, [], null, "x"]) {
      expect(() => inlineKeys(set as never), JSON.stringify(set)).to.throw(SigningKeysError, "none of the 0 keys");
    }
  });

  it("are usable where one of them is", () => {
    expect(hasUsableKey({ keys: [secret, jwk(first)] })).to.equal(true);
  });

  it("are our side's fault where the one that a token names is malformed", async () => {
    const keys = inline({ kty: "RSA", kid: "bad" }, jwk(first, { kid: "k" }));
    const error = await refusal(keys.find({ alg: "RS256", kid: "bad" }));
    expect(error).to.be.instanceOf(SigningKeysError);
    expect(error.message).to.equal("the key that a token names is malformed");
  });

  it("are our side's fault where the only one that fits cannot be imported", async () => {
    const keys = inline(jwk(first, { kid: "k", key_ops: ["sign", "verify"] }));
    expect(await refusal(keys.find({ alg: "RS256", kid: "k" }))).to.be.instanceOf(SigningKeysError);
  });

  it("are the client's fault where the one that a token names is for encryption", async () => {
    const keys = inline(jwk(second, { kid: "enc", use: "enc" }), jwk(first, { kid: "k" }));
    expect(await refusal(keys.find({ alg: "RS256", kid: "enc" }))).to.be.instanceOf(RefusedTokenError);
  });
});
