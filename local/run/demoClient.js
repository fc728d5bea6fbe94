// The demo's client, in a process of its own so that it can be killed without closing its connection. Prints what it receives, line by line.
const WebSocket = require("ws");

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
socket.on("open", () => console.log("open"));
socket.on("message", (message) => console.log(`message ${message}`));
socket.on("close", () => process.exit(0));
socket.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
// An orderly close: the close frame reaches the gateway.
process.on("SIGTERM", () => socket.close(1000));
