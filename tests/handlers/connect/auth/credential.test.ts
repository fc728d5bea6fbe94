import { expect } from "chai";
import { cookiesOf, credentialOf } from "../../../../handlers/connect/auth/credential";
import { connectEvent } from "../../../support/events";

describe("credentialOf", () => {
  const bearer = (token: string) => ({ value: { tokens: [token], source: "authorization" } });
  const cookie = (...tokens: string[]) => ({ value: { tokens, source: "cookie" } });
  const malformed = { reason: "the Authorization header is malformed" };
  const badSubprotocol = { reason: "the subprotocol that carries the token is malformed" };
  const none = { reason: "there is no token: neither a Bearer, nor a subprotocol, nor a cookie" };
  const subprotocol = (token: string) => ({ value: { tokens: [token], source: "subprotocol" } });
  const offer = (...values: string[]) => ({ "Sec-WebSocket-Protocol": values.join(", ") });
  const carrying = (token: string) => `websocket-relay.bearer.${token}`;
  for (const [name, headers, expected] of [
    ["takes a Bearer token", { Authorization: "Bearer a.b.c" }, bearer("a.b.c")],
    ["takes the scheme in any case", { Authorization: "bEARER a.b.c" }, bearer("a.b.c")],
    ["takes the header in any case", { AUTHORIZATION: "Bearer a.b.c" }, bearer("a.b.c")],
    ["takes the header in lower case", { authorization: "Bearer  a.b.c" }, bearer("a.b.c")],
    ["prefers the Bearer token to the cookie", { authorization: "Bearer a.b.c", cookie: "token=d" }, bearer("a.b.c")],
    ["ignores the cookie if there is an empty Bearer", { authorization: "Bearer", cookie: "token=d" }, malformed],
    ["ignores the cookie if there is a blank Bearer", { authorization: "Bearer  ", cookie: "token=d" }, malformed],
    [
      "ignores the cookie if there is a malformed Bearer",
      { authorization: "Bearer a b", cookie: "token=d" },
      malformed,
    ],
    ["ignores another scheme", { authorization: "Basic YTpi", cookie: "token=d" }, cookie("d")],
    ["ignores a scheme that begins like Bearer", { authorization: "BearerX a", cookie: "token=d" }, cookie("d")],
    ["takes the cookie among others", { Cookie: "a=b; token=d; c=e" }, cookie("d")],
    ["decodes the cookie", { Cookie: "token=d%3D" }, cookie("d=")],
    ["takes every value of a cookie that occurs twice", { Cookie: "token=d; a=b; token=e" }, cookie("d", "e")],
    ["takes a value that occurs twice once", { Cookie: "token=d; token=e; token=d" }, cookie("d", "e")],
    ["takes the cookie without its quotes", { Cookie: 'token="a.b.c"; a="b"' }, cookie("a.b.c")],
    ["takes a value with and without quotes once", { Cookie: 'token="d"; token=d' }, cookie("d")],
    [
      "takes the quotes off alone that are around the value",
      { Cookie: 'token="d; token=e"; token="f"g' },
      cookie('"d', 'e"', '"f"g'),
    ],
    ["takes an empty value for none", { Cookie: 'token=; token=""; token=d' }, cookie("d")],
    ["takes cookies of whatever name", { Cookie: "token; =x; token=d;;" }, cookie("d")],
    ["takes the token of a subprotocol", offer("websocket-relay.raw", carrying("a.b-c_d")), subprotocol("a.b-c_d")],
    [
      "prefers the Bearer token to the subprotocol",
      { authorization: "Bearer a", ...offer(carrying("b")) },
      bearer("a"),
    ],
    [
      "ignores the subprotocol if there is an empty Bearer",
      { authorization: "Bearer", ...offer(carrying("b")) },
      malformed,
    ],
    ["prefers the subprotocol to the cookie", { cookie: "token=d", ...offer(carrying("b")) }, subprotocol("b")],
    ["ignores the cookie if there is an empty token", { cookie: "token=d", ...offer(carrying("")) }, badSubprotocol],
    [
      "ignores the cookie if there is a malformed token",
      { cookie: "token=d", ...offer(carrying("a b")) },
      badSubprotocol,
    ],
    ["refuses two tokens of subprotocols", offer(carrying("a"), carrying("b")), badSubprotocol],
    [
      "reads the cookie if there is only another subprotocol",
      { cookie: "token=d", ...offer("websocket-relay.raw") },
      cookie("d"),
    ],
    ["takes the prefix in its own case only", offer("WebSocket-Relay.Bearer.a"), none],
    ["finds no credential in an empty cookie", { Cookie: "token=" }, none],
    ["finds no credential in another cookie", { Cookie: "tokens=d; __proto__=x" }, none],
    ["finds no credential without headers", {}, none],
  ] as const) {
    it(name, () => expect(credentialOf(connectEvent({ headers }), "token")).to.deep.equal(expected));
  }

  it("takes the cookies of every Cookie header", () => {
    const event = connectEvent({ multiValueHeaders: { Cookie: ["token=d; a=b", "token=e"] } });
    expect(credentialOf(event, "token")).to.deep.equal(cookie("d", "e"));
    expect(cookiesOf(event)).to.deep.equal({ token: "d", a: "b" });
  });

  it("refuses two Bearer tokens", () => {
    const event = connectEvent({ multiValueHeaders: { Authorization: ["Bearer a", "Bearer b"] } });
    expect(credentialOf(event, "token")).to.deep.equal(malformed);
  });
});
