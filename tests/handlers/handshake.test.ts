import { expect } from "chai";
import { credentialOf, originIsAllowed, requestedContext } from "../../handlers/handshake";
import { connectEvent } from "./events";

describe("handshake", () => {
  const bearer = (token: string) => ({ value: { token, source: "authorization" } });
  const cookie = (token: string) => ({ value: { token, source: "cookie" } });
  const malformed = { reason: "the Authorization header is malformed" };
  const none = { reason: "there is neither a Bearer token nor a cookie" };
  for (const [name, headers, expected] of [
    ["takes a Bearer token", { Authorization: "Bearer a.b.c" }, bearer("a.b.c")],
    ["takes the scheme in any case", { Authorization: "bEARER a.b.c" }, bearer("a.b.c")],
    ["takes the header in any case", { AUTHORIZATION: "Bearer a.b.c" }, bearer("a.b.c")],
    ["takes the header in lower case", { authorization: "Bearer  a.b.c" }, bearer("a.b.c")],
    ["prefers the Bearer token to the cookie", { authorization: "Bearer a.b.c", cookie: "token=d" }, bearer("a.b.c")],
    ["does not look at the cookie beside an empty Bearer", { authorization: "Bearer", cookie: "token=d" }, malformed],
    ["does not look at the cookie beside a blank Bearer", { authorization: "Bearer  ", cookie: "token=d" }, malformed],
    [
      "does not look at the cookie beside a malformed Bearer",
      { authorization: "Bearer a b", cookie: "token=d" },
      malformed,
    ],
    ["ignores another scheme", { authorization: "Basic YTpi", cookie: "token=d" }, cookie("d")],
    ["ignores a scheme that begins like Bearer", { authorization: "BearerX a", cookie: "token=d" }, cookie("d")],
    ["takes the cookie among others", { Cookie: "a=b; token=d; c=e" }, cookie("d")],
    ["decodes the cookie", { Cookie: "token=d%3D" }, cookie("d=")],
    ["finds no credential in an empty cookie", { Cookie: "token=" }, none],
    ["finds no credential in another cookie", { Cookie: "tokens=d; __proto__=x" }, none],
    ["finds no credential without headers", {}, none],
  ] as const) {
    it(name, () => expect(credentialOf(connectEvent({ headers }), "token")).to.deep.equal(expected));
  }

  it("refuses two Bearer tokens", () => {
    const event = connectEvent({ multiValueHeaders: { Authorization: ["Bearer a", "Bearer b"] } });
    expect(credentialOf(event, "token")).to.deep.equal(malformed);
  });

  for (const [name, query, expected] of [
    ["has a sort key of context and contextId", { context: "chat", contextId: "7" }, { value: "chat#7" }],
    ["lacks a query", null, { reason: "the query parameter context is missing" }],
    ["lacks context", { contextId: "7" }, { reason: "the query parameter context is missing" }],
    ["lacks contextId", { context: "chat" }, { reason: "the query parameter contextId is missing" }],
    ["has an empty context", { context: "", contextId: "7" }, { reason: "context is empty" }],
    ["has an empty contextId", { context: "chat", contextId: "" }, { reason: "contextId is empty" }],
    ["has a # in context", { context: "a#b", contextId: "7" }, { reason: "context contains #" }],
  ] as const) {
    it(`tells when it ${name}`, () => expect(requestedContext(connectEvent({ query }))).to.deep.equal(expected));
  }

  it("refuses a parameter that is given twice", () => {
    const event = connectEvent({ multiValueQuery: { context: ["chat"], contextId: ["7", "8"] } });
    expect(requestedContext(event)).to.deep.equal({ reason: "contextId is given more than once" });
  });

  const allowed = ["https://app.test", "https://api.test:8443"];
  for (const [origin, expected] of [
    ["https://app.test", true],
    ["https://api.test:8443", true],
    ["http://app.test", false],
    ["https://app.test:8443", false],
    ["https://evil-app.test", false],
    ["https://app.test.evil.test", false],
    ["https://app.test/", false],
    ["HTTPS://APP.TEST", false],
    ["null", false],
    ["", false],
    [undefined, false],
  ] as const) {
    it(`${expected ? "allows" : "does not allow"} the origin ${origin}`, () => {
      const event = connectEvent({ headers: origin === undefined ? {} : { oRIGIN: origin } });
      expect(originIsAllowed(event, allowed)).to.equal(expected);
    });
  }

  it("does not allow the origin null, even on the list", () => {
    expect(originIsAllowed(connectEvent({ headers: { origin: "null" } }), ["null"])).to.equal(false);
  });

  it("does not allow two origins", () => {
    const event = connectEvent({ multiValueHeaders: { Origin: ["https://app.test", "https://evil.test"] } });
    expect(originIsAllowed(event, allowed)).to.equal(false);
  });
});
