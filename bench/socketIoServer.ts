import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { answer } from "./childProcess";

/**
 * Socket.IO with connection state recovery, in its own process.
 * - `start`: returns its URL
 * - `emit`: emits the bodies to the namespace, which keeps them for reconnecting clients
 * - `disconnected`: returns once no client is connected to the namespace
 */
export type SocketIoRequest =
  { start: true } | { emit: { namespace: string; bodies: readonly string[] } } | { disconnected: string };

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true },
});
// Each namespace has its own memory, so a user's messages are not searched among those of others.
const namespaces = io.of(/^\/user-\d+$/);
namespaces.on("connection", () => undefined);

answer<SocketIoRequest, { url: string }>(async (request) => {
  if ("start" in request) {
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
  } else if ("emit" in request) {
    const { namespace, bodies } = request.emit;
    for (const body of bodies) io.of(namespace).emit("message", body);
  } else {
    const { sockets } = io.of(request.disconnected);
    for (const socket of [...sockets.values()]) await new Promise((gone) => socket.once("disconnect", gone));
  }
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
});
