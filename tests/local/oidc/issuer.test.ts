import { existsSync, readFileSync } from "node:fs";
import https from "node:https";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from "jose";
import { Issuer } from "../../../local/oidc/issuer";

describe("the local issuer", () => {
  let issuer: Issuer;
  let lines: string[];

  beforeEach(async () => {
    lines = [];
    issuer = await Issuer.start({ audience: "relay", userClaim: "code", log: (line) => lines.push(line) });
  });

  afterEach(() => issuer.close());

  /** Over https, trusting the issuer's certificate only. */
  async function jwksStatusAndText(): Promise<[number | undefined, string]> {
    const request = https.get(`${issuer.issuer}/.well-known/jwks.json`, { ca: readFileSync(issuer.caFile) });
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return [response.statusCode, await text(response)];
  }

  async function getToken(query: string): Promise<string> {
    const response = await fetch(`${issuer.tokenUrl}?${query}`);
    expect(response.status).to.equal(200);
    return response.text();
  }

  it("answers a token that verifies against its https key set", async () => {
    const token = await getToken("user=42");
    const [, jwks] = await jwksStatusAndText();

    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(JSON.parse(jwks) as JSONWebKeySet), {
      issuer: issuer.issuer,
      audience: "relay",
    });

    const { iat = 0, exp = 0, ...claims } = payload;
    expect(claims).to.deep.equal({ iss: issuer.issuer, aud: "relay", sub: "42", code: "42" });
    expect(exp - iat).to.equal(3600);
    expect(protectedHeader).to.deep.equal({ alg: "ES256", kid: "local" });
  });

  it("answers the same key set over plain http, without the private key", async () => {
    const plain = await (await fetch(issuer.jwksUrl)).text();

    expect(plain).to.equal((await jwksStatusAndText())[1]);
    expect(JSON.parse(plain).keys[0]).to.have.all.keys("kty", "crv", "x", "y", "kid", "alg", "use");
  });

  const overrides: { claim: string; query: string; claims: Record<string, unknown> }[] = [
    { claim: "replaces a claim", query: "aud=other", claims: { aud: "other" } },
    { claim: "adds a claim", query: "role=mentor", claims: { role: "mentor" } },
    { claim: "takes a number as one", query: "nbf=12&share=-0.5", claims: { nbf: 12, share: -0.5 } },
    {
      claim: "keeps what is no number in its usual writing as text",
      query: "a=007&b=1e3",
      claims: { a: "007", b: "1e3" },
    },
    { claim: "removes a claim by an empty value", query: "exp=&sub=", claims: { exp: undefined, sub: undefined } },
    { claim: "replaces the user's own claim", query: "code=7", claims: { code: 7 } },
  ];
  for (const { claim, query, claims } of overrides) {
    it(`${claim} by a query parameter`, async () => {
      const payload = decodeJwt(await getToken(`user=42&${query}`));

      for (const [name, value] of Object.entries(claims)) {
        expect(payload[name], name).to.equal(value);
      }
    });
  }

  it("takes a negative lifetime", async () => {
    const { exp = 0, iat = 0 } = decodeJwt(await getToken("user=42&expiresInSeconds=-60"));

    expect(exp - iat).to.equal(-60);
  });

  it("signs for the program too, by the same rules", async () => {
    const {
      exp = 0,
      iat = 0,
      ...claims
    } = decodeJwt(await issuer.sign("7", { sub: "", expiresInSeconds: 5, level: 3 }));

    expect(exp - iat).to.equal(5);
    expect(claims).to.deep.equal({ iss: issuer.issuer, aud: "relay", code: "7", level: 3 });
  });

  const refused = [
    { claim: "a query without a user", query: "", body: /must name a user/ },
    { claim: "an empty user", query: "user=", body: /must name a user/ },
    { claim: "a lifetime that is no integer", query: "user=42&expiresInSeconds=soon", body: /integer.*got "soon"/ },
    { claim: "an empty lifetime", query: "user=42&expiresInSeconds=", body: /integer.*got ""/ },
  ];
  for (const { claim, query, body } of refused) {
    it(`refuses ${claim} with 400`, async () => {
      const response = await fetch(`${issuer.tokenUrl}?${query}`);

      expect(response.status).to.equal(400);
      expect(await response.text()).to.match(body);
    });
  }

  it("answers 404 for other paths", async () => {
    expect((await fetch(new URL("/other", issuer.tokenUrl))).status).to.equal(404);
  });

  it("answers 503 at both key set URLs while it is down, and signs all the same", async () => {
    issuer.setJwks("down");
    expect((await fetch(issuer.jwksUrl)).status).to.equal(503);
    expect((await jwksStatusAndText())[0]).to.equal(503);
    expect(decodeJwt(await getToken("user=42")).sub).to.equal("42");

    issuer.setJwks("up");
    expect((await fetch(issuer.jwksUrl)).status).to.equal(200);
    expect((await jwksStatusAndText())[0]).to.equal(200);
  });

  it("logs its answers without the query and the token", async () => {
    await getToken("user=42");

    expect(lines).to.deep.equal(["issuer: GET /token 200"]);
  });

  it("stops answering and removes its certificate when closed", async () => {
    const other = await Issuer.start({ audience: "relay", userClaim: "sub", log: () => undefined });
    await other.close();

    expect(existsSync(other.caFile)).to.equal(false);
    expect(await fetch(other.jwksUrl).catch((error: unknown) => error)).to.be.instanceOf(TypeError);
  });
});
