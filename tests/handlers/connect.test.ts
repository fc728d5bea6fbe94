import { expect } from "chai";
import type { Authenticator } from "../../handlers/authenticate";
import { connect } from "../../handlers/connect";
import type { Handshake } from "../../handlers/handshake";
import { MemorySessions, RecordedLog } from "./boundaries";
import { connectEvent } from "./events";

const Authorization = "Bearer secret.secret.secret";
const row = {
  callerId: "user#42",
  context: "chat#7",
  connectionId: "c1",
  connectedAt: 1_700_000_000_500,
  expirationDate: 1_700_010_800,
};

function handlerWith(authenticate: Authenticator["authenticate"] = () => Promise.resolve({ user: "42" })) {
  const sessions = new MemorySessions();
  const log = new RecordedLog();
  const asked: string[] = [];
  const handle = connect({
    authenticator: { authenticate: (token) => (asked.push(token), authenticate(token)) },
    sessions,
    allowedOrigins: ["https://app.test"],
    cookieName: "token",
    sessionTtlSeconds: 10_800,
    log,
  });
  return {
    sessions,
    log,
    asked,
    handle: async (event: Handshake) => {
      const { statusCode, body } = await handle(event);
      return { statusCode, ...(JSON.parse(body) as { message: string }) };
    },
  };
}

describe("connect", () => {
  it("saves the session and answers 200", async () => {
    const { handle, sessions } = handlerWith();
    expect(await handle(connectEvent({ headers: { Authorization } }))).to.deep.equal({
      statusCode: 200,
      message: "connected",
    });
    expect([...sessions.rows.values()]).to.deep.equal([row]);
  });

  it("replaces the session of an older connection", async () => {
    const { handle, sessions } = handlerWith();
    sessions.put({ ...row, connectionId: "c0", connectedAt: row.connectedAt - 1 });
    expect((await handle(connectEvent({ headers: { Authorization } }))).statusCode).to.equal(200);
    expect([...sessions.rows.values()]).to.deep.equal([row]);
  });

  it("answers 409 and leaves the session to a newer connection", async () => {
    const { handle, sessions } = handlerWith();
    const newer = { ...row, connectionId: "c2", connectedAt: row.connectedAt + 1 };
    sessions.put(newer);
    expect((await handle(connectEvent({ headers: { Authorization } }))).statusCode).to.equal(409);
    expect([...sessions.rows.values()]).to.deep.equal([newer]);
  });

  it("does not ask for the origin beside an Authorization header", async () => {
    const { handle } = handlerWith();
    const event = connectEvent({ headers: { Authorization, Origin: "https://elsewhere.test" } });
    expect((await handle(event)).statusCode).to.equal(200);
  });

  it("accepts the cookie from an allowed origin", async () => {
    const { handle, asked } = handlerWith();
    const event = connectEvent({ headers: { cookie: "token=t", origin: "https://app.test" } });
    expect((await handle(event)).statusCode).to.equal(200);
    expect(asked).to.deep.equal(["t"]);
  });

  for (const [name, event, expected] of [
    [
      "400 first of all",
      connectEvent({ query: null }),
      { statusCode: 400, message: "the query parameter context is missing" },
    ],
    [
      "401 without a credential",
      connectEvent({}),
      { statusCode: 401, message: "there is neither a Bearer token nor a cookie" },
    ],
    [
      "401 for a bad Bearer beside a good cookie",
      connectEvent({ headers: { Authorization: "Bearer", cookie: "token=t", origin: "https://app.test" } }),
      { statusCode: 401, message: "the Authorization header is malformed" },
    ],
    [
      "403 for a cookie without an origin",
      connectEvent({ headers: { cookie: "token=t" } }),
      { statusCode: 403, message: "the origin is not allowed" },
    ],
    [
      "403 for a cookie from another origin",
      connectEvent({ headers: { cookie: "token=t", origin: "https://app.test.evil.test" } }),
      { statusCode: 403, message: "the origin is not allowed" },
    ],
  ] as const) {
    it(`answers ${name}, and verifies no token`, async () => {
      const { handle, asked, sessions } = handlerWith();
      expect(await handle(event)).to.deep.equal(expected);
      expect(asked).to.deep.equal([]);
      expect(sessions.calls).to.deep.equal([]);
    });
  }

  for (const [name, authenticate, statusCode, logged] of [
    ["401 for a refused token", () => Promise.resolve({ refused: "expired" }), 401, "expired"],
    ["401 for a user that is no key", () => Promise.resolve({ user: "u".repeat(2048) }), 401, "2053 bytes"],
    ["500 where the token cannot be judged", () => Promise.reject(new Error("keys down")), 500, "keys down"],
  ] as const) {
    it(`answers ${name}, saves nothing, and tells the log why, not the client`, async () => {
      const { handle, sessions, log } = handlerWith(authenticate);
      const answer = await handle(connectEvent({ headers: { Authorization } }));
      expect(answer.statusCode).to.equal(statusCode);
      expect(answer.message).not.to.contain(logged);
      expect(log.text).to.contain(logged);
      expect(sessions.calls).to.deep.equal([]);
    });
  }

  it("answers 500 where the table fails", async () => {
    const { handle, sessions, log } = handlerWith();
    sessions.failing.add("save");
    expect((await handle(connectEvent({ headers: { Authorization } }))).statusCode).to.equal(500);
    expect(log.lines.map(({ level }) => level)).to.deep.equal(["error"]);
  });

  it("logs no token, whatever becomes of it", async () => {
    for (const statusCode of [200, 401, 500]) {
      const { handle, log } = handlerWith(() =>
        statusCode === 500
          ? Promise.reject(new Error("down"))
          : Promise.resolve(statusCode === 200 ? { user: "42" } : { refused: "bad" }),
      );
      expect((await handle(connectEvent({ headers: { Authorization } }))).statusCode).to.equal(statusCode);
      expect(log.lines).to.have.length(1);
      expect(log.text).not.to.contain("secret");
    }
  });
});
