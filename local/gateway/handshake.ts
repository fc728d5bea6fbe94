import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import type { Api } from "./api";
import type { Connection } from "./connection";
import type { Stage } from "./definition";
import { shortId } from "./ids";
import { IntegrationError, invokeProxy, type ProxyAnswer } from "./lambdaIntegration";
import { limits } from "./limits";
import { answerMessage } from "./messages";
import { connectEvent, requestContext } from "./proxyEvents";
import { Wire } from "./wire";

/** Answers the upgrade requests of one API: throttle, `$connect`, then 101 or a refusal. */
export class Handshake {
  private readonly protocols = new WeakMap<IncomingMessage, string>();
  private readonly server = new WebSocketServer({
    // A client that does not answer a close frame must not keep $disconnect back: ws would wait for half a minute.
    // (Not in @types/ws yet.)
    ...({ closeTimeout: 1_000 } as object),
    noServer: true,
    clientTracking: false,
    // API Gateway negotiates no extension.
    perMessageDeflate: false,
    maxPayload: limits.messageBytes,
    handleProtocols: (_, request) => this.protocols.get(request) ?? false,
  });

  constructor(private readonly api: Api) {}

  /** `domainName` is the one that the client asked for. */
  async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, domainName: string): Promise<void> {
    const wire = new Wire(socket);
    // Either event means the client gave up; Wire only reports the end of an open connection.
    const gone = new AbortController();
    for (const event of ["end", "close"]) socket.once(event, () => gone.abort());
    const [path = "", search] = (request.url ?? "").split(/\?(.*)/s);
    const query = new URLSearchParams(search);
    const stage = this.api.definition.stages.get(decode(path.slice(1)));
    const { trace } = this.api.environment;
    if (!stage?.deployment) {
      trace.record("Client", "Gateway", "open");
      trace.record("Gateway", "Client", "403 unknown stage");
      return refuse(wire, 403, JSON.stringify({ message: "Forbidden" }));
    }
    // Checked before $connect runs; ws itself would find it only afterwards.
    if (!isWebSocketRequest(request)) return refuse(wire, 400, JSON.stringify({ message: "Bad Request" }));

    const identity = { userAgent: request.headers["user-agent"], sourceIp: request.socket.remoteAddress ?? "" };
    const connection = this.api.addConnection(stage, identity, wire, domainName, (from, text) => {
      void answerMessage(this.api, stage, from, text);
    });
    connection.tag = query.get("tag") ?? undefined;
    trace.record("Client", "Gateway", `open ${shortId(connection.id)}${addressee(query)}`, {
      connectionId: connection.id,
    });
    const answer = await this.connect(stage, connection, request, query, gone.signal);
    // The API, or the stage, was deleted meanwhile.
    if (connection.state === "closed") return;
    if (answer === "not begun") {
      trace.record("Client", "Gateway", `gave up ${shortId(connection.id)} before $connect began`, {
        connectionId: connection.id,
      });
      return this.api.forget(connection);
    }
    if (answer.statusCode >= 300) {
      trace.record("Gateway", "Client", `${answer.statusCode} ${shortId(connection.id)}`, {
        connectionId: connection.id,
      });
      this.api.connections.delete(connection.id);
      return refuse(wire, answer.statusCode, answer.body ?? "");
    }
    this.accept(connection, request, wire, head, answer);
  }

  private async connect(
    stage: Stage,
    connection: Connection,
    request: IncomingMessage,
    query: URLSearchParams,
    gone: AbortSignal,
  ): Promise<ProxyAnswer | "not begun"> {
    const { invoker, trace, log } = this.api.environment;
    const context = requestContext(this.api.endpointOf(connection), connection, "$connect", "CONNECT");
    const failure = (
      statusCode: number,
      message: string,
      integration?: { latencyMs: number; error: string },
    ): ProxyAnswer => {
      this.api.logAccess(stage, context, { status: statusCode, errorMessage: message, integration });
      const body = JSON.stringify({ message, connectionId: connection.id, requestId: context.requestId });
      return { statusCode, body };
    };
    if (!stage.throttle.allows("$connect")) return failure(429, "Too Many Requests");
    const route = stage.deployment?.routes.get("$connect");
    // AWS accepts everyone where there is no such route, or a mock behind it.
    if (!route || route.integration?.integrationType === "MOCK") {
      this.api.logAccess(stage, context, { status: 200 });
      return { statusCode: 200 };
    }
    const startedAtMs = performance.now();
    const latency = () => Math.round(performance.now() - startedAtMs);
    try {
      if (!route.integration) throw new IntegrationError(500, "the route has no integration");
      const id = shortId(connection.id);
      trace.record("Gateway", "Lambda", `$connect ${id}`, { connectionId: connection.id });
      const event = connectEvent(request, query, context);
      const answer = await invokeProxy(invoker, route.integration, event, this.api.sourceArn(stage, "$connect"), gone);
      trace.record("Lambda", "Gateway", `${answer.statusCode} $connect ${id}`, { connectionId: connection.id });
      const { statusCode: status } = answer;
      this.api.logAccess(stage, context, { status, integration: { latencyMs: latency(), status } });
      return answer;
    } catch (error) {
      if (error === gone.reason) return "not begun";
      const { message } = error as Error;
      log(`$connect of stage ${stage.name}: ${message}`);
      const integration = { latencyMs: latency(), error: message };
      return error instanceof IntegrationError
        ? failure(error.status, error.publicMessage, integration)
        : failure(500, "Internal server error", integration);
    }
  }

  private accept(
    connection: Connection,
    request: IncomingMessage,
    wire: Wire,
    head: Buffer,
    answer: ProxyAnswer,
  ): void {
    const { trace, log } = this.api.environment;
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((value) => value.trim());
    const chosen = protocolOf(answer);
    if (chosen !== undefined && offered.includes(chosen)) this.protocols.set(request, chosen);
    else if (chosen !== undefined) log("$connect answered a Sec-WebSocket-Protocol that the client has not offered");

    let ws: WebSocket | undefined;
    // Calls back at once, or never if the client has gone.
    if (!wire.destroyed) this.server.handleUpgrade(request, wire, head, (opened) => (ws = opened));
    if (ws) {
      trace.record("Gateway", "Client", `101 ${shortId(connection.id)}`, { connectionId: connection.id });
      connection.open(ws);
    } else {
      // Accepted, and never opened: $connect has done its work, so $disconnect gets to undo it.
      wire.destroy();
      connection.closedBeforeOpen();
    }
  }
}

