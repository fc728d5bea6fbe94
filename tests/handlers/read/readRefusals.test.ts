import { expect } from "chai";
import { callbackAuthenticator } from "../../../handlers/connect/auth/callbackAuthenticator";
import { queryAuthenticator } from "../../../handlers/connect/auth/queryAuthenticator";
import { tokenAuthenticator } from "../../../handlers/connect/auth/tokenAuthenticator";
import type { TokenVerifier } from "../../../handlers/connect/auth/tokenVerifier";
import type { AuthenticateHandshake } from "../../../handlers/connect/auth/authenticate";
import { store } from "../frames/frameSetUp";
import { key, now, segmentOf } from "../history/segments";
import { type Asked, setUp } from "./readSetUp";

const page = "https://app.test";
const allowedOrigins = [page, "https://*.example.com"];
const bearer = { authorization: "Bearer t0k3n.of.user" };

/** The function where tokens are verified: `t0k3n.of.user` is valid. */
function withTokens() {
  const verified: string[] = [];
  const verify: TokenVerifier = (token) => {
    verified.push(token);
    const user = { user: "42", expiresAt: 1_700_000_600 };
    return Promise.resolve(token === "t0k3n.of.user" ? user : { refused: "the signature is not valid" });
  };
  const authenticator = tokenAuthenticator({ verify, cookieName: "token", allowedOrigins });
  return { ...setUp({ authenticator, allowedOrigins }), verified };
}

interface Problem {
  title: string;
  status: number;
  reason: string;
  detail: string;
}

const problemOf = (body: string) => JSON.parse(body) as Problem;

