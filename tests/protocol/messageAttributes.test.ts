import Ajv from "ajv";
import { expect } from "chai";
import { checkPublication } from "../../handlers/messages/publication";
import { MESSAGE_ATTRIBUTES } from "../../protocol";
import schema from "../../protocol/messageAttributes.schema.json";
import { mulberry32 } from "../support/mulberry32";

type Attributes = Record<string, string>;

const validate = new Ajv({ strictTypes: false, strictRequired: false }).compile(schema);
const isOfSchema = (attributes: object) => validate(attributes);
/** As the relay and the backend helper check it. */
const reasonOf = (attributes: Attributes) =>
  checkPublication({ ...(attributes as { user: string }), message: "hello" }).reason;

/** Values of one attribute, valid and not. Undefined leaves it out. */
const text = [
  undefined,
  "",
  "42",
  "a b",
  "Zoë 🎉",
  "tab\t",
  "line\r\n",
  "#",
  "a#b",
  "\u0000",
  "a\u000b",
  "\u001f",
  "\u007f",
  "\u0085",
  "\ufffe",
  "a\uffff",
  "\ufffd",
  "x".repeat(500),
];
const id = [undefined, "", "order-7", " ", "~", "a\tb", "\u007f", "é", "x".repeat(128), "x".repeat(129)];
const values: Record<keyof typeof MESSAGE_ATTRIBUTES, readonly (string | undefined)[]> = {
  user: text,
  context: text,
  contextId: text,
  scope: [undefined, undefined, undefined, "user", "context", "", "User", "all"],
  messageId: id,
  idempotencyKey: id,
  expiresAt: [
    undefined,
    "2026-11-25T12:00:00Z",
    "2026-11-25t12:00:00.123456z",
    "2026-11-25T23:59:59+05:30",
    "2026-11-25T24:00:00Z",
    "2026-11-25T12:60:00Z",
    "2026-11-25T12:00:60Z",
    "2026-13-25T12:00:00Z",
    "2026-00-25T12:00:00Z",
    "2026-11-00T12:00:00Z",
    "2026-11-32T12:00:00Z",
    "2026-11-25T12:00:00",
    "2026-11-25 12:00:00Z",
    "2026-11-25T12:00:00+24:00",
    "2026-11-25T12:00:00.Z",
    " 2026-11-25T12:00:00Z",
    "",
  ],
};

describe("the schema of message attributes", () => {
  it("has a property for each attribute, and for nothing else", () => {
    expect(Object.keys(schema.properties)).to.have.members(Object.values(MESSAGE_ATTRIBUTES));
  });

  const valid: Attributes = { user: "42", context: "chat", contextId: "7" };

  for (const [name, all] of Object.entries(values)) {
    it(`takes the same values of ${name} as the relay does`, () => {
      const bases = [valid, { user: "42", context: "chat", scope: "context" }, { user: "42", scope: "user" }];
      const differing = bases.flatMap((base) =>
        all
          .map((value) => attributesOf({ ...base, [name]: value }))
          .filter((attributes) => isOfSchema(attributes) !== (reasonOf(attributes) === undefined)),
      );
      expect(differing).to.deep.equal([]);
    });
  }

  it("takes the same sets of attributes as the relay does, of any values", () => {
    const random = mulberry32(20_261_129);
    const outcomes = { taken: 0, refused: 0 };
    for (let round = 0; round < 20_000; round++) {
      // Mostly valid: a set of values at random is almost never taken.
      const chosen = Object.entries(values).map(([name, all]) => {
        const usual = (valid as Partial<Attributes>)[name];
        return [name, random() < 0.8 ? usual : all[Math.floor(random() * all.length)]] as const;
      });
      const attributes = attributesOf(Object.fromEntries(chosen));
      const reason = reasonOf(attributes);
      expect(isOfSchema(attributes), `${JSON.stringify(attributes)}: ${reason}`).to.equal(reason === undefined);
      outcomes[reason === undefined ? "taken" : "refused"]++;
    }
    expect(outcomes.taken).to.be.above(5_000);
    expect(outcomes.refused).to.be.above(5_000);
  });

  it("refuses a value that is not a string, and more attributes than SQS takes", () => {
    expect(isOfSchema({ ...valid, user: 42 })).to.equal(false);
    expect(isOfSchema({ ...valid, messageId: null })).to.equal(false);
    const own = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`own${index}`, "x"]));
    expect(isOfSchema({ ...valid, ...own })).to.equal(false);
    delete own.own7;
    expect(isOfSchema({ ...valid, ...own })).to.equal(true);
  });

  // What its description and docs/other-languages.md say that it cannot express.
  const beyond: Record<string, [Attributes, RegExp]> = {
    "bytes of user": [{ ...valid, user: "€".repeat(700) }, /^user: 2105 bytes/],
    "bytes of context and contextId": [
      { ...valid, contextId: "x".repeat(1_100) },
      /^context and contextId: 1105 bytes/,
    ],
    "days of a month": [{ ...valid, expiresAt: "2026-02-30T12:00:00Z" }, /^expiresAt is no RFC 3339/],
    "well-formed Unicode": [{ ...valid, user: "\ud800" }, /^user: not well-formed/],
  };
  for (const [what, [attributes, reason]] of Object.entries(beyond)) {
    it(`cannot check ${what}, which the relay does`, () => {
      expect(isOfSchema(attributes)).to.equal(true);
      expect(reasonOf(attributes)).to.match(reason);
    });
  }
});

function attributesOf(values: Record<string, string | undefined>): Attributes {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
