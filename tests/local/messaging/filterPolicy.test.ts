import { expect } from "chai";
import type { MessageAttributes } from "../../../local/messaging/fauxqs";
import {
  filterPolicyProblem,
  type FilterPolicyScope,
  matchesFilterPolicy,
} from "../../../local/messaging/filterPolicy";

type Attribute = { DataType: string; StringValue?: string; BinaryValue?: string };

const string = (StringValue: string): Attribute => ({ DataType: "String", StringValue });
const number = (StringValue: string): Attribute => ({ DataType: "Number", StringValue });
const array = (...values: unknown[]): Attribute => ({ DataType: "String.Array", StringValue: JSON.stringify(values) });

/** Most rows are examples of AWS's pages on string and numeric value matching, and on key matching. */
const properties: [condition: unknown[], accepted: (Attribute | undefined)[], ignored: (Attribute | undefined)[]][] = [
  [
    ["rugby", "tennis"],
    [string("rugby"), string("tennis"), array("rugby", "tennis"), array("baseball", "tennis")],
    [string("baseball"), array("baseball"), string("Rugby"), undefined],
  ],
  [
    [{ "anything-but": ["rugby", "tennis"] }],
    [string("baseball"), string("football"), array("rugby", "baseball")],
    [string("rugby"), array("rugby"), array("rugby", "tennis"), undefined],
  ],
  [[{ "anything-but": "rugby" }], [string("tennis")], [string("rugby"), undefined]],
  [[{ "anything-but": ["rugby"] }, { exists: false }], [undefined, string("tennis")], [string("rugby")]],
  [
    [{ "anything-but": { prefix: "order-" } }],
    [string("data-entry"), string("order_number")],
    [string("order-cancelled"), number("5"), undefined],
  ],
  [
    [{ "anything-but": { wildcard: "*ball" } }],
    [array("hockey", "rugby", "soccer")],
    [array("baseball", "basketball")],
  ],
  [[{ "anything-but": { suffix: "ball" } }], [array("hockey", "rugby", "soccer")], [array("baseball", "basketball")]],
  [[{ "equals-ignore-case": "tennis" }], [string("TENNIS"), string("Tennis")], [string("tennis!"), number("1")]],
  [
    [{ cidr: "10.0.0.0/24" }],
    [string("10.0.0.0"), string("10.0.0.255"), array("10.1.1.0", "10.0.0.7")],
    [string("10.1.1.0"), string("10.0.0"), string("::a00:1"), string("")],
  ],
  [[{ cidr: "2001:db8::/32" }], [string("2001:db8::1")], [string("2001:db9::1"), string("10.0.0.1")]],
  [[{ prefix: "bas" }], [string("baseball"), string("basketball")], [string("rugby"), undefined]],
  [[{ suffix: "ball" }], [string("baseball"), string("basketball")], [string("rugby"), undefined]],
  [[{ wildcard: "*ball" }], [string("baseball"), array("baseball", "rugby"), string("ball")], [string("balls")]],
  [[{ wildcard: "a*c*e" }], [string("abcde"), string("ace"), string("a\nc😀e")], [string("acd")]],
  [[{ wildcard: "1\\*2\\\\.*" }], [string("1*2\\.x")], [string("1x2\\.x"), string("1*2\\,x")]],
  [["a.c"], [string("a.c")], [string("abc")]],
  [[{ numeric: ["=", 301.5] }], [number("301.5"), number("3.015e2")], [number("300"), string("301.5"), undefined]],
  [[{ "anything-but": [100, 500] }], [number("101"), number("100.1"), array(100, 50)], [number("100"), array(100)]],
  [[{ numeric: [">", 0] }], [number("1"), number("0.1")], [number("0"), number("-1")]],
  [[{ numeric: ["<", 0] }], [number("-1")], [number("0")]],
  [[{ numeric: [">", 0, "<=", 150] }], [number("1"), number("150"), array(0, 7)], [number("0"), number("151")]],
  [[{ numeric: [">=", 0, "<", 1] }], [number("0")], [number("1")]],
  [[100], [number("100"), number("1e2"), array(100)], [string("100"), number("101")]],
  [
    [true, null],
    [array(true), array(null)],
    [string("true"), array(false), undefined],
  ],
  [[{ exists: true }], [string("x"), number("1"), array("x")], [undefined]],
  [[{ exists: false }], [undefined], [string("x")]],
  [
    ["x", { prefix: "y" }],
    [string("x"), string("yes")],
    [string("z"), { DataType: "Binary", BinaryValue: "eA==" }, { DataType: "String.Array", StringValue: "[x" }],
  ],
];

