import { expect } from "chai";
import { recipient, Relay } from "./relay";

describe("a handshake, end to end", () => {
  let relay: Relay;
  let token: string;
  const to = recipient();

  before(async () => {
    relay = await Relay.start();
    token = await relay.token(to.user);
  });
  after(() => relay.stop());

  const status = async (headers: Record<string, string>, url = relay.url(to)) =>
    (await relay.handshake(url, { headers })).status;
  const bearer = async (query: string) => ({ authorization: `Bearer ${await relay.token(to.user, query)}` });
  const withCookie = (origin?: string) => ({
    cookie: `theme=dark; ${relay.addresses.cookieName}=${token}`,
    ...(origin && { origin }),
  });

  it("is accepted with a bearer token, the scheme in any case, whatever the origin", async () => {
    expect(await status({ authorization: `Bearer ${token}` })).to.equal(101);
    expect(await status({ Authorization: `bearer ${token}` })).to.equal(101);
    expect(await status({ authorization: `Bearer ${token}`, origin: "https://elsewhere.dev" })).to.equal(101);
  });

  it("is accepted with the cookie from each allowed origin, the API's own among them", async () => {
    const { port, origin: own } = new URL(relay.addresses.managementEndpoint);
    expect(relay.addresses.allowedOrigins).to.deep.equal([
      "http://localhost:3000",
      new URL(relay.addresses.pageUrl).origin,
      `http://localhost:${port}`,
      `http://10.0.2.2:${port}`,
      own,
    ]);
    for (const origin of relay.addresses.allowedOrigins) {
      expect(await status(withCookie(origin)), origin).to.equal(101);
    }
  });

  it("is refused with 403 with the cookie from anywhere else", async () => {
    expect(await status(withCookie("https://elsewhere.dev"))).to.equal(403);
    expect(await status(withCookie("http://localhost:3001"))).to.equal(403);
    expect(await status(withCookie("null"))).to.equal(403);
    expect(await status(withCookie())).to.equal(403);
  });

  describe("with several cookies of one name, from an allowed origin", () => {
    const statusOf = async (...values: string[]) => {
      const cookie = values.map((value) => `${relay.addresses.cookieName}=${value}`).join("; ");
      return await status({ cookie, origin: relay.addresses.allowedOrigins[0] ?? "" });
    };

    it("is accepted where exactly one of them is valid, in whatever order, with quotes around it or without", async () => {
      const expired = await relay.token(to.user, "&expiresInSeconds=-60");
      expect(await statusOf(expired, token)).to.equal(101);
      expect(await statusOf(token, "x", expired)).to.equal(101);
      expect(await statusOf(expired, `"${token}"`, token)).to.equal(101);
    });

    it("is refused with 401 where two are valid, or none, which the log tells apart without the tokens", async () => {
      const another = await relay.token("43");
      expect(await statusOf(token, another)).to.equal(401);
      await relay.log({ event: "refused", reason: "ambiguous-cookie", statusCode: 401 });
      expect(await statusOf("x", "y")).to.equal(401);
      expect(await statusOf(`Bearer ${token}`)).to.equal(401);
      await relay.log({
        reason: "token-refused",
        detail: 'the cookie begins with "Bearer ": set it to the token alone',
      });
      expect(relay.lines.join("\n")).not.to.include(token.split(".")[1]).and.not.include(another.split(".")[1]);
    });
  });

  const contexts: [what: string, query: string][] = [
    ["no query", ""],
    ["no context", "?contextId=7"],
    ["no contextId", "?context=chat"],
    ["an empty context", "?context=&contextId=7"],
    ["an empty contextId", "?context=chat&contextId="],
    ["a # in context", "?context=a%23b&contextId=7"],
    ["a context twice", "?context=a&context=b&contextId=7"],
    ["over 1,024 bytes of both", `?context=chat&contextId=${"%C3%A4".repeat(510)}`],
  ];
  for (const [what, query] of contexts) {
    it(`is refused with 400 with ${what}`, async () => {
      const url = `${relay.addresses.websocketUrl}${query}`;
      const refused = await relay.handshake(url, { headers: { authorization: `Bearer ${token}` } });
      expect(refused.status).to.equal(400);
      expect(JSON.parse(refused.body).message).to.match(/context/);
    });
  }

  it("is accepted with exactly 1,024 bytes of context and contextId", async () => {
    const url = relay.url({ context: "chat", contextId: "ä".repeat(509) + "x" });
    expect(await status({ authorization: `Bearer ${token}` }, url)).to.equal(101);
  });

  const tokens: [what: string, query: string][] = [
    ["an expired token", "&expiresInSeconds=-60"],
    ["a token without exp", "&exp="],
    ["a token that is not yet valid", "&nbf=4000000000"],
    ["a wrong issuer", "&iss=https://elsewhere.dev"],
    ["a wrong audience", "&aud=elsewhere"],
    ["no audience", "&aud="],
    ["no user claim", "&sub="],
  ];
  for (const [what, query] of tokens) {
    it(`is refused with 401 with ${what}`, async () => {
      expect(await status(await bearer(query))).to.equal(401);
    });
  }

  it("is accepted with a sub that is a number, whose digits are the user's code", async () => {
    const numbered = { ...recipient(), user: "42" };
    const client = await relay.connectByUrl(relay.url(numbered), { headers: await bearer("&sub=42") });
    await relay.publish(numbered, "for 42");
    await client.message("for 42");
  });

  it("is accepted with a token that is valid from some seconds ahead, as a clock that is behind sees it", async () => {
    expect(await status(await bearer(`&nbf=${Math.floor(Date.now() / 1000) + 4}`))).to.equal(101);
  });

  it("is refused with 401 without a token, and with a token that is none of the issuer's", async () => {
    const [header, payload, signature = ""] = token.split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(await status({})).to.equal(401);
    expect(await status({ authorization: "Bearer" })).to.equal(401);
    expect(await status({ authorization: "Bearer x.y.z" })).to.equal(401);
    expect(await status({ authorization: `Bearer ${none}.${payload}.` })).to.equal(401);
    const forged = `${header}.${payload}.${signature.slice(0, -4)}AAAA`;
    expect(await status({ authorization: `Bearer ${forged}` })).to.equal(401);
  });

  it("is refused with 401 for a bad bearer token, whatever the cookie has", async () => {
    const [origin] = relay.addresses.allowedOrigins;
    expect(await status({ ...withCookie(origin), authorization: "Bearer x.y.z" })).to.equal(401);
  });

  it("is refused with 500 while the keys cannot be fetched, and accepted when a new process can fetch them", async () => {
    // A process that has the keys needs none: only a fresh one asks for them.
    const crash = { crash: "connect", times: 1 };
    await relay.fault({ jwks: "down" });
    await relay.fault(crash);
    expect(await status({ authorization: `Bearer ${token}` }), "the crash itself").to.equal(500);
    expect(await status({ authorization: `Bearer ${token}` })).to.equal(500);
    await relay.fault({ jwks: "up" });
    // Nor does it ask again within ten seconds of a failure.
    await relay.fault(crash);
    expect(await status({ authorization: `Bearer ${token}` }), "the crash itself").to.equal(500);
    expect(await status({ authorization: `Bearer ${token}` })).to.equal(101);
  });
});
