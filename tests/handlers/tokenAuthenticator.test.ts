import { expect } from "chai";
import { refusals } from "../../handlers/refusals";
import { tokenAuthenticator } from "../../handlers/tokenAuthenticator";
import type { TokenVerifier } from "../../handlers/tokenVerifier";
import { refusal } from "../refusal";
import { connectEvent } from "./events";

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
    it(`refuses ${name} without an origin and from another, and verifies no token`, async () => {
      const { authenticate, asked } = authenticatorWith();
      for (const more of [{}, { origin: `${origin}.evil.test` }, { origin: "null" }] as Record<string, string>[]) {
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

  for (const [name, headers, message] of [
    ["no credential", {}, "there is no token: neither a Bearer, nor a subprotocol, nor a cookie"],
    [
      "a bad Bearer beside a good cookie",
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