function accepts(policy: object, scope: FilterPolicyScope, body: string, attributes: MessageAttributes = {}): boolean {
  const json = JSON.stringify(policy);
  expect(filterPolicyProblem(json, scope)).to.equal(undefined);
  return matchesFilterPolicy(json, scope, { body, attributes });
}

/** The same property in a message's body. */
function inBody(attribute: Attribute | undefined): string | undefined {
  if (!attribute) return "{}";
  const { DataType, StringValue = "" } = attribute;
  if (DataType === "String") return JSON.stringify({ property: StringValue });
  if (DataType === "Number" || StringValue.endsWith("]")) return `{"property":${StringValue}}`;
  return undefined;
}

describe("a filter policy", () => {
  for (const [conditions, accepted, ignored] of properties) {
    for (const [attribute, isAccepted] of [
      ...accepted.map((each) => [each, true] as const),
      ...ignored.map((each) => [each, false] as const),
    ]) {
      const claim = `${JSON.stringify(conditions)} ${isAccepted ? "accepts" : "ignores"} ${JSON.stringify(attribute)}`;
      it(claim, () => {
        const policy = { property: conditions };
        const attributes = (attribute ? { property: attribute } : {}) as MessageAttributes;
        expect(accepts(policy, "MessageAttributes", "m", attributes), "in attributes").to.equal(isAccepted);
        const body = inBody(attribute);
        if (body !== undefined) expect(accepts(policy, "MessageBody", body), "in the body").to.equal(isAccepted);
      });
    }
  }

  const rows: [claim: string, policy: object, body: unknown, isAccepted: boolean][] = [
    ["needs every property", { a: ["1"], b: ["2"] }, { a: "1", b: "3" }, false],
    ["ignores what it does not name", { a: ["1"] }, { a: "1", b: "2" }, true],
    ["accepts all where it is empty", {}, { a: 1 }, true],
    ["needs one of the alternatives", { $or: [{ a: ["1"] }, { b: ["2"] }] }, { b: "2" }, true],
    ["needs at least one of the alternatives", { $or: [{ a: ["1"] }, { b: ["2"] }] }, { c: "2" }, false],
    ["needs what is next to the alternatives", { c: ["3"], $or: [{ a: ["1"] }, { b: ["2"] }] }, { a: "1" }, false],
    ["takes alternatives within a property", { d: { $or: [{ a: ["1"] }, { b: ["2"] }] } }, { d: { b: "2" } }, true],
    ["reaches into objects", { a: { b: { c: ["1"] } } }, { a: { b: { c: "1" } } }, true],
    ["does not find at the top what is nested", { c: ["1"] }, { a: { c: "1" } }, false],
    ["reaches into arrays of objects", { r: { k: ["1"] } }, { r: [{ k: "0" }, [{ k: "1" }]] }, true],
    [
      "needs one object of an array to match whole",
      { r: { k: ["1"], n: ["2"] } },
      { r: [{ k: "1" }, { n: "2" }] },
      false,
    ],
    ["finds nothing in an object that is not there", { a: { b: [{ exists: false }] } }, {}, true],
  ];
  for (const [claim, policy, body, isAccepted] of rows) {
    it(claim, () => expect(accepts(policy, "MessageBody", JSON.stringify(body))).to.equal(isAccepted));
  }

  it("on the body ignores one that is no JSON object", () => {
    for (const body of ["hello", "[]", '"a"', ""]) {
      expect(accepts({ a: [{ exists: false }] }, "MessageBody", body), body).to.equal(false);
    }
  });

  it("takes $or for a property's name where it lists one alternative, or operators", () => {
    expect(accepts({ $or: ["1"] }, "MessageAttributes", "", { $or: string("1") })).to.equal(true);
    expect(filterPolicyProblem('{"$or":[{"a":["1"]}]}', "MessageAttributes")).to.match(/Unrecognized match type a/);
    expect(
      accepts({ $or: [{ prefix: "a" }, { prefix: "b" }] }, "MessageAttributes", "", { $or: string("bc") }),
    ).to.equal(true);
  });

  const five = { a: ["1"], b: ["1"], c: ["1"], d: ["1"], e: ["1"] };
  const many = (count: number) => Array.from({ length: count }, (_, n) => `${n}`);
  const problems: [claim: string, policy: unknown, problem: RegExp, scope?: FilterPolicyScope][] = [
    ["that is no object", ["a"], /not a JSON object/],
    ["with an operator that SNS does not have", { a: [{ regex: "x" }] }, /Unrecognized match type regex.*wildcard/],
    ["with a name of every object", { a: [{ toString: "x" }] }, /Unrecognized match type toString/],
    ["with two operators in one condition", { a: [{ prefix: "x", suffix: "y" }] }, /Only one key allowed/],
    ["with a condition that is an array", { a: [["x"]] }, /Match value must be/],
    ["with a value that is no list", { a: "x" }, /"a" must be an object or an array/],
    ["with an empty list", { a: [] }, /Empty arrays are not allowed: a/],
    ["with a prefix that is no text", { a: [{ prefix: 1 }] }, /prefix: match pattern must be a string; got 1/],
    ["with consecutive wildcards", { a: [{ wildcard: "a**" }] }, /consecutive wildcard/],
    ["with a backslash before another character", { a: [{ wildcard: "a\\b" }] }, /backslash/],
    ["with no CIDR block", { a: [{ cidr: "10.0.0.0" }] }, /cidr: must be an IP address, a slash/],
    ["with too many mask bits", { a: [{ cidr: "10.0.0.0/33" }] }, /cidr/],
    ["with an unknown comparison", { a: [{ numeric: ["~", 1] }] }, /numeric: must be/],
    ["with a comparison with a text", { a: [{ numeric: ["=", "1"] }] }, /numeric: must be/],
    ["with an empty range", { a: [{ numeric: [">", 2, "<", 1] }] }, /Bottom must be less than top/],
    ["with a range the wrong way round", { a: [{ numeric: ["<", 2, ">", 1] }] }, /numeric: must be/],
    ["with exists of a text", { a: [{ exists: "true" }] }, /exists: must be either true or false/],
    ["with anything-but of nothing", { a: [{ "anything-but": [] }] }, /anything-but: must be/],
    [
      "with anything-but of another operator",
      { a: [{ "anything-but": { numeric: ["=", 1] } }] },
      /prefix, suffix, wildcard/,
    ],
    ["with six keys", { ...five, f: ["1"] }, /more than 5 keys/],
    ["of 160 combinations", { a: many(16), b: many(10) }, /too complex: 160 combinations.*150/],
    ["of more by nesting", { a: { b: many(76) } }, /too complex: 152/, "MessageBody"],
    ["nested, on attributes", { a: { b: ["1"] } }, /MessageAttributes does not support nested/],
    ["with a fault in an alternative", { $or: [{ a: ["1"] }, { b: [{ regex: "x" }] }] }, /regex/],
  ];
  for (const [claim, policy, problem, scope = "MessageAttributes"] of problems) {
    it(`${claim} is refused`, () => expect(filterPolicyProblem(JSON.stringify(policy), scope)).to.match(problem));
  }

  it("of five keys and 150 combinations is taken", () => {
    expect(filterPolicyProblem(JSON.stringify({ ...five, a: many(15), b: many(10) }), "MessageAttributes")).to.equal(
      undefined,
    );
  });
});