describe("a read over HTTP, refused", () => {
  describe("answers 400 for a request that it cannot understand, and names the fix", () => {
    const session = "context=chat&contextId=7";
    for (const [query, detail] of [
      ["", "the query parameter context is missing"],
      ["context=chat", "the query parameter contextId is missing"],
      ["contextId=7", "the query parameter context is missing"],
      ["context=&contextId=7", "context is empty"],
      ["context=a%23b&contextId=7", "context contains #"],
      [`${session}&contextId=8`, "contextId is given more than once"],
      [`${session}&offset=`, 'offset: got ""; allowed: -1, now, or the Stream-Next-Offset of an earlier answer'],
      [`${session}&offset=-1&offset=-1`, "offset is given more than once"],
      [`${session}&offset=0,1`, 'offset: got "0,1"'],
      [`${session}&offset=-2`, 'offset: got "-2"'],
      [`${session}&offset=17`, 'offset: got "17"'],
      [`${session}&offset=NOW`, 'offset: got "NOW"'],
      [`${session}&offset=0000000000000001_`, 'offset: got "0000000000000001_"'],
      [`${session}&offset=9999999999999999_e1`, 'offset: got "9999999999999999_e1"'],
      [`${session}&offset=0000000000000001_e%201`, 'offset: got "0000000000000001_e 1"'],
      [`${session}&offset=${"x".repeat(5_000)}`, `offset: got "${"x".repeat(100)}";`],
      [`${session}&live=long-poll&offset=-1`, 'live: got "long-poll"; allowed: none'],
      [`${session}&live=sse&offset=now`, 'live: got "sse"; allowed: none'],
      [`${session}&live=`, 'live: got ""; allowed: none'],
    ] as const) {
      it(query.slice(0, 60) || "no query", async () => {
        const { ask, table, history, metrics } = setUp();
        const { statusCode, headers, body } = await ask({ query });
        const problem = problemOf(body);
        expect(statusCode).to.equal(400);
        expect(problem).to.include({ title: "Bad Request", status: 400 });
        expect(problem.detail)
          .to.include(detail)
          .and.match(/\. Fix: .{20}/);
        expect(problem.detail.length, "a long input is not repeated").to.be.below(500);
        expect(headers).to.include({ "Content-Type": "application/problem+json", "Cache-Control": "no-store" });
        expect([...table.calls, ...history.calls], "no table is asked").to.deep.equal([]);
        const reason = query.includes("live=") ? "live-not-supported" : "bad-request";
        expect(metrics.flushes).to.deep.equal([[{ name: "HttpReadsRefused", value: 1, reason }]]);
      });
    }

    it("a user's code that is no key, with authentication off", async () => {
      const { ask } = setUp({ authenticator: queryAuthenticator });
      for (const [user, detail] of [
        ["", "the query parameter user is missing"],
        ["&user=", "user is empty"],
        ["&user=1&user=2", "user is given more than once"],
      ]) {
        const { statusCode, body } = await ask({ query: `context=chat&contextId=7${user}` });
        expect([statusCode, problemOf(body).reason]).to.deep.equal([400, "bad-request"]);
        expect(problemOf(body).detail).to.include(`${detail}. Fix: `);
      }
    });
  });

  it("reads as the user that the query names, with authentication off", async () => {
    const { ask, history } = setUp({ authenticator: queryAuthenticator });
    await store(history, segmentOf(1));
    const { body } = await ask({ query: "context=chat&contextId=7&user=42" });
    expect(JSON.parse(body)).to.have.length(1);
    expect((await ask({ query: "context=chat&contextId=7&user=43" })).body).to.equal("[]");
  });

  it("takes every context and contextId that a client may connect with, percent-encoded", async () => {
    const { ask, history } = setUp();
    for (const [context, contextId] of [
      ["a/b", "c/../d"],
      ["a,b", "1,2"],
      ["ä €", "😀 %2F+&=?#"],
    ] as const) {
      history.log({ callerId: "user#42", context: `${context}#${contextId}` }).segments.set(1, segmentOf(1));
      const query = `context=${encodeURIComponent(context)}&contextId=${encodeURIComponent(contextId)}`;
      expect(JSON.parse((await ask({ query })).body), query).to.have.length(1);
    }
  });

  describe("answers 401", () => {
    for (const [name, event, reason, detail] of [
      ["without a token", {}, "no-credential", "there is no token in the Authorization header"],
      [
        "with another scheme",
        { headers: { authorization: "Basic dXNlcjpwYXNz" } },
        "no-credential",
        "there is no token in the Authorization header",
      ],
      [
        "with two tokens",
        { headers: { authorization: "Bearer t0k3n.of.user,Bearer t0k3n.of.user" } },
        "no-credential",
        "the Authorization header is malformed",
      ],
      [
        "with a token in a cookie, which any page could have sent",
        { headers: { cookie: "token=t0k3n.of.user" }, cookies: ["token=t0k3n.of.user"] },
        "no-credential",
        "there is no token in the Authorization header",
      ],
      [
        "with a token in a subprotocol",
        { headers: { "sec-websocket-protocol": "websocket-relay.bearer.t0k3n.of.user" } },
        "no-credential",
        "there is no token in the Authorization header",
      ],
      [
        "with a token that is not valid",
        { headers: { authorization: "Bearer t0k3n.of.other" } },
        "token-refused",
        "the credential is not accepted",
      ],
    ] as [string, Asked, string, string][]) {
      it(name, async () => {
        const { ask, history, log } = withTokens();
        const { statusCode, headers, body } = await ask(event);
        expect(statusCode).to.equal(401);
        expect(headers).to.include({ "WWW-Authenticate": "Bearer", "Cache-Control": "no-store" });
        expect(problemOf(body)).to.include({ title: "Unauthorized", status: 401, reason });
        expect(problemOf(body).detail).to.match(new RegExp(`^${detail}\\. Fix: `));
        expect(body).not.to.include("signature");
        expect(history.calls).to.deep.equal([]);
        expect(log.lines[0]).to.include({ level: "warn", event: "refused", requestId: "r1", statusCode, reason });
        expect(log.text).not.to.include("t0k3n").and.not.to.include("dXNlcjpwYXNz");
      });
    }

    it("but reads with a valid token, of whose refusal the log has the cause", async () => {
      const { ask, log, verified } = withTokens();
      expect((await ask({ headers: bearer })).statusCode).to.equal(200);
      expect(verified).to.deep.equal(["t0k3n.of.user"]);
      await ask({ headers: { authorization: "Bearer other" } });
      expect(log.lines[1]).to.include({ reason: "token-refused", detail: "the signature is not valid" });
    });
  });

  it("asks an own callback as connect does, but shows it no cookie", async () => {
    const given: AuthenticateHandshake[] = [];
    const authenticator = callbackAuthenticator({
      authenticate: (handshake) => (given.push(handshake), Promise.resolve(handshake.token ? { code: "42" } : null)),
      cookieName: "token",
      allowedOrigins,
    });
    const { ask, history } = setUp({ authenticator, allowedOrigins });
    await store(history, segmentOf(1));
    const headers = { ...bearer, "x-key": "k", cookie: "token=other" };
    expect(JSON.parse((await ask({ headers, cookies: ["token=other"] })).body)).to.have.length(1);
    expect(given).to.deep.equal([
      {
        headers: { host: "api.test", authorization: bearer.authorization, "x-key": "k" },
        query: { context: "chat", contextId: "7" },
        cookies: {},
        token: "t0k3n.of.user",
        sourceIp: "192.0.2.1",
      },
    ]);
    expect((await ask({ headers: { cookie: "token=t0k3n.of.user" } })).statusCode).to.equal(401);
  });

  describe("answers 403", () => {
    for (const origin of ["https://elsewhere.test", "https://app.test.elsewhere.test", "null", `${page},${page}`, ""]) {
      it(`to the origin ${JSON.stringify(origin)}, with whatever token`, async () => {
        const { ask, history, verified } = withTokens();
        for (const method of ["GET", "HEAD", "OPTIONS", "POST"]) {
          const { statusCode, headers, body } = await ask({ method, headers: { ...bearer, origin } });
          expect(statusCode, method).to.equal(403);
          expect(headers).not.to.have.property("Access-Control-Allow-Origin");
          expect(headers).to.include({ Vary: "Origin" });
          if (method !== "HEAD") expect(problemOf(body)).to.include({ status: 403, reason: "origin-not-allowed" });
        }
        expect([...verified, ...history.calls]).to.deep.equal([]);
      });
    }

    it("to a blocked user, until the block ends", async () => {
      const { ask, table, clock, log } = setUp();
      table.blocks.set(key.callerId, now / 1000 + 1);
      const { statusCode, body } = await ask();
      expect([statusCode, problemOf(body).reason]).to.deep.equal([403, "user-blocked"]);
      expect(log.lines[0]).to.include({ reason: "user-blocked", ...key });
      clock.now += 1_000;
      expect((await ask()).statusCode).to.equal(200);
    });
  });

  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    it(`answers 405 to ${method}, and which methods it takes`, async () => {
      const { ask } = setUp();
      const { statusCode, headers, body } = await ask({ method });
      expect(statusCode).to.equal(405);
      expect(headers).to.include({ Allow: "GET, HEAD, OPTIONS" });
      expect(problemOf(body)).to.include({ title: "Method Not Allowed", reason: "method-not-allowed" });
    });
  }

  describe("where the tables fail", () => {
    for (const [name, statusCode, reason] of [
      ["ProvisionedThroughputExceededException", 429, "too-many-requests"],
      ["RequestLimitExceeded", 429, "too-many-requests"],
      ["ThrottlingException", 429, "too-many-requests"],
      ["AccessDeniedException", 500, "internal-error"],
    ] as const) {
      it(`answers ${statusCode}: ${name}`, async () => {
        const { ask, history, log } = setUp();
        history.beforeCall = () => Promise.reject(Object.assign(new Error("s3cret"), { name }));
        const answer = await ask();
        expect(answer.statusCode).to.equal(statusCode);
        expect(answer.headers["Retry-After"]).to.equal(statusCode === 429 ? "1" : undefined);
        expect(problemOf(answer.body)).to.include({ status: statusCode, reason });
        expect(answer.body).not.to.include("s3cret");
        expect(log.lines[0]).to.include({ level: statusCode === 500 ? "error" : "warn", error: name });
      });
    }

    it("answers 500 before its own time is up", async () => {
      const { ask, history, log } = setUp();
      history.beforeCall = () => new Promise(() => undefined);
      expect((await ask({}, 1_001)).statusCode).to.equal(500);
      expect(log.lines[0]).to.include({ outOfTime: true });
    });

    it("answers 500 if the block cannot be read", async () => {
      const { ask, table } = setUp();
      table.failing.add("blockedUntil");
      expect((await ask()).statusCode).to.equal(500);
    });
  });

  it("answers a HEAD that it refuses without a body", async () => {
    const { ask } = setUp();
    const { statusCode, body } = await ask({ method: "HEAD", query: "" });
    expect([statusCode, body]).to.deep.equal([400, ""]);
  });
});

