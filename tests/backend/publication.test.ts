import { createHash } from "node:crypto";
import { expect } from "chai";
import { RelayInputError } from "../../backend";
import {
  type ContextPublication,
  type Publication,
  publishInput,
  type SessionPublication,
  type UserPublication,
} from "../../backend/publication";

const topicArn = "arn:aws:sns:eu-west-1:111122223333:relay-topic";
const now = new Date("2026-11-25T12:00:00Z");
const publication = { user: "42", context: "chat", contextId: "7", message: "hello" };

const inputOf = (given: Partial<SessionPublication> = {}) => publishInput({ ...publication, ...given }, topicArn, now);

/** Of a publication without context and contextId. */
const scopedInputOf = (
  given: Omit<UserPublication, "user" | "message"> | Omit<ContextPublication, "user" | "message">,
) => publishInput({ user: "42", message: "hello", ...given } as Publication, topicArn, now);

function refusalOf(given: object): RelayInputError {
  try {
    publishInput({ ...publication, ...given } as unknown as Publication, topicArn, now);
  } catch (error) {
    if (error instanceof RelayInputError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

describe("publishInput", () => {
  it("addresses a message to its session by attributes, in the session's group, with an id", () => {
    const { messageId, input } = inputOf({ messageId: "order-1", expiresAt: new Date("2026-11-25T12:00:00.001Z") });
    expect(messageId).to.equal("order-1");
    expect(input).to.deep.equal({
      TopicArn: topicArn,
      Message: "hello",
      MessageGroupId: createHash("sha256").update('["user#42","chat#7"]').digest("hex"),
      MessageAttributes: {
        user: { DataType: "String", StringValue: "42" },
        context: { DataType: "String", StringValue: "chat" },
        contextId: { DataType: "String", StringValue: "7" },
        messageId: { DataType: "String", StringValue: "order-1" },
        expiresAt: { DataType: "String", StringValue: "2026-11-25T12:00:00.001Z" },
      },
    });
  });

  it("gives each message its own random UUID and no expiry by default", () => {
    const [first, second] = [inputOf(), inputOf()];
    expect(first.messageId).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first.messageId).not.to.equal(second.messageId);
    expect(first.input.MessageAttributes?.messageId?.StringValue).to.equal(first.messageId);
    expect(first.input.MessageAttributes).to.have.all.keys("user", "context", "contextId", "messageId");
  });

  it("passes an idempotency key on, which changes nothing else", () => {
    const { input } = inputOf({ messageId: "order-1", idempotencyKey: "pay-7" });
    const { MessageAttributes, ...others } = inputOf({ messageId: "order-1" }).input;
    expect(input).to.deep.equal({
      ...others,
      MessageAttributes: { ...MessageAttributes, idempotencyKey: { DataType: "String", StringValue: "pay-7" } },
    });
  });

  it("puts sessions that differ only in the position of the # into different groups", () => {
    const group = (given: Partial<SessionPublication>) => inputOf(given).input.MessageGroupId;
    expect(group({ user: "42" })).to.equal(group({ message: "another" }));
    expect(group({ contextId: "7#8" })).not.to.equal(group({ contextId: "7" }));
    expect(group({ user: "a", context: "b" })).not.to.equal(group({ user: "ab" }));
  });

  it("addresses a message to all sessions of a user, or of a user's context, in a group of their own", () => {
    const attributesOf = ({ input }: ReturnType<typeof publishInput>) =>
      Object.entries(input.MessageAttributes ?? {}).map(([name, { StringValue }]) => [name, StringValue]);
    const toUser = scopedInputOf({ scope: "user", messageId: "m1" });
    expect(Object.fromEntries(attributesOf(toUser))).to.deep.equal({ user: "42", scope: "user", messageId: "m1" });
    const toContext = scopedInputOf({ scope: "context", context: "chat", messageId: "m1" });
    expect(Object.fromEntries(attributesOf(toContext))).to.deep.equal({
      ...{ user: "42", context: "chat", scope: "context", messageId: "m1" },
    });
    const groups = [toUser, toContext, inputOf()].map(({ input }) => input.MessageGroupId);
    const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
    expect(groups).to.deep.equal(['["user#42"]', '["user#42","chat"]', '["user#42","chat#7"]'].map(hashOf));
  });

  it("has a type that excludes what a scope excludes", () => {
    const to = { user: "42", message: "hello" };
    // @ts-expect-error A context besides the scope user.
    expect(() => publishInput({ ...to, scope: "user", context: "chat" }, topicArn, now)).to.throw(RelayInputError);
    // @ts-expect-error A contextId besides the scope context.
    const withId: Publication = { ...to, scope: "context", context: "chat", contextId: "7" };
    expect(() => publishInput(withId, topicArn, now)).to.throw(RelayInputError);
    // @ts-expect-error No contextId and no scope.
    expect(() => publishInput({ ...to, context: "chat" }, topicArn, now)).to.throw(RelayInputError);
  });

  describe("for a FIFO topic", () => {
    it("gives messages with the same messageId for a session, a context and a user different deduplication IDs", () => {
      const given: Publication[] = [
        { ...publication, messageId: "m1" },
        { user: "42", context: "chat", scope: "context", message: "hello", messageId: "m1" },
        { user: "42", scope: "user", message: "hello", messageId: "m1" },
      ];
      const ids = given.map((each) => publishInput(each, `${topicArn}.fifo`, now).input.MessageDeduplicationId);
      expect(new Set(ids).size).to.equal(3);
    });

    const idOf = (given: Partial<SessionPublication> = {}, topic = `${topicArn}.fifo`) =>
      publishInput({ ...publication, ...given }, topic, now).input.MessageDeduplicationId;

    it("derives the deduplication ID from the session and the messageId, not from the body", () => {
      expect(idOf({ messageId: "order 1" })).to.match(/^[0-9a-f]{64}$/);
      expect(idOf({ messageId: "order 1", message: "another" })).to.equal(idOf({ messageId: "order 1" }));
      expect(idOf({ messageId: "order 2" })).not.to.equal(idOf({ messageId: "order 1" }));
      expect(idOf({ messageId: "order 1", user: "43" })).not.to.equal(idOf({ messageId: "order 1" }));
    });

    it("gives each message another deduplication ID by default, so that SNS keeps equal messages", () => {
      expect(idOf()).to.match(/^[0-9a-f]{64}$/);
      expect(idOf()).not.to.equal(idOf());
    });

    it("sets the deduplication ID only for a FIFO topic: a standard topic rejects it", () => {
      expect(idOf({}, topicArn)).to.equal(undefined);
    });
  });

  it("accepts a message of exactly 128 KB, counted in bytes of UTF-8", () => {
    expect(inputOf({ message: "é".repeat(65_536) }).input.Message).to.have.lengthOf(65_536);
  });

  const refused: [name: string, given: object, input: string, message: RegExp][] = [
    [
      "a message of one byte over 128 KB",
      { message: "x".repeat(131_073) },
      "message",
      /131073 bytes.*131072.*split a larger message/s,
    ],
    ["128 KB of characters that are more bytes", { message: "é".repeat(65_537) }, "message", /131074 bytes/],
    ["an empty message", { message: "" }, "message", /empty/],
    ["a message that is an object", { message: { a: 1 } }, "message", /type object.*JSON\.stringify/s],
    ["a message with a control character", { message: "a\u0007" }, "message", /character at 1/],
    ["a message with a lone surrogate", { message: "ab\uDC00" }, "message", /character at 2/],
    ["a message with U+FFFF", { message: "\uFFFF" }, "message", /character at 0/],
    ["a user with a control character", { user: "4\u0000" }, "user", /character at 1/],
    ["a context with U+FFFE", { context: "chat\uFFFE" }, "context", /character at 4/],
    ["a contextId with a control character", { contextId: "\u007F\u001F" }, "contextId", /character at 1/],
    ["a messageId with a line break", { messageId: "m\n1" }, "messageId", /printable ASCII/],
    ["a messageId that is null", { messageId: null }, "messageId", /type object/],
    ["attributes of the program's own", { attributes: { tenant: "a" } }, "attributes", /not a key of publication/],
    ["an empty user", { user: "" }, "user", /user is empty/],
    ["a user that is a number", { user: 42 }, "user", /type number.*as a string/s],
    ["no user", { user: undefined }, "user", /user is missing/],
    ["a user over 2,048 bytes as a key", { user: "u".repeat(2_044) }, "user", /2049 bytes/],
    ["a user with a lone surrogate", { user: "\uD800" }, "user", /well-formed/],
    ["a context with #", { context: "a#b" }, "context", /contains #/],
    ["an empty context", { context: "" }, "context", /context is empty/],
    ["an empty contextId", { contextId: "" }, "contextId", /contextId is empty/],
    ["context and contextId that are too long together", { contextId: "x".repeat(1_020) }, "context", /1025 bytes/],
    [
      "another scope",
      { scope: "users", context: undefined, contextId: undefined },
      "scope",
      /neither user nor context.*"user" without context and contextId/s,
    ],
    [
      "a context besides the scope user",
      { scope: "user", contextId: undefined },
      "scope",
      /scope is user, which excludes context;.*leave out what the scope excludes/s,
    ],
    [
      "a contextId besides the scope context",
      { scope: "context" },
      "scope",
      /scope is context, which excludes contextId/,
    ],
    ["a scope that is a flag", { scope: true, contextId: undefined }, "scope", /scope is of type boolean/],
    [
      "no context for its scope",
      { scope: "context", context: undefined, contextId: undefined },
      "context",
      /context is missing/,
    ],
    ["no contextId and no scope", { contextId: undefined }, "contextId", /contextId is missing.*scope: "context"/s],
    ["an empty messageId", { messageId: "" }, "messageId", /empty.*UUID/s],
    ["a messageId of 129 characters", { messageId: "m".repeat(129) }, "messageId", /129 characters/],
    ["a messageId beyond ASCII", { messageId: "é" }, "messageId", /printable ASCII/],
    ["an empty idempotencyKey", { idempotencyKey: "" }, "idempotencyKey", /empty.*leave it out/s],
    ["an idempotencyKey of 129 characters", { idempotencyKey: "k".repeat(129) }, "idempotencyKey", /129 characters/],
    ["an idempotencyKey that is a number", { idempotencyKey: 7 }, "idempotencyKey", /type number/],
    ["an expiresAt of now", { expiresAt: now }, "expiresAt", /now is 2026-11-25T12:00:00\.000Z/],
    ["an expiresAt that is an invalid date", { expiresAt: new Date(NaN) }, "expiresAt", /an invalid Date/],
    [
      "an expiresAt that is a string",
      { expiresAt: "2027-01-01T00:00:00Z" },
      "expiresAt",
      /an invalid Date.*pass a Date/,
    ],
    ["an expiresAt in milliseconds", { expiresAt: 1_893_456_000_000 }, "expiresAt", /an invalid Date.*pass a Date/],
    [
      "a key in another letter case",
      { contextID: "7" },
      "contextID",
      /not a key of publication.*did you mean contextId\?/,
    ],
    ["an expiresAt that RFC 3339 cannot express", { expiresAt: new Date("+010000-01-01") }, "expiresAt", /\+010000/],
  ];
  for (const [name, given, input, message] of refused) {
    it(`refuses ${name}, naming ${input}, the allowed values and a fix`, () => {
      const error = refusalOf(given);
      expect(error.input).to.equal(input);
      expect(error.message)
        .to.match(message)
        .and.match(/; allowed: .*\. Fix: .*\.$/s);
    });
  }

  describe("for what SNS accepts and SQS does not", () => {
    // As long as the relay's rules let each input be.
    const longest = {
      user: "u".repeat(2_043),
      context: "c".repeat(1_000),
      contextId: "i".repeat(23),
      messageId: "m".repeat(128),
      idempotencyKey: "k".repeat(128),
      expiresAt: new Date("2027-01-01"),
      message: "x".repeat(131_072),
    };
    const attributesOf = (given: object) =>
      Object.entries(
        publishInput({ ...publication, ...given } as Publication, topicArn, now).input.MessageAttributes ?? {},
      );

    it("stays below ten attributes with every input, since SNS discards a raw message with more", () => {
      expect(attributesOf(longest)).to.have.lengthOf(6);
      const scoped = { scope: "context", contextId: undefined };
      expect(attributesOf({ ...longest, ...scoped })).to.have.lengthOf(6);
    });

    it("stays below 256 KiB with the longest inputs, attributes included", () => {
      const texts = attributesOf(longest).flatMap(([name, { DataType = "", StringValue = "" }]) => [
        name,
        DataType,
        StringValue,
      ]);
      expect(Buffer.byteLength([longest.message, ...texts].join(""))).to.be.below(262_144);
    });

    it("gives every attribute a name and a type that SQS takes, and a value that is not empty", () => {
      for (const [name, { DataType, StringValue }] of attributesOf(longest)) {
        expect(name).to.match(/^(?!aws|amazon)[A-Za-z]{1,256}$/i);
        expect(DataType).to.equal("String");
        expect(StringValue).to.have.length.above(0);
      }
    });

    it("takes every character that SQS takes, from tab to the last one of Unicode", () => {
      const message = "\t\n\r \u007F\u0085\uD7FF\uE000\uFFFD\u{10000}\u{1FFFE}\u{10FFFF}";
      expect(inputOf({ message, user: message, contextId: message }).input.Message).to.equal(message);
    });
  });

  it("quotes no payload in a refusal", () => {
    expect(refusalOf({ message: `secret${"x".repeat(131_073)}` }).message).not.to.include("secret");
    expect(refusalOf({ message: "secret\u0000" }).message).not.to.include("secret");
  });
});
