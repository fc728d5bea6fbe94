import { expect } from "chai";
import { messageEnvelopeOf } from "../../../handlers/history/messageEnvelope";
import { entryOf, now } from "./segments";

describe("messageEnvelopeOf", () => {
  const envelope = { type: "message", epoch: "e1", seq: 5, id: "m5" };

  it("is the message with its number and its id", () => {
    expect(messageEnvelopeOf(entryOf(5), now)).to.deep.equal({ ...envelope, body: "body of m5" });
    expect(messageEnvelopeOf(entryOf(5, { expiresAtMs: now + 1 }), now)).to.deep.equal({
      ...envelope,
      body: "body of m5",
    });
  });

  for (const [name, given] of [
    ["was removed", { body: undefined }],
    ["has passed its expiry", { expiresAtMs: now }],
  ] as const) {
    it(`has no body if that ${name}`, () => {
      expect(messageEnvelopeOf(entryOf(5, given), now)).to.deep.equal({ ...envelope, expired: true });
    });
  }
});