function isWebSocketRequest({ method, headers }: IncomingMessage): boolean {
  return (
    method === "GET" &&
    headers.upgrade?.toLowerCase() === "websocket" &&
    headers["sec-websocket-version"] === "13" &&
    /^[A-Za-z0-9+/]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
    areSubprotocols(headers["sec-websocket-protocol"])
  );
}

/** Tokens, none of them twice (RFC 6455, 4.1); a token in HTTP's sense has no `=`, so none is padded base64. */
function areSubprotocols(header: string | undefined): boolean {
  if (header === undefined) return true;
  const offered = header.split(",").map((value) => value.trim());
  return offered.every((value) => /^[\w!#$%&'*+.^`|~-]+$/.test(value)) && new Set(offered).size === offered.length;
}

/** The one header of `$connect`'s answer that reaches the client. */
function protocolOf({ headers = {} }: ProxyAnswer): string | undefined {
  const value = Object.entries(headers).find(([name]) => name.toLowerCase() === "sec-websocket-protocol")?.[1];
  return value == null ? undefined : String(value);
}

// Nothing else of a query is traced: it may carry a token.
function addressee(query: URLSearchParams): string {
  return ["context", "contextId"].map((key) => (query.has(key) ? ` ${key}=${query.get(key)}` : "")).join("");
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Answers an upgrade request with a status in the place of 101. */
export function refuse(wire: Wire, status: number, body: string): void {
  wire.on("finish", () => wire.destroy());
  wire.resume();
  wire.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n` +
      `Connection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
