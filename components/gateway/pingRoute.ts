import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

export interface PingRoute {
  integration: aws.apigatewayv2.Integration;
  integrationResponse: aws.apigatewayv2.IntegrationResponse;
  route: aws.apigatewayv2.Route;
  routeResponse: aws.apigatewayv2.RouteResponse;
}

/**
 * A heartbeat that costs no invocation: the gateway itself answers `{"action":"ping"}`.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
 */
export function pingRoute(name: string, api: aws.apigatewayv2.Api, parent: pulumi.Resource): PingRoute {
  const integration = new aws.apigatewayv2.Integration(
    `${name}-ping-integration`,
    {
      apiId: api.id,
      integrationType: "MOCK",
      passthroughBehavior: "WHEN_NO_MATCH",
      templateSelectionExpression: "\\$default",
      requestTemplates: { $default: '{"statusCode":200}' },
    },
    { parent },
  );
  const integrationResponse = new aws.apigatewayv2.IntegrationResponse(
    `${name}-ping-integration-response`,
    {
      apiId: api.id,
      integrationId: integration.id,
      integrationResponseKey: "/200/",
      templateSelectionExpression: "\\$default",
      responseTemplates: { $default: '{"type":"pong"}' },
    },
    { parent },
  );
  const route = new aws.apigatewayv2.Route(
    `${name}-ping-route`,
    {
      apiId: api.id,
      routeKey: "ping",
      target: pulumi.interpolate`integrations/${integration.id}`,
      routeResponseSelectionExpression: "$default",
    },
    { parent },
  );
  const routeResponse = new aws.apigatewayv2.RouteResponse(
    `${name}-ping-route-response`,
    { apiId: api.id, routeId: route.id, routeResponseKey: "$default" },
    { parent },
  );
  return { integration, integrationResponse, route, routeResponse };
}
