import { RelayClient, type WebSocketConstructor } from "../../client";

/** What a test tells a player. */
export interface Part {
  websocketUrl: string;
  /** Answers a user's token as text. */
  tokenUrl: string;
  context: string;
  contextId: string;
  /** Closes the client after this message, or this error. */
  until: string;
  /** The path of the package ws, for a runtime without a WebSocket of its own. */
  ws?: string;
}

/** What a player says, a line each. */
export type Line =
  | { event: "state"; state: string; delivery?: string; closeCode?: number; statusCode?: number; reason?: string }
  | { event: "message"; body: string }
  | { event: "error"; code: string; message: string };

/** The client of docs/client.md in whatever runtime it is loaded, until it has seen what it was told to wait for. */
export function play(part: Part, say: (line: Line) => void, WebSocket?: WebSocketConstructor): Promise<void> {
  const { websocketUrl, tokenUrl, context, contextId, until } = part;
  return new Promise((ended) => {
    const sayUntil = (line: Line, what: string) => {
      say(line);
      if (what !== until) return;
      client.close();
      ended();
    };
    const client = new RelayClient({
      url: websocketUrl,
      context,
      contextId,
      token: async () => (await fetch(tokenUrl)).text(),
      onMessage: ({ body }) => sayUntil({ event: "message", body }, body),
      onStateChange: (state, { delivery, closeCode, statusCode, reason }) =>
        say({ event: "state", state, delivery, closeCode, statusCode, reason }),
      onError: ({ code, message }) => sayUntil({ event: "error", code, message }, code),
      WebSocket,
      // Else only the test's patience would be tried.
      backoffBaseMs: 50,
      backoffCapMs: 200,
    });
    client.connect();
  });
}
