import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** Both sides have to know it before they start: the relay the page's origin, the app the relay's address. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "localhost");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
