import { expect } from "chai";
import { messageOf } from "../../../handlers/messages/message";
import { checkPublication, type PublicationInput } from "../../../handlers/messages/publication";
import { sqsRecord } from "../../support/events";

const publication = { user: "42", context: "chat", contextId: "7", message: "hello" };

const NO_DATE = "expiresAt is no RFC 3339 date and time, such as 2026-11-25T12:00:00Z";

/** The same, as it arrives in the queue. */
const recordOf = ({ message, ...attributes }: PublicationInput) =>
  sqsRecord({ body: message, attributes: { context: undefined, contextId: undefined, ...attributes } });

describe("a publication", () => {
  it("goes to a session, and never expires", () => {
    expect(checkPublication(publication)).to.deep.equal({
      value: { key: { callerId: "user#42", context: "chat#7" } },
    });
  });

  for (const [name, given, scope] of [
    ["all sessions of a user", { scope: "user" }, { callerId: "user#42" }],
    [
      "all sessions of a user's context",
      { scope: "context", context: "chat" },
      { callerId: "user#42", context: "chat" },
    ],
  ] as const) {
    it(`goes to ${name}`, () => {
      const scoped = { user: "42", message: "hello", ...given };
      expect(checkPublication(scoped)).to.deep.equal({ value: { scope } });
      expect(messageOf(recordOf(scoped)))
        .to.deep.include({ scope })
        .and.not.have.property("key");
    });
  }

  it("expires and is identified like any other if it has a scope", () => {
    const ids = { messageId: "order-7", idempotencyKey: "pay-7" };
    const scoped = { user: "42", message: "hello", scope: "user", expiresAt: "2028-02-29T00:00:00Z", ...ids };
    expect(checkPublication(scoped).value?.expiresAtMs).to.equal(Date.UTC(2028, 1, 29));
    expect(messageOf(recordOf(scoped))).to.include({ expiresAtMs: Date.UTC(2028, 1, 29), ...ids });
  });

  for (const [name, given, reason] of [
    ["another scope", { scope: "everybody" }, "scope is neither user nor context"],
    ["an empty scope", { scope: "" }, "scope is neither user nor context"],
    ["a scope in capitals", { scope: "USER" }, "scope is neither user nor context"],
    ["a context besides the scope user", { scope: "user", context: "chat" }, "scope is user, which excludes context"],
    [
      "a contextId besides the scope user",
      { scope: "user", contextId: "7" },
      "scope is user, which excludes contextId",
    ],
    [
      "a contextId besides the scope context",
      { scope: "context", context: "chat", contextId: "7" },
      "scope is context, which excludes contextId",
    ],
    ["an empty contextId besides a scope", { scope: "user", contextId: "" }, "scope is user, which excludes contextId"],
    ["an empty context of a scope", { scope: "context", context: "" }, "context is empty"],
    ["a # in the context of a scope", { scope: "context", context: "a#b" }, "context contains #"],
    [
      "a context of a scope that is too long",
      { scope: "context", context: "x".repeat(1024) },
      "context: 1025 bytes as a key, at most 1024 are allowed",
    ],
    ["an empty user of a scope", { scope: "user", user: "" }, "user is empty"],
  ] as const) {
    it(`is refused when it has ${name}, and so is the message by deliver`, () => {
      const refused = { user: "42", message: "hello", ...given };
      expect(checkPublication(refused)).to.deep.equal({ reason });
      expect(messageOf(recordOf(refused)).key?.reason).to.equal(`unusable-attribute: ${reason}`);
    });
  }

  for (const [name, given, missing] of [
    ["no contextId and no scope", { user: "42", context: "chat" }, "contextId"],
    ["no context for its scope", { user: "42", scope: "context" }, "context"],
    ["no user for its scope", { scope: "user" }, "user"],
  ] as const) {
    it(`is refused when it has ${name}, and so is the message by deliver`, () => {
      const refused = { message: "hello", ...given } as PublicationInput;
      expect(checkPublication(refused)).to.deep.equal({ reason: `${missing} is missing` });
      const record = recordOf({ ...refused, user: given.scope === "user" ? (undefined as never) : refused.user });
      expect(messageOf(record).key?.reason).to.equal(`missing-attribute: ${missing}`);
    });
  }

  for (const [name, given] of [
    ["has the longest messageId", { messageId: "x".repeat(128) }],
    ["has a messageId of the outermost printable characters, never trimmed", { messageId: " ~ " }],
    ["has the longest idempotencyKey", { idempotencyKey: "x".repeat(128) }],
    ["is 128 KB in UTF-8", { message: "é".repeat(65_536) }],
    ["has every character that a queue may hold", { message: "\t\n\r \uD7FF\uE000\uFFFD\u{10000}\u{10FFFF}" }],
  ] as const) {
    it(`is accepted when it ${name}`, () => {
      const accepted = { ...publication, ...given };
      expect(checkPublication(accepted).reason).to.equal(undefined);
      expect(messageOf(recordOf(accepted)).key?.reason).to.equal(undefined);
    });
  }

  for (const [expiresAt, instant] of [
    ["2026-11-25T12:00:00Z", Date.UTC(2026, 10, 25, 12)],
    ["2026-11-25t12:00:00z", Date.UTC(2026, 10, 25, 12)],
    ["2026-11-25T12:00:00.125Z", Date.UTC(2026, 10, 25, 12, 0, 0, 125)],
    ["2026-11-25T12:00:00.123456789Z", Date.UTC(2026, 10, 25, 12, 0, 0, 123)],
    ["2026-11-25T23:59:59-05:30", Date.UTC(2026, 10, 26, 5, 29, 59)],
    ["2028-02-29T00:00:00+00:00", Date.UTC(2028, 1, 29)],
    ["1985-04-12T23:20:50Z", Date.UTC(1985, 3, 12, 23, 20, 50)],
  ] as const) {
    it(`expires at ${expiresAt}`, () => {
      const given = { ...publication, expiresAt };
      expect(checkPublication(given).value?.expiresAtMs).to.equal(instant);
      expect(messageOf(recordOf(given)).expiresAtMs).to.equal(instant);
    });
  }

  for (const [name, given, reason] of [
    ["has an empty user", { user: "" }, "user is empty"],
    ["has a user that is no Unicode", { user: "\uD800" }, "user: not well-formed Unicode"],
    ["has a user that is too long", { user: "x".repeat(2044) }, "user: 2049 bytes as a key, at most 2048 are allowed"],
    ["has an empty context", { context: "" }, "context is empty"],
    ["has a # in context", { context: "a#b" }, "context contains #"],
    ["has an empty contextId", { contextId: "" }, "contextId is empty"],
    ["has an empty messageId", { messageId: "" }, "messageId is empty"],
    [
      "has a messageId that is too long",
      { messageId: "x".repeat(129) },
      "messageId: 129 characters, at most 128 are allowed",
    ],
    ["has a messageId beyond ASCII", { messageId: "é" }, "messageId: not printable ASCII"],
    ["has a messageId of two lines", { messageId: "a\nb" }, "messageId: not printable ASCII"],
    ["has an empty idempotencyKey", { idempotencyKey: "" }, "idempotencyKey is empty"],
    [
      "has an idempotencyKey that is too long",
      { idempotencyKey: "x".repeat(129) },
      "idempotencyKey: 129 characters, at most 128 are allowed",
    ],
    ["has an idempotencyKey beyond ASCII", { idempotencyKey: "é" }, "idempotencyKey: not printable ASCII"],
    ["has an empty expiresAt", { expiresAt: "" }, NO_DATE],
    ["expires on a day", { expiresAt: "2026-11-25" }, NO_DATE],
    ["expires at a local time", { expiresAt: "2026-11-25T12:00:00" }, NO_DATE],
    ["expires at a time without seconds", { expiresAt: "2026-11-25T12:00Z" }, NO_DATE],
    ["expires at an offset without a colon", { expiresAt: "2026-11-25T12:00:00+0100" }, NO_DATE],
    ["expires after a space", { expiresAt: "2026-11-25 12:00:00Z" }, NO_DATE],
    ["expires in the thirteenth month", { expiresAt: "2026-13-01T12:00:00Z" }, NO_DATE],
    ["expires on the thirtieth of February", { expiresAt: "2026-02-30T12:00:00Z" }, NO_DATE],
    ["expires on the zeroth", { expiresAt: "2026-11-00T12:00:00Z" }, NO_DATE],
    ["expires at 24:00", { expiresAt: "2026-11-25T24:00:00Z" }, NO_DATE],
    ["expires in the sixtieth second", { expiresAt: "2026-11-25T12:00:60Z" }, NO_DATE],
    ["expires at an offset of a day", { expiresAt: "2026-11-25T12:00:00+24:00" }, NO_DATE],
    ["expires at an epoch", { expiresAt: "1795608000" }, NO_DATE],
    ["expires at a time with something around it", { expiresAt: " 2026-11-25T12:00:00Z" }, NO_DATE],
    [
      "is over 128 KB in UTF-8",
      { message: "é".repeat(65_536) + "x" },
      "message: 131073 bytes in UTF-8, at most 131072 are allowed",
    ],
  ] as const) {
    it(`is refused when it ${name}, and so is the message by deliver`, () => {
      const refused = { ...publication, ...given };
      expect(checkPublication(refused)).to.deep.equal({ reason });
      expect(messageOf(recordOf(refused)).key?.reason).to.equal(
        "message" in given ? "payload-too-large" : `unusable-attribute: ${reason}`,
      );
    });
  }

  for (const [name, given, reason] of [
    ["has no user", { user: undefined }, "user is missing"],
    ["has null for a context", { context: null }, "context is missing"],
    ["has no message", { message: undefined }, "message is missing"],
    ["has a number for a contextId", { contextId: 7 }, "contextId is of type number, a string is expected"],
    ["has an object for a message", { message: {} }, "message is of type object, a string is expected"],
    ["has a Date for an expiresAt", { expiresAt: new Date(0) }, "expiresAt is of type object, a string is expected"],
    ["has a number for a messageId", { messageId: 7 }, "messageId is of type number, a string is expected"],
    [
      "has a number for an idempotencyKey",
      { idempotencyKey: 7 },
      "idempotencyKey is of type number, a string is expected",
    ],
  ] as const) {
    it(`is refused when it ${name}, as a program without types may publish`, () =>
      expect(checkPublication({ ...publication, ...given } as unknown as PublicationInput)).to.deep.equal({ reason }));
  }

  for (const [name, given, reason] of [
    ["is empty", { message: "" }, "message is empty"],
    [
      "has a control character in its message",
      { message: "ab\u0000" },
      "message: the character at 2 is one that no SQS message may hold",
    ],
    [
      "has half a surrogate pair in its message",
      { message: "a\uDC00" },
      "message: the character at 1 is one that no SQS message may hold",
    ],
    [
      "has a noncharacter in its user",
      { user: "\uFFFF" },
      "user: the character at 0 is one that no SQS message may hold",
    ],
  ] as const) {
    it(`is refused when it ${name}: SNS would take it, and the queue would not`, () =>
      expect(checkPublication({ ...publication, ...given })).to.deep.equal({ reason }));
  }

  it("is refused in words that quote no value", () => {
    const secret = "secret#";
    for (const name of ["user", "context", "contextId", "messageId", "expiresAt", "message"]) {
      const { reason = "" } = checkPublication({ ...publication, [name]: `${secret}\u0000`.repeat(20_000) });
      expect(reason).to.contain(name).and.not.to.contain("secret");
    }
  });
});
