import type { IncomingMessage, ServerResponse } from "node:http";
import { arn } from "../account";
import { accessLogLine, type Outcome } from "./accessLog";
import { ApiDefinition, type DeployedRoute, type Stage } from "./definition";
import type { GatewayEnvironment } from "./environment";
import { gatewayAnswer, type HttpAnswer, httpAnswer } from "./httpAnswer";
import { type HttpContext, httpEvent, type HttpRequest } from "./httpEvents";
import { httpLimits } from "./httpInputs";
import { matchRoute, type RouteMatch } from "./httpRoutes";
import { newRequestId, newResourceId } from "./ids";
import type { ApiInputs } from "./inputs";
import { IntegrationError, invokeFunction } from "./lambdaIntegration";
import type { Listener } from "./listener";
import { commonLogTime } from "./proxyEvents";

/** One HTTP API behind a port of its own. */
export class HttpApi {
  readonly id = newResourceId();
  readonly executionArn = arn("execute-api", this.id);
  readonly definition: ApiDefinition;
  private readonly host: string;

  constructor(
    private readonly environment: GatewayEnvironment,
    inputs: ApiInputs,
    private readonly listener: Listener,
  ) {
    this.definition = new ApiDefinition(inputs);
    this.host = `127.0.0.1:${listener.port}`;
    listener.serve({
      request: (request, response) => {
        this.answer(request, response).catch((error: unknown) => {
          environment.log(`the HTTP API failed: ${String(error)}`);
          response.destroy();
        });
      },
      // No WebSockets: an upgrade is a request without one.
      upgrade: (_, socket) => socket.destroy(),
    });
  }

  get apiEndpoint(): string {
    return `http://${this.host}`;
  }

  removeStage(name: string): void {
    this.definition.stages.delete(name);
  }

  close(): Promise<void> {
    return this.listener.close();
  }

  private async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = newRequestId();
    const { status, headers, body } = await this.answerOf(message, requestId);
    const isHead = message.method === "HEAD";
    this.environment.trace.record("Gateway", "Client", `${status} ${message.method}`);
    response.writeHead(status, { ...headers, "apigw-requestid": requestId, "content-length": body.length });
    response.end(isHead ? undefined : body);
  }

  private async answerOf(message: IncomingMessage, requestId: string): Promise<HttpAnswer> {
    const { trace } = this.environment;
    const request = await read(message);
    trace.record("Client", "Gateway", `${message.method} ${request?.path ?? "a path that cannot be decoded"}`);
    if (!request) return gatewayAnswer(400, "Bad Request");
    const { stages } = this.definition;
    const named = stages.get(request.path.split("/")[1] ?? "");
    const stage = named ?? stages.get("$default");
    const path = named ? request.path.slice(named.name.length + 1) || "/" : request.path;
    // AWS logs nothing of it.
    if (!stage) return gatewayAnswer(404, "Not Found");
    const match = stage.deployment && matchRoute(stage.deployment.routes, request.method, path);
    const { id: apiId, host: domainName } = this;
    const routeKey = match?.route.routeKey ?? "-";
    const context: HttpContext = { apiId, domainName, stage: stage.name, routeKey, requestId };
    const { answer, outcome = {} } = await this.routed(stage, match, request, context);
    this.logAccess(stage, request, context, { status: answer.status, ...outcome }, answer.body.length);
    return answer;
  }

  private async routed(
    stage: Stage,
    match: RouteMatch<DeployedRoute> | undefined,
    request: HttpRequest,
    context: HttpContext,
  ): Promise<{ answer: HttpAnswer; outcome?: Omit<Outcome, "status"> }> {
    const refused = (status: number, message: string, integration?: Outcome["integration"]) => ({
      answer: gatewayAnswer(status, message),
      outcome: { errorMessage: message, integration },
    });
    // Also where another method has a route of this path: there is no 405.
    if (!match) return refused(404, "Not Found");
    if (!stage.throttle.allows(match.route.routeKey)) return refused(429, "Too Many Requests");
    if (request.bodyBytes > httpLimits.payloadBytes) return refused(413, "Request Entity Too Large");
    const startedAtMs = performance.now();
    const latency = () => Math.round(performance.now() - startedAtMs);
    try {
      const answer = await this.invoke(stage, match, request, context);
      return { answer, outcome: { integration: { latencyMs: latency(), status: answer.status } } };
    } catch (error) {
      if (!(error instanceof IntegrationError)) throw error;
      this.environment.log(`${match.route.routeKey} of stage ${stage.name}: ${error.message}`);
      const integration = { latencyMs: latency(), error: error.message };
      // Not the 504 of other APIs. https://github.com/cortexlabs/cortex/issues/1225
      return error.status === 504
        ? refused(503, "Service Unavailable", integration)
        : refused(500, "Internal Server Error", integration);
    }
  }

  private async invoke(
    stage: Stage,
    match: RouteMatch<DeployedRoute>,
    request: HttpRequest,
    context: HttpContext,
  ): Promise<HttpAnswer> {
    const { invoker, trace } = this.environment;
    const { route, resource } = match;
    if (!route.integration) throw new IntegrationError(500, "the route has no integration");
    trace.record("Gateway", "Lambda", `${route.routeKey}`, { routeKey: route.routeKey });
    const payload = await invokeFunction({
      invoker,
      integration: route.integration,
      event: httpEvent(request, match, context),
      sourceArn: `${this.executionArn}/${stage.name}/${resource === "$default" ? resource : `${request.method}${resource}`}`,
      timeoutMs: route.integration.timeoutMilliseconds ?? httpLimits.integrationTimeoutMs,
    });
    const answer = httpAnswer(payload);
    if (!answer) throw new IntegrationError(500, "the function's answer has no valid statusCode, or a body of no text");
    trace.record("Lambda", "Gateway", `${answer.status} ${route.routeKey}`, { routeKey: route.routeKey });
    return answer;
  }

  private logAccess(
    { accessLog }: Stage,
    { method, path, message }: HttpRequest,
    context: HttpContext,
    outcome: Outcome,
    responseLength: number,
  ): void {
    if (!accessLog) return;
    const now = new Date();
    const { remoteAddress: sourceIp } = message.socket;
    const values = {
      ...context,
      extendedRequestId: context.requestId,
      httpMethod: method,
      path,
      protocol: `HTTP/${message.httpVersion}`,
      requestTime: commonLogTime(now),
      requestTimeEpoch: now.getTime(),
      responseLength,
      identity: { sourceIp, userAgent: message.headers["user-agent"] },
    };
    this.environment.log(accessLogLine(accessLog, values, outcome));
  }
}

/**
 * The request with its path decoded, as API Gateway has it before it looks for a route: `%2F` separates parts, and `%3F` ends
 * the path. The query stays as it was sent. Undefined if the path cannot be decoded.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
 * https://github.com/middleapi/standard-server/pull/93
 */
async function read(message: IncomingMessage): Promise<HttpRequest | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // What is over the limit is counted, not kept.
    if (bytes <= httpLimits.payloadBytes) chunks.push(chunk);
  }
  const [sent = "/", rawQuery = ""] = (message.url ?? "/").split(/\?(.*)/s);
  try {
    const [path = "/"] = decodeURIComponent(sent).split("?");
    return { method: message.method ?? "GET", path, rawQuery, message, body: Buffer.concat(chunks), bodyBytes: bytes };
  } catch {
    return undefined;
  }
}
