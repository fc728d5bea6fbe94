import type { Outcome } from "./accessLog";
import type { Api } from "./api";
import type { Connection } from "./connection";
import type { DeployedRoute, Stage } from "./definition";
import { evaluate } from "./expression";
import { newRequestId, shortId } from "./ids";
import { IntegrationError, invokeProxy } from "./lambdaIntegration";
import { mockAnswer } from "./mockIntegration";
import { messageEvent, requestContext } from "./proxyEvents";

/** Routes one message of a client and sends back what the route answers, or the error frame AWS has for it. */
export async function answerMessage(api: Api, stage: Stage, connection: Connection, body: string): Promise<void> {
  const { trace, log } = api.environment;
  const id = shortId(connection.id);
  const route = routeOf(stage, body);
  const routeKey = route?.routeKey ?? "$default";
  const details = { connectionId: connection.id, routeKey };
  const context = {
    ...requestContext(api.endpointOf(connection), connection, routeKey, "MESSAGE"),
    messageId: newRequestId(),
  };
  const reply = (text: string, what: string): void => {
    trace.record("Gateway", "Client", `${what} ${id}`, details);
    connection.send(text);
  };
  const refuse = (status: number, message: string, integration?: Outcome["integration"]): void => {
    api.logAccess(stage, context, { status, errorMessage: message, integration });
    reply(JSON.stringify({ message, connectionId: connection.id, requestId: context.requestId }), message);
  };

  trace.record("Client", "Gateway", `message ${route ? routeKey : "without a route"} ${id}`, details);
  if (!stage.throttle.allows(routeKey)) return refuse(429, "Too Many Requests");
  if (!route) return refuse(403, "Forbidden");
  const startedAtMs = performance.now();
  const latency = () => Math.round(performance.now() - startedAtMs);
  try {
    const { status, body: answer } = await runIntegration(api, stage, route, body, context);
    // A mock integration has no latency.
    const isMock = route.integration?.integrationType === "MOCK";
    api.logAccess(stage, context, { status, integration: isMock ? undefined : { latencyMs: latency(), status } });
    if (answer !== undefined && route.answers) reply(answer, `message, the answer of ${routeKey}`);
  } catch (error) {
    log(`route ${routeKey} of stage ${stage.name}: ${(error as Error).message}`);
    // A timeout, too, is told the client in this form.
    const integration = { latencyMs: latency(), error: (error as Error).message };
    if (error instanceof IntegrationError) refuse(error.status, error.publicMessage, integration);
    else refuse(500, "Internal server error", integration);
  }
}

async function runIntegration(
  api: Api,
  stage: Stage,
  route: DeployedRoute,
  body: string,
  context: ReturnType<typeof requestContext>,
): Promise<{ status: number; body?: string }> {
  const { invoker, trace } = api.environment;
  const { integration, routeKey } = route;
  if (!integration) throw new IntegrationError(500, `route ${routeKey} has no integration`);
  if (integration.integrationType === "MOCK") {
    // The status that its template names is between the gateway and itself.
    return { status: 200, body: mockAnswer(route, body, context) };
  }
  const { connectionId } = context;
  const id = shortId(connectionId);
  trace.record("Gateway", "Lambda", `${routeKey} ${id}`, { connectionId, routeKey });
  const event = messageEvent(body, context);
  const answer = await invokeProxy(invoker, integration, event, api.sourceArn(stage, routeKey));
  trace.record("Lambda", "Gateway", `${answer.statusCode} ${routeKey} ${id}`, { connectionId, routeKey });
  return { status: answer.statusCode, body: answer.body };
}

function routeOf(stage: Stage, body: string): DeployedRoute | undefined {
  const { deployment } = stage;
  if (!deployment) return undefined;
  const key = evaluate(deployment.routeSelectionExpression, body);
  // A client cannot play a connect or a disconnect by naming it.
  const named = key === undefined || key.startsWith("$") ? undefined : deployment.routes.get(key);
  return named ?? deployment.routes.get("$default");
}
