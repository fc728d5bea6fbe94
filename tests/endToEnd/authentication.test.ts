import { once } from "node:events";
import { expect } from "chai";
import { WebSocket } from "ws";
import { BEARER_SUBPROTOCOL_PREFIX, SUBPROTOCOLS } from "../../protocol";
import { startProgram } from "./program";
import { recipient, Relay } from "./relay";

const origin = "https://app.relay.dev";

describe("a token as a WebSocket subprotocol", () => {
  let relay: Relay;
  before(async () => {
    const allowedOrigins =
      'allowedOrigins=["https://app.relay.dev","https://*.preview.relay.dev","capacitor://localhost","file://"]';
    relay = await Relay.start(["--time-scale", "60", "--config", allowedOrigins]);
  });
  after(() => relay.stop());

  /** A handshake as a browser makes it: it can offer subprotocols, and sets no header but the origin. `null`: none. */
  const offer = async (protocols: string[], from: string | null = origin) => {
    const socket = new WebSocket(relay.url(recipient()), protocols, {
      headers: { ...(from !== null && { origin: from }) },
    });
    const answered = await Promise.race([
      once(socket, "open").then(() => 101),
      once(socket, "unexpected-response").then(([, response]: { statusCode?: number }[]) => response?.statusCode),
    ]);
    const { protocol } = socket;
    socket.on("error", () => undefined).terminate();
    return { answered, protocol };
  };

  it("is accepted with the raw subprotocol, and only the raw subprotocol is answered", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    expect(await offer([bearer, SUBPROTOCOLS.raw])).to.deep.equal({ answered: 101, protocol: SUBPROTOCOLS.raw });
  });

  it("is accepted as the only subprotocol, and is answered", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    expect(await offer([bearer])).to.deep.equal({ answered: 101, protocol: bearer });
  });

  it("is accepted without an origin, and its client gets messages", async () => {
    const to = recipient();
    const protocols = [SUBPROTOCOLS.raw, `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token(to.user)}`];
    const client = await relay.connectByUrl(relay.url(to), {}, protocols);
    await relay.publish(to, "hello");
    await client.message("hello");
  });

  it("is refused with 403 from another origin, from null, and with an empty one", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    for (const from of [
      "https://evil.dev",
      "null",
      "",
      "https://relay.dev",
      "file:///home",
      "https://a.b.preview.relay.dev",
    ]) {
      expect((await offer([bearer, SUBPROTOCOLS.raw], from)).answered, from).to.equal(403);
    }
  });

  it("is accepted from an app's own scheme, a file, a subdomain that a wildcard allows, and the API's own origin", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    // What React Native sends of the address that it connects to.
    const own = relay.addresses.websocketUrl.replace(/^ws/, "http").replace(/(:\/\/[^/]+).*/, "$1");
    for (const from of ["capacitor://localhost", "file://", "https://pr-7.preview.relay.dev", own]) {
      expect((await offer([bearer, SUBPROTOCOLS.raw], from)).answered, from).to.equal(101);
    }
  });

  it("is refused with 401 if the issuer did not sign it", async () => {
    const protocols = [`${BEARER_SUBPROTOCOL_PREFIX}a.b.c`, SUBPROTOCOLS.raw];
    expect((await offer(protocols)).answered).to.equal(401);
    expect((await offer(protocols, null)).answered).to.equal(401);
  });

  it("is refused with 400 if no offered subprotocol is the relay's", async () => {
    expect((await offer(["graphql-ws"])).answered).to.equal(400);
  });

  it("is not logged", async () => {
    const token = await relay.token("42");
    const from = relay.lines.length;
    await offer([`${BEARER_SUBPROTOCOL_PREFIX}${token}`]);
    await relay.line((line) => line.includes('"event":"connected"'), from);
    expect(relay.lines.join("\n")).not.to.include(token.split(".")[1]);
  });
});

