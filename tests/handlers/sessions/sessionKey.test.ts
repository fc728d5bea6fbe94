import { expect } from "chai";
import { sessionId, sessionKey } from "../../../handlers/sessions/sessionKey";

describe("session key", () => {
  for (const [name, user, context, contextId, expected] of [
    ["joins user, context and contextId", "42", "chat", "7", { callerId: "user#42", context: "chat#7" }],
    ["keeps a # in user and contextId", "a#b", "chat", "x#y", { callerId: "user#a#b", context: "chat#x#y" }],
    ["never trims", " 42 ", " chat", "7 ", { callerId: "user# 42 ", context: " chat#7 " }],
    [
      "takes a partition key of 2048 bytes",
      "é".repeat(1021) + "u",
      "c",
      "i",
      { callerId: `user#${"é".repeat(1021)}u`, context: "c#i" },
    ],
    [
      "takes a sort key of 1024 bytes",
      "u",
      "c",
      "é".repeat(511),
      { callerId: "user#u", context: `c#${"é".repeat(511)}` },
    ],
  ] as const) {
    it(name, () => expect(sessionKey(user, context, contextId)).to.deep.equal({ value: expected }));
  }

  for (const [name, user, context, contextId, reason] of [
    ["an empty user", "", "chat", "7", "user is empty"],
    ["an empty context", "42", "", "7", "context is empty"],
    ["an empty contextId", "42", "chat", "", "contextId is empty"],
    ["a # in context", "42", "ch#at", "7", "context contains #"],
    [
      "a partition key over 2048 bytes",
      "é".repeat(1022),
      "c",
      "i",
      "user: 2049 bytes as a key, at most 2048 are allowed",
    ],
    [
      "a sort key over 1024 bytes",
      "u",
      "c",
      "é".repeat(511) + "x",
      "context and contextId: 1025 bytes as a key, at most 1024 are allowed",
    ],
    ["a lone surrogate in the user", "\ud800", "c", "i", "user: not well-formed Unicode"],
    ["a lone surrogate in the contextId", "u", "c", "\udc00", "context and contextId: not well-formed Unicode"],
  ] as const) {
    it(`refuses ${name}`, () => expect(sessionKey(user, context, contextId)).to.deep.equal({ reason }));
  }

  it("takes well-formed surrogate pairs", () => {
    expect(sessionKey("😀", "c", "i").value?.callerId).to.equal("user#😀");
  });

  it("has another id for another key, with the same text split elsewhere", () => {
    expect(sessionId({ callerId: "user#a", context: "b#c" })).not.to.equal(
      sessionId({ callerId: "user#a#b", context: "c" }),
    );
    expect(sessionId({ callerId: 'a","b', context: "c" })).not.to.equal(sessionId({ callerId: "a", context: 'b","c' }));
  });
});
