import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import type { UIMessage } from "ai";
import { RelayBackend } from "pulumi-websocket-relay-backend";
import { Chats } from "./chats.js";
import { fakeModel } from "./model.js";
import { currentSession } from "./session.js";
import { setting } from "./setting.js";

const { PORT = "8090" } = process.env;
const websocketUrl = setting("WEBSOCKET_URL");
const chats = new Chats(new RelayBackend({ topicArn: setting("TOPIC_ARN") }), fakeModel);
const page = new URL("../../web/index.html", import.meta.url);
const script = new URL("../page.js", import.meta.url);

const server = createServer((request, response) => {
  route(request, response).catch((error: unknown) => {
    const isInput = error instanceof SyntaxError || error instanceof TypeError;
    if (!isInput) console.error(error);
    response.writeHead(isInput ? 400 : 500).end();
  });
});

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { user, token } = await currentSession();
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
  const chatId = searchParams.get("id") ?? "";
  switch (`${request.method} ${pathname}`) {
    case "GET /":
      return answer(response, "text/html", readFileSync(page));
    case "GET /page.js":
      return answer(response, "text/javascript", readFileSync(script));
    case "GET /relay-token":
      return answer(response, "text/plain", token);
    case "GET /chat":
      return answer(response, "application/json", JSON.stringify({ websocketUrl, ...chats.state(user, chatId) }));
    case "POST /chat": {
      const { message, answerId } = (await json(request)) as { message: UIMessage; answerId: string };
      return void response.writeHead(chats.post(user, chatId, message, answerId) ? 202 : 409).end();
    }
    case "DELETE /chat":
      chats.stop(user, chatId);
      return void response.writeHead(204).end();
    default:
      response.writeHead(404).end();
  }
}

function answer(response: ServerResponse, type: string, body: string | Buffer): void {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store" }).end(body);
}

server.listen(Number(PORT), () => {
  const address = server.address();
  console.log(`http://localhost:${typeof address === "object" ? address?.port : address}`);
});
process.on("SIGTERM", () => process.exit(0));
