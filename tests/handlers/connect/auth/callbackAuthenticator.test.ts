import { expect } from "chai";
import type { Authenticate, AuthenticateHandshake } from "../../../../handlers/connect/auth/authenticate";
import { callbackAuthenticator } from "../../../../handlers/connect/auth/callbackAuthenticator";
import { refusals } from "../../../../handlers/connect/refusals";
import { refusal } from "../../../support/refusal";
import { connectEvent } from "../../../support/events";

const origin = "https://app.test";
const now = 1_700_000_000_000;

function authenticatorWith(answer: () => unknown = () => ({ code: "42" }), allowedOrigins: string[] | null = [origin]) {
  const asked: AuthenticateHandshake[] = [];
  const authenticate = (async (handshake: AuthenticateHandshake) => {
    asked.push(handshake);
    return await Promise.resolve(answer());
  }) as Authenticate;
  return {
    asked,
    ...callbackAuthenticator({ authenticate, cookieName: "token", allowedOrigins, now: () => now }),
  };
}

describe("callbackAuthenticator", () => {
  it("hands the whole handshake to the callback", async () => {
    const { authenticate, asked } = authenticatorWith();
    const event = connectEvent({
      headers: { "X-Api-Key": "k", Origin: origin, Cookie: "token=t; other=o%3D" },
      query: { context: "chat", contextId: "7", user: "42" },
      sourceIp: "192.0.2.1",
    });
    expect(await authenticate(event)).to.deep.equal({ user: "42" });
    expect(asked).to.deep.equal([
      {
        headers: { host: "api.test", "x-api-key": "k", origin, cookie: "token=t; other=o%3D" },
        query: { context: "chat", contextId: "7", user: "42" },
        cookies: { token: "t", other: "o=" },
        token: "t",
        sourceIp: "192.0.2.1",
      },
    ]);
  });

  it("asks the callback without any credential too", async () => {
    const { authenticate, asked } = authenticatorWith();
    expect(await authenticate(connectEvent({ query: null }))).to.deep.equal({ user: "42" });
    expect(asked).to.deep.equal([
      { headers: { host: "api.test" }, query: {}, cookies: {}, token: undefined, sourceIp: "" },
    ]);
  });

  it("has no token if the Bearer is malformed, with any cookie", async () => {
    const { authenticate, asked } = authenticatorWith();
    await authenticate(connectEvent({ headers: { authorization: "Bearer", cookie: "token=t", origin } }));
    expect(asked.map(({ token }) => token)).to.deep.equal([undefined]);
  });

  const bearer = { authorization: "Bearer t" };
  const asSubprotocol = { "sec-websocket-protocol": "websocket-relay.raw, websocket-relay.bearer.t" };

  it("asks the callback about a token as subprotocol without an origin and a cookie", async () => {
    const { authenticate, asked } = authenticatorWith();
    expect(await authenticate(connectEvent({ headers: asSubprotocol }))).to.deep.equal({ user: "42" });
    expect(asked.map(({ token }) => token)).to.deep.equal(["t"]);
  });

  it("hands on the first of several cookies, and all of them in the header", async () => {
    const { authenticate, asked } = authenticatorWith();
    const cookie = 'token=""; token="a.b"; token=c; other="x"; other=y';
    await authenticate(connectEvent({ headers: { cookie, origin } }));
    expect(asked[0]).to.deep.include({ token: "a.b", cookies: { token: '""', other: '"x"' } });
    expect(asked[0]?.headers.cookie).to.equal(cookie);
  });

  const ambient: [string, Record<string, string>][] = [
    ["an origin", { ...bearer, origin: "https://elsewhere.test" }],
    ["a cookie", { ...bearer, cookie: "any=thing" }],
    ["an empty origin", { ...bearer, origin: "" }],
    ["an empty cookie", { ...bearer, cookie: "" }],
    ["a cookie with a token as subprotocol", { ...asSubprotocol, cookie: "any=thing" }],
    ["an origin with a token as subprotocol", { ...asSubprotocol, origin: "null" }],
  ];
  for (const [name, headers] of ambient) {
    it(`refuses ${name} without an allowed origin, and does not ask the callback`, async () => {
      const { authenticate, asked } = authenticatorWith();
      expect(await authenticate(connectEvent({ headers }))).to.deep.equal({ refused: refusals.originNotAllowed() });
      expect(asked).to.deep.equal([]);
    });

    it(`accepts ${name} with an allowed origin, or where every origin is allowed`, async () => {
      const allowed = connectEvent({ headers: { ...headers, origin } });
      expect(await authenticatorWith().authenticate(allowed)).to.deep.equal({ user: "42" });
      const { authenticate } = authenticatorWith(undefined, null);
      expect(await authenticate(connectEvent({ headers }))).to.deep.equal({ user: "42" });
    });
  }

  it("answers when what proved the user ends", async () => {
    const expiresAt = now / 1000 + 1;
    const { authenticate } = authenticatorWith(() => ({ code: "42", expiresAt, name: "Ada" }));
    expect(await authenticate(connectEvent({}))).to.deep.equal({ user: "42", expiresAt });
  });

  for (const [name, answer, detail] of [
    ["null", null, "authenticate answered null"],
    ["what has ended", { code: "42", expiresAt: now / 1000 }, "the expiresAt of authenticate has passed"],
  ] as const) {
    it(`refuses the handshake with 401 where the callback answers ${name}`, async () => {
      const { authenticate } = authenticatorWith(() => answer);
      expect(await authenticate(connectEvent({}))).to.deep.equal({ refused: refusals.notAccepted(detail) });
    });
  }

  for (const [answer, got] of [
    [undefined, "undefined"],
    [true, "of type boolean"],
    ["42", "of type string"],
    [{}, "an object whose code is undefined"],
    [{ code: null }, "an object whose code is null"],
    [{ code: 42 }, "an object whose code is of type number"],
    [{ code: "" }, "an object whose code is an empty string"],
  ] as const) {
    it(`throws where the callback answers ${JSON.stringify(answer)}`, async () => {
      const { authenticate } = authenticatorWith(() => answer);
      expect((await refusal(authenticate(connectEvent({})))).message).to.equal(
        `authenticate answered ${got}; allowed: null, or { code } with a non-empty string`,
      );
    });
  }

  for (const [expiresAt, got] of [
    [null, "null"],
    ["1700000600", "of type string"],
    [Number.NaN, "NaN"],
    [-1, "-1"],
    [1_700_000_600_000, "1700000600000"],
  ] as const) {
    it(`throws where the callback answers an expiresAt of ${JSON.stringify(expiresAt)}`, async () => {
      const { authenticate } = authenticatorWith(() => ({ code: "42", expiresAt }));
      expect((await refusal(authenticate(connectEvent({})))).message).to.equal(
        `authenticate answered an expiresAt of ${got}; allowed: epoch seconds, or none`,
      );
    });
  }

  const authorization = "Bearer secret.secret";
  const hidden = "Error: [credential] is bad";
  for (const [name, headers, thrown, text] of [
    [
      "the token",
      { authorization },
      new TypeError("secret.secret is not secret.secret"),
      "TypeError: [credential] is not [credential]",
    ],
    ["what is thrown as text", { authorization }, "secret.secret is bad", "[credential] is bad"],
    [
      "a cookie",
      { cookie: "sid=abcdefgh", origin },
      new Error("no session abcdefgh"),
      "Error: no session [credential]",
    ],
    ["a header of the callback's own", { "X-Api-Key": "k-12345678" }, new Error("k-12345678 is bad"), hidden],
    [
      "a token as subprotocol, besides an Authorization header",
      { "sec-websocket-protocol": "websocket-relay.bearer.abcdefgh", authorization, origin },
      new Error("abcdefgh is bad"),
      hidden,
    ],
    [
      "all of a credential that holds another",
      { cookie: "a=abcdefgh; b=abcdefgh.ijklmnop", origin },
      new Error("abcdefgh.ijklmnop is bad"),
      hidden,
    ],
    [
      "a second cookie of the same name",
      { cookie: "sid=1; sid=abcdefgh", origin },
      new Error("abcdefgh is bad"),
      hidden,
    ],
    ["a cookie without its quotes", { cookie: 'sid="abcdefgh"', origin }, new Error("abcdefgh is bad"), hidden],
    ["a cookie that is not decoded", { cookie: "sid=abcd%3Defgh", origin }, new Error("abcd%3Defgh is bad"), hidden],
    ["another scheme", { authorization: "Basic YTpiYzpk" }, new Error("bad YTpiYzpk"), "Error: bad [credential]"],
  ] as [string, Record<string, string>, unknown, string][]) {
    it(`throws what the callback throws as text that hides ${name}`, async () => {
      const { authenticate } = authenticatorWith(() => {
        throw thrown;
      });
      const error = await refusal(authenticate(connectEvent({ headers })));
      expect(error.message).to.equal(`authenticate threw ${text}`);
      expect(error.cause).to.equal(undefined);
    });
  }

  it("throws what the callback throws as text that hides the query, but for the context", async () => {
    const { authenticate } = authenticatorWith(() => {
      throw new Error("ticket abcd1234 is not for great-room 12345678");
    });
    const query = { context: "great-room", contextId: "12345678", ticket: "abcd1234" };
    const { message } = await refusal(authenticate(connectEvent({ query })));
    expect(message).to.equal("authenticate threw Error: ticket [credential] is not for great-room 12345678");
  });

  it("does not throw a text of any length", async () => {
    const { authenticate } = authenticatorWith(() => {
      throw new Error("x".repeat(5_000));
    });
    expect((await refusal(authenticate(connectEvent({})))).message.length).to.be.below(600);
  });
});
