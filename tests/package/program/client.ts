import { memoryCursorStore, RelayClient, RelayClientError, type RelayMessage } from "pulumi-websocket-relay/client";
import { WebSocket } from "ws";

// A Node service of the same team, as a client. It prints why the client could never connect with what it is given.
const received: RelayMessage[] = [];
const options = {
  context: "chat",
  contextId: "7",
  cursorStore: memoryCursorStore(),
  onMessage: (message: RelayMessage) => void received.push(message),
  WebSocket,
};

const client = new RelayClient({ url: "wss://relay.acme.dev/live", ...options });
let refused: string | undefined;
try {
  new RelayClient({ url: "https://relay.acme.dev/live", ...options });
} catch (error) {
  if (error instanceof RelayClientError) refused = error.code;
}
const isPulumiLoaded = Object.keys(require.cache).some((file) => file.includes("node_modules/@pulumi/"));
console.log(JSON.stringify({ state: client.state, refused, isPulumiLoaded }));