describe("a read over HTTP, by a page", () => {
  const preflight = { "access-control-request-method": "GET", "access-control-request-headers": "authorization" };

  for (const origin of [page, "https://a.example.com"]) {
    it(`is allowed by the answer to its preflight, without asking who reads: ${origin}`, async () => {
      const { ask, verified, metrics } = withTokens();
      const { statusCode, headers, body } = await ask({ method: "OPTIONS", headers: { ...preflight, origin } });
      expect([statusCode, body]).to.deep.equal([204, ""]);
      expect(headers).to.include({
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": "GET, HEAD",
        "Access-Control-Allow-Headers": "Authorization, *",
        "Access-Control-Max-Age": "7200",
        Vary: "Origin",
      });
      expect([...verified, ...metrics.flushes]).to.deep.equal([]);
    });

    it(`may see the answer, and the protocol's headers, also where it is refused: ${origin}`, async () => {
      const { ask } = withTokens();
      for (const [headers, expected] of [
        [bearer, 200],
        [{}, 401],
      ] as const) {
        const { statusCode, headers: answered } = await ask({ headers: { ...headers, origin } });
        expect(statusCode).to.equal(expected);
        expect(answered).to.include({
          "Access-Control-Allow-Origin": origin,
          "Access-Control-Expose-Headers": "ETag, Retry-After, Stream-Next-Offset, Stream-Up-To-Date",
          Vary: "Origin",
        });
        expect(answered).not.to.have.property("Access-Control-Allow-Credentials");
      }
    });
  }

  it("is allowed from every origin, if the relay checks none", async () => {
    const { ask } = setUp();
    for (const origin of ["https://elsewhere.test", "null"]) {
      const { statusCode, headers } = await ask({ method: "OPTIONS", headers: { ...preflight, origin } });
      expect(statusCode).to.equal(204);
      expect(headers).to.include({ "Access-Control-Allow-Origin": "*" }).and.not.to.have.property("Vary");
    }
  });

  it("needs no origin: other clients send none", async () => {
    const { ask } = withTokens();
    const { statusCode, headers } = await ask({ headers: bearer });
    expect(statusCode).to.equal(200);
    expect(headers).to.include({ Vary: "Origin" }).and.not.to.have.property("Access-Control-Allow-Origin");
  });
});
