import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { CompactSign, compactVerify } from "jose";
import { ALGORITHMS, hasUsableKey } from "../../../../handlers/connect/auth/jwks";
import {
  fetchedKeys,
  inlineKeys,
  type KeyHeader,
  type SigningKeys,
} from "../../../../handlers/connect/auth/signingKeys";
import { RefusedTokenError, SigningKeysError } from "../../../../handlers/connect/auth/tokenErrors";
import { refusal } from "../../../support/refusal";
import { ec, jwk, type KeyPair, rsa } from "./tokens";

const [first, second, p256, p384] = [rsa(), rsa(), ec("P-256"), ec("P-384")];
const ed25519: KeyPair = generateKeyPairSync("ed25519");

/** Those of `pairs` by which a token with this header may be signed, out of what `keys` found. */
async function found(keys: SigningKeys, header: KeyHeader, pairs: Record<string, KeyPair>): Promise<string[]> {
  const candidates = await keys.find(header);
  const names: string[] = [];
  for (const [name, { privateKey }] of Object.entries(pairs)) {
    const signed = await new CompactSign(new Uint8Array(1)).setProtectedHeader({ alg: header.alg }).sign(privateKey);
    for (const candidate of candidates) {
      if (await compactVerify(signed, candidate).catch(() => undefined)) names.push(name);
    }
  }
  expect(names, "each key that was found is one of these").to.have.length(candidates.length);
  return names;
}

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

describe("fetched keys", () => {
  const uri = "https://keys.test/";
  let now: number;
  let set: unknown[];
  let fetches: number;
  let answer: () => string;
  let keys: SigningKeys;

  beforeEach(() => {
    now = 1_000_000;
    set = [jwk(first, { kid: "k1" })];
    fetches = 0;
    answer = () => JSON.stringify({ keys: set });
    const fetchKeys = async () => {
      fetches++;
      return Promise.resolve(new TextEncoder().encode(answer()).buffer as ArrayBuffer);
    };
    keys = fetchedKeys(uri, fetchKeys, () => now);
  });

  const find = (kid?: string) => keys.find({ alg: "RS256", kid });

  it("are fetched once, by tokens that come at one time too", async () => {
    await Promise.all([find("k1"), find("k1"), find()]);
    await find("k1");
    expect(fetches).to.equal(1);
  });

  it("are fetched again for an unknown key id, which a rotation has brought", async () => {
    await find("k1");
    set.push(jwk(second, { kid: "k2" }));
    expect(await find("k2")).to.have.length(1);
    expect(fetches).to.equal(2);
  });

  it("refuse a key id that the fetched set does not have, and fetch for no other one for ten seconds", async () => {
    expect(await refusal(find("k2"))).to.be.instanceOf(RefusedTokenError);
    now += 9_999;
    for (const kid of ["k2", "k3"]) expect(await refusal(find(kid))).to.be.instanceOf(SigningKeysError);
    expect(fetches).to.equal(1);
    expect(await find("k1"), "the pause is for unknown keys only").to.have.length(1);
    now += 1;
    expect(await refusal(find("k2"))).to.be.instanceOf(RefusedTokenError);
    expect(fetches).to.equal(2);
  });

  it("are not fetched again for a token without kid, nor for one whose key does not fit", async () => {
    set.push(jwk(p256, { kid: "e1" }), jwk(second, { kid: "k2" }));
    await find("k1");
    expect(await refusal(find())).to.be.instanceOf(RefusedTokenError);
    expect(await refusal(find("e1"))).to.be.instanceOf(RefusedTokenError);
    expect(await refusal(keys.find({ alg: "ES384" }))).to.be.instanceOf(RefusedTokenError);
    expect(fetches).to.equal(1);
  });

  it("are fetched again by the first token ten minutes later, once by tokens that come at one time", async () => {
    await find("k1");
    now += 599_999;
    await find("k1");
    expect(fetches).to.equal(1);
    now += 1;
    await Promise.all([find("k1"), find(), find("k1")]);
    await find("k1");
    expect(fetches).to.equal(2);
  });

  it("are trusted for ten minutes at most once the issuer has removed them", async () => {
    await find("k1");
    set = [jwk(second, { kid: "k2" })];
    now += 600_000;
    expect(await refusal(find("k1"))).to.be.instanceOf(RefusedTokenError);
    expect(fetches, "the set was just fetched").to.equal(2);
  });

  it("of an issuer without key ids are the new ones within ten minutes of a rotation, as are those with a reused id", async () => {
    for (const kid of [undefined, "k1"]) {
      set = [jwk(first, { kid })];
      now += 600_000;
      expect(await found(keys, { alg: "RS256", kid }, { first, second })).to.deep.equal(["first"]);
      set = [jwk(second, { kid })];
      now += 600_000;
      expect(await found(keys, { alg: "RS256", kid }, { first, second })).to.deep.equal(["second"]);
    }
  });

  it("are kept where they cannot be fetched ten minutes later, which is tried again after a minute", async () => {
    await find("k1");
    now += 600_000;
    answer = () => "<html>";
    expect(await find("k1")).to.have.length(1);
    expect(await find()).to.have.length(1);
    expect(await refusal(find("k2")), "no second fetch for one token").to.be.instanceOf(SigningKeysError);
    expect(fetches).to.equal(2);
    set = [jwk(second, { kid: "k2" })];
    answer = () => JSON.stringify({ keys: set });
    now += 59_999;
    expect(await find("k1")).to.have.length(1);
    now += 1;
    expect(await refusal(find("k1"))).to.be.instanceOf(RefusedTokenError);
    expect(fetches).to.equal(3);
  });

  it("are kept where they cannot be fetched again", async () => {
    await find("k1");
    answer = () => "<html>";
    expect(await refusal(find("k2"))).to.be.instanceOf(SigningKeysError);
    expect(await find("k1")).to.have.length(1);
  });

  for (const [name, text] of [
    ["no JSON", "<html>"],
    ["no set", '{"key":[]}'],
    ["a set without a usable key", '{"keys":[{"kid":"k1","kty":"RSA"}]}'],
  ] as const) {
    it(`are our side's fault where the answer is ${name}, until there is another`, async () => {
      answer = () => text;
      const error = await refusal(find("k1"));
      expect(error).to.be.instanceOf(SigningKeysError);
      expect(error.cause).to.be.instanceOf(Error);
      answer = () => JSON.stringify({ keys: set });
      expect(await find("k1")).to.have.length(1);
    });
  }
});
