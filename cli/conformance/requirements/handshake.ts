import { SUBPROTOCOLS } from "../../../protocol";
import type { Requirement } from "../requirement";
import { Unmet } from "../unmet";
import type { Stage } from "../stage";

export const handshake: Requirement[] = [
  {
    id: "H1",
    level: "must",
    text: "offers the subprotocol websocket-relay.v1",
    async play(stage) {
      stage.start();
      const { offered } = await firstHandshake(stage);
      if (offered.includes(SUBPROTOCOLS.v1)) return;
      throw new Unmet(`expected ${SUBPROTOCOLS.v1} in Sec-WebSocket-Protocol; got ${JSON.stringify(offered)}`);
    },
  },
  {
    id: "H2",
    level: "must",
    text: "sends context and contextId in the query, percent-encoded",
    async play(stage) {
      const given = { context: "a chat & more", contextId: "7+8/é%" };
      stage.start(given);
      const { query } = await firstHandshake(stage);
      const pairs = query.split("&").map((pair) => pair.split("=").map(decoded));
      for (const [name, value] of Object.entries(given)) {
        if (pairs.some(([key, got]) => key === name && got === value)) continue;
        throw new Unmet(`expected ${name}=${encodeURIComponent(value)} in the query; got ${query}`);
      }
    },
  },
  {
    id: "H3",
    level: "must",
    text: "sends its token with the handshake",
    async play(stage) {
      stage.start();
      const { token } = await firstHandshake(stage);
      if (token !== undefined && stage.relay.tokens.includes(token)) return;
      const wanted = "a token of RELAY_TOKEN_URL in Authorization or in a subprotocol";
      throw new Unmet(`expected ${wanted}; got ${token === undefined ? "none" : JSON.stringify(token)}`);
    },
  },
  {
    id: "H4",
    level: "should",
    text: "gets a new token for each attempt",
    async play(stage) {
      stage.relay.refusals = [401];
      stage.start();
      await stage.connection();
      const [first, second] = stage.relay.handshakes.map(({ token }) => token);
      if (first === second)
        throw new Unmet(`expected another token after a refused handshake; got ${String(second)} again`);
    },
  },
];

function firstHandshake(stage: Stage) {
  return stage.until("a handshake", () => stage.relay.handshakes[0]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
