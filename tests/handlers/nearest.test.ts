import { expect } from "chai";
import { nearest } from "../../handlers/nearest";

const keys = ["maxAttempts", "delivery", "auth", "logRetentionInDays"];

describe("the nearest known word", () => {
  const near: [given: string, word: string][] = [
    ["maxAttempt", "maxAttempts"],
    ["MAXATTEMPTS", "maxAttempts"],
    ["max_attempts", "maxAttempts"],
    ["Delivery ", "delivery"],
    ["devilery", "delivery"],
    ["logRetentionDays", "logRetentionInDays"],
    ["aut", "auth"],
  ];
  for (const [given, word] of near) {
    it(`to ${JSON.stringify(given)} is ${word}`, () => expect(nearest(given, keys)).to.equal(word));
  }

  for (const given of ["retries", "x", "", "timeout", 7, null, undefined, {}]) {
    it(`to ${JSON.stringify(given)} is none`, () => expect(nearest(given, keys)).to.equal(undefined));
  }

  it("is none where none is known", () => expect(nearest("auth", [])).to.equal(undefined));
});
