import { fastify } from "fastify";
import { decodeJwt } from "jose";
import { CallbackFunction, WebsocketRelay } from "pulumi-websocket-relay";

// A program of another team: it has a web framework among its dependencies, three relays, of which one has an authentication
// of the program's own and one delivers by replay, and a function of its own.
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

export const frameworkVersion = fastify().version;
export const urls = { chat: chat.websocketUrl, news: news.websocketUrl, feed: feed.websocketUrl };
