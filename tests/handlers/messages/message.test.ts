import { expect } from "chai";
import { deadLetterOf, messageOf } from "../../../handlers/messages/message";
import { sqsRecord } from "../../support/events";

const text = (stringValue: string) => ({ dataType: "String", stringValue });

describe("message", () => {
  it("takes the session, the attempt and the body out of a record", () => {
    const record = sqsRecord({ messageId: "m9", body: "hello", attempt: 3, sentAtMs: 1_700_000_000_000 });
    expect(messageOf(record)).to.deep.equal({
      messageId: "m9",
      sqsMessageId: "m9",
      hasOwnId: false,
      originalMessageId: undefined,
      idempotencyKey: undefined,
      receiptHandle: "receipt-m9",
      attempt: 3,
      sentAtMs: 1_700_000_000_000,
      expiresAtMs: undefined,
      messageGroupId: undefined,
      isInOrder: false,
      body: "hello",
      attributes: record.messageAttributes,
      key: { value: { callerId: "user#42", context: "chat#7" } },
    });
  });

  it("takes the publisher's id, the expiry and the message group out of a record", () => {
    const attributes = { messageId: "order-7 shipped", expiresAt: "2026-11-25T13:00:00+01:00" };
    expect(messageOf(sqsRecord({ messageId: "m9", attributes, messageGroupId: "g1" }))).to.include({
      messageId: "order-7 shipped",
      hasOwnId: true,
      sqsMessageId: "m9",
      expiresAtMs: Date.UTC(2026, 10, 25, 12),
      messageGroupId: "g1",
    });
  });

  it("takes the idempotency key and the first id of a redriven message out of a record", () => {
    const originalMessageId = "0f5e6d7c-8b9a-4a0b-9c1d-2e3f4a5b6c7d";
    const attributes = { idempotencyKey: "pay-7", originalMessageId };
    expect(messageOf(sqsRecord({ attributes }))).to.include({ idempotencyKey: "pay-7", originalMessageId });
  });

  it("takes no first id that is not one of a queue's", () => {
    const record = sqsRecord({ attributes: { originalMessageId: "order-7" } });
    expect(messageOf(record).originalMessageId).to.equal(undefined);
  });

  it("is in order where a FIFO queue has given it a sequence number", () => {
    const record = sqsRecord({ messageGroupId: "g1", sequenceNumber: "00000000000000000001" });
    expect(messageOf(record)).to.include({ messageGroupId: "g1", isInOrder: true });
  });

  it("takes a publisher's id of a labelled type", () => {
    const rawAttributes = { messageId: { dataType: "String.uuid", stringValue: "u1" } };
    expect(messageOf(sqsRecord({ rawAttributes }))).to.deep.include({
      messageId: "u1",
      key: { value: { callerId: "user#42", context: "chat#7" } },
    });
  });

  it("keeps the publisher's id of a message that cannot be delivered for another reason", () => {
    expect(messageOf(sqsRecord({ attributes: { user: "", messageId: "order-7" } })).messageId).to.equal("order-7");
  });

  it("goes by the queue's id where the publisher's is unusable", () => {
    expect(messageOf(sqsRecord({ messageId: "m9", attributes: { messageId: "x".repeat(129) } })).messageId).to.equal(
      "m9",
    );
  });

  for (const dataType of ["String", "String.email", "Number", "Number.int"]) {
    it(`takes an attribute of type ${dataType}`, () => {
      const record = sqsRecord({ rawAttributes: { user: { dataType, stringValue: "43" } } });
      expect(messageOf(record).key?.value?.callerId).to.equal("user#43");
    });
  }

  it("takes a body of 128 KB in UTF-8", () => {
    expect(messageOf(sqsRecord({ body: "é".repeat(65_536) })).key?.reason).to.equal(undefined);
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
    ["has an empty messageId", { attributes: { messageId: "" } }, "unusable-attribute: messageId is empty"],
    [
      "has a messageId that is too long",
      { attributes: { messageId: "x".repeat(129) } },
      "unusable-attribute: messageId: 129 characters, at most 128 are allowed",
    ],
    [
      "has a messageId that is a number",
      { rawAttributes: { messageId: { dataType: "Number", stringValue: "7" } } },
      "unusable-attribute: messageId is of type Number",
    ],
    [
      "has a binary messageId",
      { rawAttributes: { messageId: { dataType: "Binary", binaryValue: "NDI=" } } },
      "unusable-attribute: messageId is of type Binary",
    ],
    [
      "has an empty idempotencyKey",
      { attributes: { idempotencyKey: "" } },
      "unusable-attribute: idempotencyKey is empty",
    ],
    [
      "has a binary idempotencyKey",
      { rawAttributes: { idempotencyKey: { dataType: "Binary", binaryValue: "NDI=" } } },
      "unusable-attribute: idempotencyKey is of type Binary",
    ],
    [
      "has an expiresAt that is no date and time",
      { attributes: { expiresAt: "tomorrow" } },
      "unusable-attribute: expiresAt is no RFC 3339 date and time, such as 2026-11-25T12:00:00Z",
    ],
    [
      "has an expiresAt in epoch seconds",
      { rawAttributes: { expiresAt: { dataType: "Number", stringValue: "1700000000" } } },
      "unusable-attribute: expiresAt is of type Number",
    ],
    [
      "has a scope that is a number",
      {
        attributes: { context: undefined, contextId: undefined },
        rawAttributes: { scope: { dataType: "Number", stringValue: "1" } },
      },
      "unusable-attribute: scope is of type Number",
    ],
    [
      "has a binary scope",
      { rawAttributes: { scope: { dataType: "Binary", binaryValue: "dXNlcg==" } } },
      "unusable-attribute: scope is of type Binary",
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
      messageGroupId: undefined,
      sqsMessageId: "m9",
      dropped: [],
    });
  });

  it("keeps the publisher's id and the expiry, and names the message by the queue's id", () => {
    const attributes = { messageId: "order-7", expiresAt: "2026-11-25T12:00:00Z" };
    const deadLetter = deadLetterOf(messageOf(sqsRecord({ messageId: "m9", attributes })), "expired", 1);
    expect(deadLetter.attributes).to.deep.include({
      messageId: text("order-7"),
      expiresAt: text("2026-11-25T12:00:00Z"),
      originalMessageId: text("m9"),
    });
  });

  it("keeps the scope and every other attribute of the relay's: with its own three they are at most ten", () => {
    const ours = { user: "42", scope: "context", messageId: "order-7", expiresAt: "2026-11-25T12:00:00Z" };
    const attributes = { ...ours, context: "chat", contextId: undefined, idempotencyKey: "pay-7", b: "1", a: "1" };
    const scoped = deadLetterOf(messageOf(sqsRecord({ attributes })), "too-many-sessions", 1);
    expect(scoped.attributes).to.deep.include({ scope: text("context"), context: text("chat"), a: text("1") });
    expect(scoped.dropped).to.deep.equal(["b"]);
    const unusable = deadLetterOf(messageOf(sqsRecord({ attributes: { ...attributes, contextId: "7" } })), "r", 1);
    expect(Object.keys(unusable.attributes)).to.have.lengthOf(10).and.include.members(["scope", "contextId"]);
    expect(unusable.dropped).to.deep.equal(["a", "b"]);
  });

  it("stays in the message's group", () => {
    expect(deadLetterOf(messageOf(sqsRecord({ messageGroupId: "g1" })), "no-session", 66).messageGroupId).to.equal(
      "g1",
    );
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
    const deadLetter = deadLetterOf(messageOf(sqsRecord({ attributes })), "no-session", 66);
    expect(Object.keys(deadLetter.attributes)).to.have.members([
      ...["user", "context", "contextId", "a", "b", "c", "d"],
      ...["reason", "attempts", "originalMessageId"],
    ]);
    expect(deadLetter.dropped).to.deep.equal(["e", "y", "z"]);
  });

  it("has room for two foreign attributes besides the publisher's id and the expiry", () => {
    const attributes = { messageId: "order-7", expiresAt: "2026-11-25T12:00:00Z", c: "1", a: "1", b: "1" };
    const deadLetter = deadLetterOf(messageOf(sqsRecord({ attributes })), "no-session", 66);
    expect(Object.keys(deadLetter.attributes)).to.have.members([
      ...["user", "context", "contextId", "messageId", "expiresAt", "a", "b"],
      ...["reason", "attempts", "originalMessageId"],
    ]);
    expect(deadLetter.dropped).to.deep.equal(["c"]);
  });

  it("takes a backend's own originalMessageId for no id of ours where it could be none", () => {
    const own = messageOf(sqsRecord({ messageId: "m9", attributes: { originalMessageId: "x".repeat(129) } }));
    const deadLetter = deadLetterOf(own, "no-session", 66);
    expect(deadLetter.attributes.originalMessageId).to.deep.equal(text("m9"));
    expect(deadLetter.dropped).to.deep.equal(["originalMessageId"]);
  });

  it("names a backend's own reason and attempts among the dropped, but not those of a redriven dead letter", () => {
    const own = messageOf(sqsRecord({ attributes: { reason: "because", attempts: "many" } }));
    const deadLetter = deadLetterOf(own, "no-session", 66);
    expect(deadLetter.attributes.reason).to.deep.equal(text("no-session"));
    expect(deadLetter.dropped).to.deep.equal(["reason", "attempts"]);
    const redriven = messageOf(sqsRecord({ messageId: "second", rawAttributes: deadLetter.attributes }));
    expect(deadLetterOf(redriven, "throttled", 3).dropped).to.deep.equal([]);
  });

  it("keeps an attribute of any name", () => {
    const attributes = { constructor: "1", toString: "2" };
    const deadLetter = deadLetterOf(messageOf(sqsRecord({ attributes })), "no-session", 66);
    expect(Object.entries(deadLetter.attributes)).to.deep.include.members([
      ["constructor", text("1")],
      ["toString", text("2")],
    ]);
  });

  it("drops nothing at ten attributes", () => {
    const deadLetter = deadLetterOf(messageOf(sqsRecord({ attributes: { a: "1", b: "1", c: "1", d: "1" } })), "x", 1);
    expect(Object.keys(deadLetter.attributes)).to.have.length(10);
    expect(deadLetter.dropped).to.deep.equal([]);
  });
});
