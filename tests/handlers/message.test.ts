import { expect } from "chai";
import { deadLetterOf, messageOf } from "../../handlers/message";
import { sqsRecord } from "./events";

const text = (stringValue: string) => ({ dataType: "String", stringValue });

describe("message", () => {
  it("takes the session, the attempt and the body out of a record", () => {
    const record = sqsRecord({ messageId: "m9", body: "hello", attempt: 3 });
    expect(messageOf(record)).to.deep.equal({
      messageId: "m9",
      receiptHandle: "receipt-m9",
      attempt: 3,
      body: "hello",
      attributes: record.messageAttributes,
      key: { value: { callerId: "user#42", context: "chat#7" } },
    });
  });

  for (const dataType of ["String", "String.email", "Number", "Number.int"]) {
    it(`takes an attribute of type ${dataType}`, () => {
      const record = sqsRecord({ rawAttributes: { user: { dataType, stringValue: "43" } } });
      expect(messageOf(record).key.value?.callerId).to.equal("user#43");
    });
  }

  it("takes a body of 128 KB in UTF-8", () => {
    expect(messageOf(sqsRecord({ body: "é".repeat(65_536) })).key.reason).to.equal(undefined);
  });

  for (const [name, given, reason] of [
    ["lacks user", { attributes: { user: undefined } }, "missing-attribute: user"],
    ["lacks context", { attributes: { context: undefined } }, "missing-attribute: context"],
    ["lacks contextId", { attributes: { contextId: undefined } }, "missing-attribute: contextId"],
    ["has an empty user", { attributes: { user: "" } }, "unusable-attribute: user is empty"],
    ["has a # in context", { attributes: { context: "a#b" } }, "unusable-attribute: context contains #"],
    [
      "has a contextId that is too long",
      { attributes: { contextId: "x".repeat(1020) } },
      "unusable-attribute: context and contextId: 1025 bytes as a key, at most 1024 are allowed",
    ],
    [
      "has a binary user",
      { rawAttributes: { user: { dataType: "Binary", binaryValue: "NDI=" } } },
      "unusable-attribute: user is of type Binary",
    ],
    [
      "has a list for a user",
      { rawAttributes: { user: { dataType: "String.Array", stringValue: '["42"]' } } },
      "unusable-attribute: user is of type String.Array",
    ],
    ["has a body over 128 KB in UTF-8", { body: "é".repeat(65_536) + "x" }, "payload-too-large"],
  ] as const) {
    it(`cannot be delivered when it ${name}`, () => expect(messageOf(sqsRecord(given)).key).to.deep.equal({ reason }));
  }
});

describe("dead letter", () => {
  it("keeps body and attributes, and says why, after how many attempts, and which message it was", () => {
    const message = messageOf(sqsRecord({ messageId: "m9", body: "hello", attributes: { trace: "t" } }));
    expect(deadLetterOf(message, "no-session", 66)).to.deep.equal({
      body: "hello",
      attributes: {
        user: text("42"),
        context: text("chat"),
        contextId: text("7"),
        trace: text("t"),
        reason: text("no-session"),
        attempts: { dataType: "Number", stringValue: "66" },
        originalMessageId: text("m9"),
      },
      dropped: [],
    });
  });

  it("keeps the first message's id when a redriven one dies again, and replaces reason and attempts", () => {
    const first = deadLetterOf(messageOf(sqsRecord({ messageId: "first" })), "no-session", 66);
    const again = messageOf(sqsRecord({ messageId: "second", rawAttributes: first.attributes }));
    expect(deadLetterOf(again, "throttled", 3).attributes).to.deep.equal({
      ...first.attributes,
      reason: text("throttled"),
      attempts: { dataType: "Number", stringValue: "3" },
    });
  });

  it("drops attributes that are not ours where there are more than ten, the last by name first", () => {
    const attributes = { z: "1", b: "1", a: "1", y: "1", c: "1", d: "1", e: "9" };
    const letter = deadLetterOf(messageOf(sqsRecord({ attributes })), "no-session", 66);
    expect(Object.keys(letter.attributes)).to.have.members([
      ...["user", "context", "contextId", "a", "b", "c", "d"],
      ...["reason", "attempts", "originalMessageId"],
    ]);
    expect(letter.dropped).to.deep.equal(["e", "y", "z"]);
  });

  it("names a backend's own reason and attempts among the dropped, but not those of a redriven letter", () => {
    const own = messageOf(sqsRecord({ attributes: { reason: "because", attempts: "many" } }));
    const letter = deadLetterOf(own, "no-session", 66);
    expect(letter.attributes.reason).to.deep.equal(text("no-session"));
    expect(letter.dropped).to.deep.equal(["reason", "attempts"]);
    const redriven = messageOf(sqsRecord({ messageId: "second", rawAttributes: letter.attributes }));
    expect(deadLetterOf(redriven, "throttled", 3).dropped).to.deep.equal([]);
  });

  it("drops nothing at ten attributes", () => {
    const letter = deadLetterOf(messageOf(sqsRecord({ attributes: { a: "1", b: "1", c: "1", d: "1" } })), "x", 1);
    expect(Object.keys(letter.attributes)).to.have.length(10);
    expect(letter.dropped).to.deep.equal([]);
  });
});
