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

  it("is accepted beside the plain subprotocol, which alone is answered", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    expect(await offer([bearer, SUBPROTOCOLS.raw])).to.deep.equal({ answered: 101, protocol: SUBPROTOCOLS.raw });
  });

  it("is accepted alone, and answered as it was offered", async () => {
    const bearer = `${BEARER_SUBPROTOCOL_PREFIX}${await relay.token("42")}`;
    expect(await offer([bearer])).to.deep.equal({ answered: 101, protocol: bearer });
  });

  it("is accepted without an origin, from a client that sends nothing else, which gets its messages", async () => {
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

  it("is refused with 401 where it is no token of the issuer's", async () => {
    const protocols = [`${BEARER_SUBPROTOCOL_PREFIX}a.b.c`, SUBPROTOCOLS.raw];
    expect((await offer(protocols)).answered).to.equal(401);
    expect((await offer(protocols, null)).answered).to.equal(401);
  });

  it("is refused with 400 where none of what is offered is the relay's", async () => {
    expect((await offer(["graphql-ws"])).answered).to.equal(400);
  });

  it("stands in no log", async () => {
    const token = await relay.token("42");
    const from = relay.lines.length;
    await offer([`${BEARER_SUBPROTOCOL_PREFIX}${token}`]);
    await relay.line((line) => line.includes('"event":"connected"'), from);
    expect(relay.lines.join("\n")).not.to.include(token.split(".")[1]);
  });
});

describe("the user's own authentication", () => {
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

  it("decides who the user is, to whom messages then come", async () => {
    const url = `${relay.addresses.websocketUrl}?context=chat&contextId=9&tenant=acme`;
    const socket = new WebSocket(url, { headers: { authorization: "Bearer key-42" } });
    const message = once(socket, "message");
    await once(socket, "open");
    await relay.publish({ user: "acme/42", context: "chat", contextId: "9" }, "for 42 of acme");
    expect(String((await message)[0])).to.equal("for 42 of acme");
    socket.terminate();
  });

  it("refuses with 401 where it answers null, and where there is nothing to go by", async () => {
    expect((await open("unknown")).status).to.equal(401);
    expect((await open(undefined)).status).to.equal(401);
  });

  it("is our side's fault, 500, where it throws or answers something else; the log says so without the token", async () => {
    expect((await open("a-broken-credential")).status).to.equal(500);
    expect((await open("odd")).status).to.equal(500);
    await relay.log({ event: "refused", reason: "internal-error" });
    expect(relay.lines.join("\n")).not.to.include("a-broken-credential");
  });

  it("is not asked for a page of another origin", async () => {
    expect((await open("key-42", { origin: "https://evil.dev" })).status).to.equal(403);
    expect((await open("key-42", { origin })).status).to.equal(101);
    expect((await open("key-42", { cookie: "session=1" })).status).to.equal(403);
  });

  it("is asked about a token as subprotocol without an origin, unless there is a cookie", async () => {
    const offer = async (headers: Record<string, string>) => {
      const protocols = [SUBPROTOCOLS.raw, `${BEARER_SUBPROTOCOL_PREFIX}key-42`];
      return (await relay.handshake(`${relay.url(recipient())}&tenant=acme`, { headers }, protocols)).status;
    };
    expect(await offer({})).to.equal(101);
    expect(await offer({ cookie: "session=1" })).to.equal(403);
    expect(await offer({ cookie: "session=1", origin })).to.equal(101);
  });
});

describe("no authentication", () => {
  let relay: Relay;
  before(async () => {
    relay = await startProgram(`const relay = new WebsocketRelay("relay", { auth: null });`);
  });
  after(() => relay.stop());

  it("takes whoever the client says that it is", async () => {
    const to = recipient();
    const client = await relay.connectByUrl(`${relay.url(to)}&user=${to.user}`);
    await relay.publish(to, "hello");
    await client.message("hello");
  });

  it("refuses with 400 a client that does not say", async () => {
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

  it("is ended by the sweep, and its connection closed, superseded ones too; one whose token lasts stays", async () => {
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
