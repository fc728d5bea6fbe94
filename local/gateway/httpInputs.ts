import { badRequest } from "./controlPlaneError";
import { isRouteKey } from "./httpRoutes";
import { type Checks, checkAuthorization, checkLambda, checkTimeout } from "./inputs";

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
export const httpLimits = { payloadBytes: 10 * 1024 * 1024, integrationTimeoutMs: 30_000 } as const;

/** Refuse inputs of HTTP APIs that AWS refuses, and inputs that would silently behave differently here. */
export const httpChecks: Checks = {
  api({ routeSelectionExpression = selection, disableExecuteApiEndpoint }) {
    if (routeSelectionExpression !== selection) {
      throw badRequest(`routeSelectionExpression is ${routeSelectionExpression}: an HTTP API has ${selection} alone`);
    }
    if (disableExecuteApiEndpoint) {
      throw badRequest("disableExecuteApiEndpoint is true: HTTP APIs have only their own address locally");
    }
  },
  route(inputs) {
    checkAuthorization(inputs);
    const { routeKey, routeResponseSelectionExpression } = inputs;
    if (!isRouteKey(routeKey)) {
      throw badRequest(`The provided route key is not formatted properly for HTTP protocol: ${routeKey}`);
    }
    if (routeResponseSelectionExpression) {
      throw badRequest(`routeResponseSelectionExpression of ${routeKey}: only WEBSOCKET APIs have route responses`);
    }
  },
  integration(inputs) {
    const { integrationType, payloadFormatVersion, passthroughBehavior, requestTemplates } = inputs;
    if (integrationType !== "AWS_PROXY") {
      throw badRequest(`integrationType is ${integrationType}: only AWS_PROXY runs locally for an HTTP API`);
    }
    checkLambda(inputs);
    checkTimeout(inputs, httpLimits.integrationTimeoutMs);
    if (payloadFormatVersion !== "2.0") {
      throw badRequest(`payloadFormatVersion is ${payloadFormatVersion}: only 2.0 runs locally for an HTTP API`);
    }
    if (passthroughBehavior !== undefined || requestTemplates !== undefined) {
      throw badRequest("passthroughBehavior and requestTemplates are for WEBSOCKET APIs only");
    }
  },
  integrationResponse() {
    throw badRequest("integration responses are for WEBSOCKET APIs only");
  },
  routeResponse() {
    throw badRequest("route responses are for WEBSOCKET APIs only");
  },
  stage({ name = "", deploymentId, autoDeploy, defaultRouteSettings = {}, routeSettings = [] }) {
    if (name !== "$default" && !/^[\w-]{1,128}$/.test(name)) {
      throw badRequest(`the stage's name is ${name}: it must be $default, or letters, digits, _ and -`);
    }
    if (autoDeploy && deploymentId) {
      throw badRequest("deploymentId: a stage with autoDeploy has none of the program's");
    }
    // As the service says it: it takes neither of the two, whatever the level.
    if ([defaultRouteSettings, ...routeSettings].some((each) => each.loggingLevel ?? each.dataTraceEnabled)) {
      throw badRequest("Execution logs are not supported on protocolType HTTP");
    }
  },
};

const selection = "$request.method $request.path";
