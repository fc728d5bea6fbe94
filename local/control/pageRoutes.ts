import { SNSClient } from "@aws-sdk/client-sns";
import type { FastifyInstance } from "fastify";
import { type Publication, RelayBackend, RelayInputError } from "../../backend";
import { credentials, region } from "../account";
import type { LocalCloud } from "../cloud";
import { type PageAsset, pageAssets } from "./pageAssets";
import { TraceStream } from "../trace/traceStream";

/** The facts about the program's relay that the page needs. */
export interface ServedRelay {
  managementEndpoint: string;
  topicArn: string;
  delivery: "retry" | "replay";
}

/** The page, and what it asks the control server for: tokens, publishing, and the events that its diagram draws. */
export class PageRoutes {
  private relay?: ServedRelay;
  private backend?: RelayBackend;
  private readonly sns: SNSClient;
  private readonly stream: TraceStream;

  private constructor(
    private readonly cloud: LocalCloud,
    private readonly assets: ReadonlyMap<string, PageAsset>,
  ) {
    this.stream = new TraceStream(cloud.trace);
    this.sns = new SNSClient({ region, credentials: { ...credentials }, endpoint: cloud.messaging.endpoint });
  }

  static async add(app: FastifyInstance, cloud: LocalCloud): Promise<PageRoutes> {
    const routes = new PageRoutes(cloud, await pageAssets());
    routes.addTo(app);
    return routes;
  }

  serve(relay: ServedRelay): void {
    this.relay = relay;
    this.backend = new RelayBackend({ topicArn: relay.topicArn, clients: { sns: this.sns } });
  }

  /** Ends what never ends by itself, so that readers see an end and no fault. */
  end(): void {
    this.stream.close();
    this.sns.destroy();
  }

  private addTo(app: FastifyInstance): void {
    app.addHook("onRequest", async (_request, reply) => {
      reply.headers(this.headers());
    });
    for (const [path, { contentType, body }] of this.assets) {
      app.get(path, async (_request, reply) => reply.type(contentType).send(body));
    }

    app.get("/relay", async (_request, reply) => {
      const { relay } = this;
      if (!relay) return reply.code(503).send(notReady);
      // Never a custom domain's, which has no DNS here.
      return { websocketUrl: relay.managementEndpoint.replace(/^http/, "ws"), delivery: relay.delivery };
    });

    app.get("/events", (request, reply) => {
      reply.hijack();
      const { raw } = reply;
      raw.writeHead(200, { ...this.headers(), "content-type": "text/event-stream" });
      const { "last-event-id": lastId } = request.headers;
      this.stream.pipeTo(raw, lastId === undefined ? undefined : Number(lastId));
    });

    app.get<{ Querystring: Record<string, string> }>("/token", async ({ query }, reply) => {
      const { user, ...overrides } = query;
      if (!user)
        return reply.code(400).send({ message: "user: got none; allowed: a user's code, as in /token?user=42" });
      try {
        return await reply.type("text/plain").send(await this.cloud.issuer.sign(user, overrides));
      } catch (error) {
        return reply
          .code(400)
          .type("application/json")
          .send({ message: (error as Error).message });
      }
    });

    app.post("/publish", async ({ body }, reply) => {
      if (!this.backend) return reply.code(503).send(notReady);
      if (typeof body !== "object" || body === null || Array.isArray(body)) {
        const message = `got ${JSON.stringify(body)}; allowed: JSON with user, context, contextId, message, and scope, messageId, expiresAt, idempotencyKey`;
        return reply.code(400).send({ message });
      }
      try {
        return await this.backend.publish(publicationOf(body as Record<string, unknown>));
      } catch (error) {
        if (error instanceof RelayInputError) return reply.code(400).send({ message: error.message });
        throw error;
      }
    });
  }

  /** Scripts, styles and connections of its own alone: a message's body could then do nothing, even if it were parsed as HTML. */
  private headers(): Record<string, string> {
    const gateway = this.relay && new URL(this.relay.managementEndpoint.replace(/^http/, "ws")).origin;
    const policy = [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      ["connect-src 'self'", gateway].filter(Boolean).join(" "),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ];
    return {
      "content-security-policy": policy.join("; "),
      "cross-origin-resource-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-store",
    };
  }
}

const notReady = { message: "the program is still running: ask again once npm start says that it is ready" };

/** In JSON a date is text; everything else is the helper's to judge. */
function publicationOf({ expiresAt, ...rest }: Record<string, unknown>): Publication {
  const given = expiresAt === undefined ? {} : { expiresAt: new Date(String(expiresAt)) };
  return { ...rest, ...given } as unknown as Publication;
}
