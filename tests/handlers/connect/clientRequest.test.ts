import { expect } from "chai";
import { hasHeader, headersOf, requestedContext } from "../../../handlers/connect/clientRequest";
import { connectEvent } from "../../support/events";

describe("handshake", () => {
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

  it("has its headers by lower-cased name, several values joined", () => {
    const event = connectEvent({
      headers: { Authorization: "Bearer a", "X-One": "last" },
      multiValueHeaders: { Cookie: ["a=b", "c=d"], "X-One": ["first", "last"] },
    });
    expect(headersOf(event)).to.deep.equal({
      host: "api.test",
      authorization: "Bearer a",
      "x-one": "first, last",
      cookie: "a=b; c=d",
    });
  });

  it("tells a header that did not come from one that is empty", () => {
    expect(hasHeader(connectEvent({}), "origin")).to.equal(false);
    expect(hasHeader(connectEvent({ headers: { oRIGIN: "" } }), "origin")).to.equal(true);
    expect(hasHeader(connectEvent({ multiValueHeaders: { Origin: [""] } }), "origin")).to.equal(true);
    expect(hasHeader(connectEvent({ multiValueHeaders: { ORIGIN: [] } }), "origin")).to.equal(true);
    expect(hasHeader({ ...connectEvent({}), headers: null, multiValueHeaders: null }, "origin")).to.equal(false);
  });

  it("may have no headers at all", () => {
    expect(headersOf({ ...connectEvent({}), headers: null })).to.deep.equal({});
  });
});
