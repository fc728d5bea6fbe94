import { RelayClient, webStorageCursorStore } from "pulumi-websocket-relay/client";

// A page of the same team: nothing of Node's is there.
const client = new RelayClient({
  url: "wss://relay.acme.dev/live",
  context: "chat",
  contextId: "7",
  token: async () => (await fetch("/token")).text(),
  cursorStore: webStorageCursorStore(() => localStorage, "relay:42:chat:7"),
  onMessage: ({ body }) => document.body.append(body),
  WebSocket,
});
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && client.wake());
client.connect();
