import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { type Publication, RelayBackend, RelayInputError } from "pulumi-websocket-relay/backend";

const { PORT = "8080", TOPIC_ARN = "", TABLE_NAME, MANAGEMENT_ENDPOINT } = process.env;

const relay = new RelayBackend({
  topicArn: TOPIC_ARN,
  tableName: TABLE_NAME,
  managementEndpoint: MANAGEMENT_ENDPOINT,
});

/** A mentor's reply, as the mentor's page posts it. */
interface Reply {
  /** Who is to get it. */
  user: string;
  chatId: string;
  text: string;
}

const server = createServer((request, response) => {
  route(request, response).catch((error: unknown) => {
    // The relay's refusals name the input and quote no payload.
    const status = error instanceof RelayInputError || error instanceof SyntaxError ? 400 : 500;
    if (status === 500) console.error(error);
    answer(response, status, { error: status === 500 ? "not published, try again" : (error as Error).message });
  });
});

async function route(request: IncomingMessage, response: ServerResponse): Promise<void> {
  switch (`${request.method} ${request.url}`) {
    case "GET /health":
      return answer(response, 200, { status: "up" });
    case "POST /replies":
      return answer(response, 202, await relay.publish(publicationOf((await json(request)) as Reply)));
    case "POST /sign-outs": {
      const { user } = (await json(request)) as { user: string };
      return answer(response, 200, await relay.disconnectUser(user, { blockSeconds: 60 }));
    }
    default:
      return answer(response, 404, { error: "POST /replies, POST /sign-outs or GET /health" });
  }
}

function publicationOf({ user, chatId, text }: Reply): Publication {
  return {
    user,
    context: "chat",
    contextId: chatId,
    message: JSON.stringify({ text, at: new Date().toISOString() }),
    // A day later nobody waits for it.
    expiresAt: new Date(Date.now() + 86_400_000),
  };
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

server.listen(Number(PORT), () => {
  const address = server.address();
  console.log(JSON.stringify({ event: "listening", port: typeof address === "object" ? address?.port : address }));
});

// A task that is replaced gets SIGTERM: what is under way is answered first.
process.on("SIGTERM", () => server.close());
