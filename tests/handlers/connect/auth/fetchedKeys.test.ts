import { expect } from "chai";
import { fetchedKeys, type SigningKeys } from "../../../../handlers/connect/auth/signingKeys";
import { RefusedTokenError, SigningKeysError } from "../../../../handlers/connect/auth/tokenErrors";
import { refusal } from "../../../support/refusal";
import { ec, jwk, rsa } from "./tokens";
import { found } from "./foundKeys";

const [first, second, p256] = [rsa(), rsa(), ec("P-256")];

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