describe("a custom authenticate function", () => {
  let relay: Relay;
  before(async () => {
    relay = await startProgram(`
      const relay = new WebsocketRelay("relay", {
        auth: {
          authenticate: async ({ token, query }) => {
            if (token === "a-broken-credential") throw new Error("no such tenant: " + token);
            if (token === "odd") return "42" as never;
            return token?.startsWith("key-") ? { code: query.tenant + "/" + token.slice(4) } : null;
          },
        },
        allowedOrigins: ["${origin}"],
      });`);
  });
  after(() => relay.stop());

  const open = (token: string | undefined, headers: Record<string, string> = {}) =>
    relay.handshake(`${relay.url(recipient())}&tenant=acme`, {
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    });

  it("sets the user who gets the messages", async () => {
    const url = `${relay.addresses.websocketUrl}?context=chat&contextId=9&tenant=acme`;
    const socket = new WebSocket(url, { headers: { authorization: "Bearer key-42" } });
    const message = once(socket, "message");
    await once(socket, "open");
    await relay.publish({ user: "acme/42", context: "chat", contextId: "9" }, "for 42 of acme");
    expect(String((await message)[0])).to.equal("for 42 of acme");
    socket.terminate();
  });

  it("refuses a handshake with 401 if it answers null, and if there is no credential", async () => {
    expect((await open("unknown")).status).to.equal(401);
    expect((await open(undefined)).status).to.equal(401);
  });

  it("answers 500 if it throws or returns another type, and logs internal-error without the token", async () => {
    expect((await open("a-broken-credential")).status).to.equal(500);
    expect((await open("odd")).status).to.equal(500);
    await relay.log({ event: "refused", reason: "internal-error" });
    expect(relay.lines.join("\n")).not.to.include("a-broken-credential");
  });

  it("is not called for a page of another origin", async () => {
    expect((await open("key-42", { origin: "https://evil.dev" })).status).to.equal(403);
    expect((await open("key-42", { origin })).status).to.equal(101);
    expect((await open("key-42", { cookie: "session=1" })).status).to.equal(403);
  });

  it("is called for a subprotocol token without an origin, unless there is a cookie", async () => {
    const offer = async (headers: Record<string, string>) => {
      const protocols = [SUBPROTOCOLS.raw, `${BEARER_SUBPROTOCOL_PREFIX}key-42`];
      return (await relay.handshake(`${relay.url(recipient())}&tenant=acme`, { headers }, protocols)).status;
    };
    expect(await offer({})).to.equal(101);
    expect(await offer({ cookie: "session=1" })).to.equal(403);
    expect(await offer({ cookie: "session=1", origin })).to.equal(101);
  });
});

describe("a relay without authentication", () => {
  let relay: Relay;
  before(async () => {
    relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth: null });`);
  });
  after(() => relay.stop());

  it("delivers to the user that the client names", async () => {
    const to = recipient();
    const client = await relay.connectByUrl(`${relay.url(to)}&user=${to.user}`);
    await relay.publish(to, "hello");
    await client.message("hello");
  });

  it("refuses a client that names no user with 400", async () => {
    expect((await relay.handshake(relay.url(recipient()), {})).status).to.equal(400);
  });
});

describe("a session that ends with its token", () => {
  let relay: Relay;
  before(async () => {
    const flags = ["--time-scale", "60"];
    const program = `const relay = new WebsocketRelay("relay", { auth: { ...auth, endSessionWithToken: true } });`;
    relay = await startProgram(program, flags);
  });
  after(() => relay.stop());

  it("is deleted by the sweep, which also closes its connections and leaves a session whose token is valid", async () => {
    const [to, staying] = [recipient(), recipient()];
    const stays = await relay.connect(staying);
    const expiring = { headers: { authorization: `Bearer ${await relay.token(to.user, "&expiresInSeconds=4")}` } };
    const [first, second] = [
      await relay.connectByUrl(relay.url(to), expiring),
      await relay.connectByUrl(relay.url(to), expiring),
    ];
    await Promise.all([once(first.socket, "close"), once(second.socket, "close")]);
    await relay.untilNoSession(to);
    expect(stays.socket.readyState).to.equal(WebSocket.OPEN);
    expect(Object.keys((await relay.session(staying)) ?? {})).to.include("token_expires_at");
  });
});
