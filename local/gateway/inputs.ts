import type { AccessLogSettings } from "./accessLog";
import { isBodyExpression } from "./expression";
import { limits } from "./limits";
import { badRequest } from "./controlPlaneError";
import { isPlainTemplate } from "./template";
import type { RouteSettings } from "./throttle";

/** The inputs of the registered resources, as far as they have an effect here; names as in `@pulumi/aws`. */
export interface ApiInputs {
  name?: string;
  protocolType: string;
  routeSelectionExpression?: string;
  /** Whether the API is reached by a custom domain name alone. */
  disableExecuteApiEndpoint?: boolean;
}

export interface RouteInputs {
  apiId: string;
  routeKey: string;
  target?: string;
  routeResponseSelectionExpression?: string;
  authorizationType?: string;
  apiKeyRequired?: boolean;
}

export interface IntegrationInputs {
  apiId: string;
  integrationType: string;
  integrationUri?: string;
  integrationMethod?: string;
  passthroughBehavior?: string;
  requestTemplates?: Record<string, string>;
  templateSelectionExpression?: string;
  timeoutMilliseconds?: number;
  payloadFormatVersion?: string;
}

export interface IntegrationResponseInputs {
  apiId: string;
  integrationId: string;
  integrationResponseKey: string;
  responseTemplates?: Record<string, string>;
  templateSelectionExpression?: string;
}

export interface RouteResponseInputs {
  apiId: string;
  routeId: string;
  routeResponseKey: string;
}

export interface StageInputs {
  apiId: string;
  name?: string;
  deploymentId?: string;
  autoDeploy?: boolean;
  defaultRouteSettings?: RouteSettings & LoggingSettings;
  accessLogSettings?: AccessLogSettings;
  routeSettings?: (RouteSettings & LoggingSettings & { routeKey: string })[];
}

/** Checked; no execution logs are written. */
interface LoggingSettings {
  loggingLevel?: string;
  dataTraceEnabled?: boolean;
}

/** The function behind `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{functionArn}/invocations`. */
export function functionArnOf(integrationUri: string | undefined): string | undefined {
  return /^arn:[^:]+:apigateway:[^:]+:lambda:path\/2015-03-31\/functions\/(arn:[^/]+)\/invocations$/.exec(
    integrationUri ?? "",
  )?.[1];
}

/** What the two kinds of API check. */
export interface Checks {
  api(inputs: ApiInputs): void;
  route(inputs: RouteInputs): void;
  integration(inputs: IntegrationInputs): void;
  integrationResponse(inputs: IntegrationResponseInputs): void;
  routeResponse(inputs: RouteResponseInputs): void;
  stage(inputs: StageInputs): void;
}

/** Refuse inputs that AWS refuses, and inputs that would silently behave differently here. */
export const websocketChecks: Checks = {
  api: checkApi,
  route: checkRoute,
  integration: checkIntegration,
  integrationResponse: checkIntegrationResponse,
  routeResponse: checkRouteResponse,
  stage: checkStage,
};

function checkApi(inputs: ApiInputs): void {
  const expression = inputs.routeSelectionExpression;
  if (!expression || !isBodyExpression(expression)) {
    throw badRequest(`routeSelectionExpression is ${expression}: a WEBSOCKET API needs $request.body.{path}`);
  }
}

/** Of both kinds of API. */
export function checkAuthorization(inputs: RouteInputs): void {
  const authorization = inputs.authorizationType ?? "NONE";
  if (authorization !== "NONE") {
    // Ignoring it would let everyone in.
    throw badRequest(`authorizationType of route ${inputs.routeKey} is ${authorization}: only NONE runs locally`);
  }
  if (inputs.apiKeyRequired) throw badRequest(`apiKeyRequired of route ${inputs.routeKey} does not run locally`);
}

function checkRoute(inputs: RouteInputs): void {
  checkAuthorization(inputs);
  const responses = inputs.routeResponseSelectionExpression;
  if (responses && responses !== "$default") {
    throw badRequest(`routeResponseSelectionExpression of ${inputs.routeKey} is ${responses}: AWS has only $default`);
  }
}

/** Of both kinds of API. */
export function checkLambda({ integrationUri, integrationMethod }: IntegrationInputs): void {
  if (!functionArnOf(integrationUri))
    throw badRequest(`integrationUri ${integrationUri} is not the invoke ARN of a function`);
  // Lambda's Invoke is a POST, whatever the route.
  if (integrationMethod !== "POST") throw badRequest(`integrationMethod is ${integrationMethod}: Lambda takes POST`);
}

/** Of both kinds of API. */
export function checkTimeout({ timeoutMilliseconds }: IntegrationInputs, highest: number): void {
  if (timeoutMilliseconds != null && (timeoutMilliseconds < 50 || timeoutMilliseconds > highest)) {
    throw badRequest(`timeoutMilliseconds is ${timeoutMilliseconds}: it must be 50 to ${highest}`);
  }
}

function checkIntegration(inputs: IntegrationInputs): void {
  const { integrationType, payloadFormatVersion = "1.0" } = inputs;
  if (integrationType === "AWS_PROXY") checkLambda(inputs);
  else if (integrationType !== "MOCK") {
    throw badRequest(`integrationType is ${integrationType}: only AWS_PROXY and MOCK run locally`);
  }
  checkTimeout(inputs, limits.integrationTimeoutMs);
  if (payloadFormatVersion !== "1.0") {
    throw badRequest(`payloadFormatVersion is ${payloadFormatVersion}: a WEBSOCKET API has 1.0 alone`);
  }
  const { passthroughBehavior = "WHEN_NO_MATCH" } = inputs;
  if (passthroughBehavior !== "WHEN_NO_MATCH") {
    throw badRequest(`passthroughBehavior is ${passthroughBehavior}: only WHEN_NO_MATCH, the default, runs locally`);
  }
  checkTemplates("requestTemplates", inputs.requestTemplates);
}

function checkIntegrationResponse(inputs: IntegrationResponseInputs): void {
  if (!/^(\$default|\/.+\/)$/.test(inputs.integrationResponseKey)) {
    throw badRequest(`integrationResponseKey is ${inputs.integrationResponseKey}: it must be $default or /a pattern/`);
  }
  checkTemplates("responseTemplates", inputs.responseTemplates);
}

function checkRouteResponse(inputs: RouteResponseInputs): void {
  if (inputs.routeResponseKey !== "$default") {
    throw badRequest(`routeResponseKey is ${inputs.routeResponseKey}: AWS has only $default`);
  }
}

function checkStage(inputs: StageInputs): void {
  if (!/^[\w-]{1,128}$/.test(inputs.name ?? "")) {
    throw badRequest(`the stage's name is ${inputs.name}: it must be letters, digits, _ and -`);
  }
  if (inputs.autoDeploy) {
    throw badRequest("autoDeploy is documented for HTTP APIs only: give the stage a Deployment");
  }
  for (const { loggingLevel } of [inputs.defaultRouteSettings ?? {}, ...(inputs.routeSettings ?? [])]) {
    if (loggingLevel !== undefined && !["OFF", "ERROR", "INFO"].includes(loggingLevel)) {
      throw badRequest(`loggingLevel is ${loggingLevel}: it must be OFF, ERROR or INFO`);
    }
  }
}

function checkTemplates(input: string, templates: Record<string, string> = {}): void {
  for (const [key, template] of Object.entries(templates)) {
    if (!isPlainTemplate(template)) {
      throw badRequest(`${input}["${key}"] is more than text and $context.{name}: Velocity does not run locally`);
    }
  }
}
