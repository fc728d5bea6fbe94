import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { PushSubscription } from "web-push";
import { Devices } from "./devices";
import { notify } from "./push";
import { readReceipts } from "./receipts";

const { PORT = "8090" } = process.env;
const vapid = {
  subject: setting("VAPID_SUBJECT"),
  publicKey: setting("VAPID_PUBLIC_KEY"),
  privateKey: setting("VAPID_PRIVATE_KEY"),
};
const queueUrl = setting("RECEIPTS_QUEUE_URL");
const devices = new Devices();
const web = join(__dirname, "../web");

const server = createServer((request, response) => {
  route(request, response).catch((error: unknown) => {
    const isInput = error instanceof SyntaxError || error instanceof TypeError;
    if (!isInput) console.error(error);
    response.writeHead(isInput ? 400 : 500).end();
  });
});

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (`${request.method} ${request.url?.split("?")[0]}`) {
    case "GET /":
      return answer(response, "text/html", readFileSync(join(web, "index.html")));
    case "GET /service-worker.js":
      return answer(response, "text/javascript", readFileSync(join(web, "service-worker.js")));
    case "GET /public-key":
      return answer(response, "text/plain", vapid.publicKey);
    case "POST /devices": {
      // Take the user from the session of your own login here: whoever names another user gets that user's notifications.
      const { user, device } = (await json(request)) as { user: string; device: PushSubscription };
      new URL(device.endpoint);
      devices.register(user, device);
      return answer(response, "text/plain", "registered");
    }
    default:
      response.writeHead(404).end();
  }
}

function answer(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { "content-type": type }).end(body);
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Fix: see the README of this example`);
  return value;
}

const stop = new AbortController();
const reading = readReceipts(queueUrl, (receipt) => notify(receipt, devices, vapid), stop.signal);
server.listen(Number(PORT), () => {
  const address = server.address();
  console.log(`http://localhost:${typeof address === "object" ? address?.port : address}`);
});

process.on("SIGTERM", () => {
  stop.abort();
  server.close();
  void reading;
});
