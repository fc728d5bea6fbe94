import { createECDH } from "node:crypto";
import { fastify } from "fastify";
import { decodeJwt } from "jose";
import { CallbackFunction, WebsocketRelay } from "pulumi-websocket-relay";

// A program of another team: it has a web framework among its dependencies, three relays, of which one has an authentication
// of the program's own and one delivers by replay, and two functions of its own, of which one verifies tokens.
const chat = new WebsocketRelay("chat", {
  auth: { oidc: { issuer: "https://login.acme.dev", audience: "acme" }, endSessionWithToken: true },
});

const news = new WebsocketRelay("news", {
  auth: {
    authenticate: async ({ token }) => {
      const { isReader } = require("./readers") as typeof import("./readers");
      const code = token === undefined ? undefined : decodeJwt(token).sub;
      return Promise.resolve(code !== undefined && isReader(code) ? { code } : null);
    },
    requireFrom: __dirname,
  },
  maxAttempts: 5,
});

const feed = new WebsocketRelay("feed", {
  auth: { oidc: { issuer: "https://login.acme.dev", audience: "acme" }, endSessionWithToken: true },
  delivery: "replay",
  receipts: true,
});

new CallbackFunction("lookup", {
  callbackFactory: () => {
    const { isReader } = require("./readers") as typeof import("./readers");
    return async (event: { code: string }) => Promise.resolve(isReader(event.code));
  },
  requireFrom: __dirname,
  environment: {},
  policyStatements: [],
  timeoutSeconds: 10,
  logRetentionInDays: 30,
});

// A key that is the same in every run, so that the function is the same, too.
const ecdh = createECDH("prime256v1");
ecdh.setPrivateKey(Buffer.alloc(32, 1));
const [x, y] = [ecdh.getPublicKey().subarray(1, 33), ecdh.getPublicKey().subarray(33)];
const publicKey = { kty: "EC", crv: "P-256", x: x.toString("base64url"), y: y.toString("base64url") };
export const signingKey = { ...publicKey, d: ecdh.getPrivateKey("base64url") };

new CallbackFunction("verify", {
  callbackFactory: () => {
    const { tokenVerifier } =
      require("pulumi-websocket-relay/verifier") as typeof import("pulumi-websocket-relay/verifier");
    const verify = tokenVerifier({ oidc: { issuer: "acme", audience: "news", jwks: { keys: [publicKey] } } });
    return (event: { token: string }) => verify(event.token);
  },
  environment: {},
  policyStatements: [],
  timeoutSeconds: 10,
  logRetentionInDays: 30,
});

export const frameworkVersion = fastify().version;
export const urls = { chat: chat.websocketUrl, news: news.websocketUrl, feed: feed.websocketUrl };
