import { expect } from "chai";
import { refusals } from "../../../../handlers/connect/refusals";
import { tokenAuthenticator } from "../../../../handlers/connect/auth/tokenAuthenticator";
import { SigningKeysError, type TokenVerifier } from "../../../../handlers/connect/auth/tokenVerifier";
import { refusal } from "../../../support/refusal";
import { connectEvent } from "../../../support/events";

const origin = "https://app.test";
const verified = { user: "42", expiresAt: 1_700_000_600 };

function authenticatorWith(
  verify: TokenVerifier = () => Promise.resolve(verified),
  allowedOrigins: string[] | null = [origin],
) {
  const asked: string[] = [];
  const authenticator = tokenAuthenticator({
    verify: (token) => (asked.push(token), verify(token)),
    cookieName: "token",
    allowedOrigins,
  });
  return {
    asked,
    authenticator,
    authenticate: (headers: Record<string, string>) => authenticator.authenticate(connectEvent({ headers })),
  };
}

describe("tokenAuthenticator", () => {
  const asBearer = { authorization: "Bearer t" };
  const asCookie = { cookie: "token=t" };
  const asSubprotocol = { "sec-websocket-protocol": "websocket-relay.raw, websocket-relay.bearer.t" };

  for (const [name, headers] of [
    ["a Bearer token without an origin", asBearer],
    ["a Bearer token from any origin", { ...asBearer, origin: "https://elsewhere.test" }],
    ["the cookie from an allowed origin", { ...asCookie, origin }],
    ["the subprotocol from an allowed origin", { ...asSubprotocol, origin }],
    ["the subprotocol without an origin, as Node, Bun, Deno and Workers offer it", asSubprotocol],
    [
      "the subprotocol without an origin, with a cookie that it does not look at",
      { ...asSubprotocol, cookie: "token=c" },
    ],
  ] as const) {
    it(`accepts ${name}`, async () => {
      const { authenticate, asked } = authenticatorWith();
      expect(await authenticate(headers)).to.deep.equal(verified);
      expect(asked).to.deep.equal(["t"]);
    });
  }

  for (const [name, headers] of [
    ["the cookie", asCookie],
    ["the subprotocol", asSubprotocol],
  ] as const) {
    it(`refuses ${name} from an origin that is another, null or empty, and verifies no token`, async () => {
      const { authenticate, asked } = authenticatorWith();
      for (const more of [{ origin: `${origin}.evil.test` }, { origin: "null" }, { origin: "" }]) {
        expect(await authenticate({ ...headers, ...more })).to.deep.equal({ refused: refusals.originNotAllowed() });
      }
      expect(asked).to.deep.equal([]);
    });

    it(`accepts ${name} from anywhere where every origin is allowed`, async () => {
      const { authenticate } = authenticatorWith(undefined, null);
      for (const more of [{}, { origin: "https://elsewhere.test" }] as Record<string, string>[]) {
        expect(await authenticate({ ...headers, ...more })).to.deep.equal(verified);
      }
    });
  }

  it("refuses the cookie without an origin, and verifies no token", async () => {
    const { authenticate, asked } = authenticatorWith();
    expect(await authenticate(asCookie)).to.deep.equal({ refused: refusals.originNotAllowed() });
    expect(asked).to.deep.equal([]);
  });

  it("refuses two origins with the subprotocol, one of them allowed", async () => {
    const { authenticator } = authenticatorWith();
    const event = connectEvent({ headers: asSubprotocol, multiValueHeaders: { Origin: [origin, origin] } });
    const protocol = { "Sec-WebSocket-Protocol": ["websocket-relay.bearer.t"] };
    event.multiValueHeaders = { ...event.multiValueHeaders, ...protocol };
    expect(await authenticator.authenticate(event)).to.deep.equal({ refused: refusals.originNotAllowed() });
  });

  it("refuses a bad subprotocol without an origin with 401, with any cookie", async () => {
    const verify: TokenVerifier = (token) => Promise.resolve(token === "good" ? verified : { refused: "not a JWT" });
    const { authenticate, asked } = authenticatorWith(verify);
    const { refused } = await authenticate({ ...asSubprotocol, cookie: "token=good" });
    expect(refused).to.deep.equal(refusals.notAccepted("not a JWT"));
    expect(asked).to.deep.equal(["t"]);
  });

  describe("with several cookies of one name", () => {
    const other = { user: "43", expiresAt: 1_700_000_700 };
    const verify: TokenVerifier = (token) => {
      if (token === "unjudgeable") return Promise.reject(new SigningKeysError("keys down"));
      const known: Record<string, typeof verified> = { good: verified, other };
      return Promise.resolve(known[token] ?? { refused: `${token} is refused` });
    };
    const withCookies = (...values: string[]) => {
      const { authenticate, asked } = authenticatorWith(verify);
      const cookie = values.map((value) => `token=${value}`).join("; ");
      return { answer: authenticate({ cookie, origin }), asked };
    };

    for (const [what, values, tokens] of [
      ["one expired and one good", ["expired", "good"], ["expired", "good"]],
      ["one good and one expired", ["good", "expired"], ["good", "expired"]],
      ["the same one twice", ["good", "good"], ["good"]],
      ["the same one with quotes and without", ['"good"', "good"], ["good"]],
      ["an empty one first", ["", "good"], ["good"]],
      ["the fourth of them good", ["a", "b", "a", "c", "good"], ["a", "b", "c", "good"]],
      ["a good one that another has with Bearer before it", ["Bearer good", "good"], ["good"]],
    ] as const) {
      it(`accepts ${what}`, async () => {
        const { answer, asked } = withCookies(...values);
        expect(await answer).to.deep.equal(verified);
        expect(asked).to.deep.equal(tokens);
      });
    }

    it("refuses two valid ones as ambiguous, of any users", async () => {
      const { answer } = withCookies("good", "expired", "other");
      expect(await answer).to.deep.equal({ refused: refusals.ambiguousCookie("token", 2) });
      const sameUser = authenticatorWith(() => Promise.resolve(verified));
      const { refused } = await sameUser.authenticate({ cookie: "token=a; token=b", origin });
      expect(refused).to.include({ statusCode: 401, reason: "ambiguous-cookie" });
      expect(refused?.detail)
        .to.include("the cookie token")
        .and.not.match(/good|other/);
    });

    it("refuses more than four different ones as ambiguous and verifies none, with a valid one at any position", async () => {
      for (const values of [
        ["a", "b", "c", "d", "good"],
        ["a", "b", "c", "other", "good"],
        ["good", "a", "b", "c", "d", "e"],
      ]) {
        const { answer, asked } = withCookies(...values);
        expect(await answer).to.deep.equal({ refused: refusals.tooManyCookies("token", values.length) });
        expect((await answer).refused).to.include({ statusCode: 401, reason: "ambiguous-cookie" });
        expect(asked).to.deep.equal([]);
      }
    });

    it("refuses with every reason where none is valid", async () => {
      const { answer } = withCookies("a", "b", "a");
      expect(await answer).to.deep.equal({ refused: refusals.notAccepted("a is refused; b is refused") });
    });

    it("throws where one of them cannot be judged, since it may be the valid one", async () => {
      for (const values of [
        ["good", "unjudgeable"],
        ["unjudgeable", "expired"],
      ]) {
        const { answer } = withCookies(...values);
        expect(await refusal(answer)).to.be.instanceOf(SigningKeysError);
      }
    });
  });

  for (const value of ["Bearer a.b.c", "bearer%20a.b.c", '"Bearer a.b.c"', '"Bearer%20a.b.c"']) {
    it(`says in the log that the cookie ${value} begins with "Bearer ", without the token`, async () => {
      const { authenticate, asked } = authenticatorWith();
      const { refused } = await authenticate({ cookie: `token=${value}`, origin });
      expect(refused).to.include({ statusCode: 401, reason: "token-refused" });
      expect(refused?.detail).to.include('begins with "Bearer "').and.not.include("a.b.c");
      expect(asked).to.deep.equal([]);
    });
  }

  for (const [name, headers, message] of [
    ["no credential", {}, "there is no token: neither a Bearer, nor a subprotocol, nor a cookie"],
    [
      "a bad Bearer and a good cookie",
      { ...asCookie, authorization: "Bearer" },
      "the Authorization header is malformed",
    ],
  ] as const) {
    it(`refuses ${name}, and verifies no token`, async () => {
      const { authenticate, asked } = authenticatorWith();
      expect(await authenticate({ origin, ...headers })).to.deep.equal({ refused: refusals.noCredential(message) });
      expect(asked).to.deep.equal([]);
    });
  }

  it("refuses a token that is refused, with why for the log alone", async () => {
    const { authenticate } = authenticatorWith(() => Promise.resolve({ refused: "Token expired" }));
    const { refused } = await authenticate(asBearer);
    expect(refused).to.deep.equal(refusals.notAccepted("Token expired"));
    expect(refused?.message).not.to.contain("expired");
  });

  it("throws where the token cannot be judged", async () => {
    const { authenticate } = authenticatorWith(() => Promise.reject(new Error("keys down")));
    expect((await refusal(authenticate(asBearer))).message).to.equal("keys down");
  });
});
