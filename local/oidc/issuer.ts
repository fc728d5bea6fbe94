import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { generate } from "selfsigned";

const jwksPath = "/.well-known/jwks.json";
const tokenPath = "/token";
const keyId = "local";

export interface IssuerOptions {
  /** The `aud` of its tokens. */
  audience: string;
  /** The claim that carries the user's code. */
  userClaim: string;
  log: (line: string) => void;
}

/**
 * Issues tokens for a local run. Functions verify them over https, since verifiers take nothing else; the same routes
 * answer over plain http, for people and their clients, who do not know the certificate.
 */
export class Issuer {
  /** The `iss` of its tokens, an https URL; its key set is at `/.well-known/jwks.json`. */
  readonly issuer: string;
  /** `GET {tokenUrl}?user=42` answers a token as text. */
  readonly tokenUrl: string;
  /** The key set over plain http. */
  readonly jwksUrl: string;
  private jwks: "up" | "down" = "up";

  private constructor(
    private readonly options: IssuerOptions,
    private readonly privateKey: CryptoKey,
    private readonly publicJwk: JWK,
    /** The certificate that `issuer` answers with, for NODE_EXTRA_CA_CERTS. */
    readonly caFile: string,
    private readonly secure: https.Server,
    private readonly plain: http.Server,
  ) {
    this.issuer = `https://127.0.0.1:${portOf(secure)}`;
    this.tokenUrl = `http://127.0.0.1:${portOf(plain)}${tokenPath}`;
    this.jwksUrl = `http://127.0.0.1:${portOf(plain)}${jwksPath}`;
    for (const server of [secure, plain]) {
      server.on("request", (request, response) => void this.answer(request, response));
    }
  }

  static async start(options: IssuerOptions): Promise<Issuer> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const publicJwk = { ...(await exportJWK(publicKey)), kid: keyId, alg: "ES256", use: "sig" };
    const certificate = await generate([{ name: "commonName", value: "localhost" }], {
      keyType: "ec",
      algorithm: "sha256",
      extensions: [
        { name: "basicConstraints", cA: true },
        {
          name: "subjectAltName",
          altNames: [
            { type: 2, value: "localhost" },
            { type: 7, ip: "127.0.0.1" },
          ],
        },
      ],
    });
    const caFile = path.join(await mkdtemp(path.join(os.tmpdir(), "issuer-")), "ca.pem");
    await writeFile(caFile, certificate.cert);
    const secure = https.createServer({ key: certificate.private, cert: certificate.cert });
    const plain = http.createServer();
    await Promise.all([listen(secure), listen(plain)]);
    return new Issuer(options, privateKey, publicJwk, caFile, secure, plain);
  }

  /**
   * Signs a token for `user`. `overrides` are claims, added or replaced (a number where the text looks like one); an
   * empty text removes one. `expiresInSeconds` among them is no claim: it sets `exp`, and may be negative.
   * @default expiresInSeconds 3600
   */
  async sign(user: string, overrides: Record<string, string | number> = {}): Promise<string> {
    const { expiresInSeconds = 3600, ...claims } = overrides;
    const lifetimeSeconds = Number(expiresInSeconds);
    if (expiresInSeconds === "" || !Number.isInteger(lifetimeSeconds)) {
      throw new TypeError(`expiresInSeconds must be an integer, as 3600 or -60; got "${expiresInSeconds}".`);
    }
    const nowSeconds = Math.floor(Date.now() / 1000);
    const payload: Record<string, unknown> = {
      iss: this.issuer,
      aud: this.options.audience,
      iat: nowSeconds,
      exp: nowSeconds + lifetimeSeconds,
      sub: user,
      [this.options.userClaim]: user,
    };
    for (const [claim, value] of Object.entries(claims)) {
      payload[claim] = value === "" ? undefined : asClaim(value);
    }
    return new SignJWT(payload).setProtectedHeader({ alg: "ES256", kid: keyId }).sign(this.privateKey);
  }

  /** "down": the key set is answered with 503, as by an issuer with an outage. Tokens are signed all the same. */
  setJwks(state: "up" | "down"): void {
    this.jwks = state;
  }

  async close(): Promise<void> {
    await Promise.all([close(this.secure), close(this.plain)]);
    await rm(path.dirname(this.caFile), { recursive: true });
  }

  private async answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.issuer);
    const [status, contentType, body] = await this.route(request.method, url);
    this.options.log(`issuer: ${request.method} ${url.pathname} ${status}`);
    response.writeHead(status, { "content-type": contentType }).end(body);
  }

  private async route(method: string | undefined, url: URL): Promise<[number, string, string]> {
    if (method === "GET" && url.pathname === jwksPath) {
      return this.jwks === "up"
        ? [200, "application/json", JSON.stringify({ keys: [this.publicJwk] })]
        : [503, "text/plain", "The key set is down.\n"];
    }
    if (method === "GET" && url.pathname === tokenPath) {
      return this.token(url.searchParams);
    }
    return [404, "text/plain", `Not found. There are GET ${tokenPath}?user=42 and GET ${jwksPath}.\n`];
  }

  private async token(query: URLSearchParams): Promise<[number, string, string]> {
    const { user, ...overrides } = Object.fromEntries(query);
    if (!user) {
      return [400, "text/plain", `The query must name a user, as in ${tokenPath}?user=42\n`];
    }
    try {
      return [200, "text/plain", await this.sign(user, overrides)];
    } catch (error) {
      return [400, "text/plain", `${(error as Error).message}\n`];
    }
  }
}

/** Only a number in its usual writing is taken as one: "007" and codes of twenty digits stay text. */
function asClaim(value: string | number): string | number {
  const number = Number(value);
  return Number.isFinite(number) && String(number) === value ? number : value;
}

function listen(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
  });
}

function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}

function close(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error ? reject(error) : resolve()));
    server.closeAllConnections();
  });
}
