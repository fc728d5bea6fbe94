import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CallbackFunction } from "../lambda/callbackFunction";

/** The resources that invoke a function for one route. */
export interface LambdaRoute {
  integration: aws.apigatewayv2.Integration;
  route: aws.apigatewayv2.Route;
  permission: aws.lambda.Permission;
}

/**
 * Has no route response: a function's answer decides a handshake, and is not sent to a client for its frame.
 *
 * @param name Prefix of the resources' names.
 */
export function lambdaRoute(
  name: string,
  api: aws.apigatewayv2.Api,
  routeKey: string,
  { function: handler }: CallbackFunction,
  parent: pulumi.Resource,
): LambdaRoute {
  const integration = new aws.apigatewayv2.Integration(
    `${name}-integration`,
    {
      apiId: api.id,
      integrationType: "AWS_PROXY",
      // Lambda accepts no other method.
      integrationMethod: "POST",
      integrationUri: handler.invokeArn,
    },
    { parent },
  );
  const permission = new aws.lambda.Permission(
    `${name}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: handler.name,
      principal: "apigateway.amazonaws.com",
      sourceArn: pulumi.interpolate`${api.executionArn}/*/${routeKey}`,
    },
    { parent },
  );
  return { integration, route: route(name, api, routeKey, integration, parent), permission };
}

/** A route without a response. */
export function route(
  name: string,
  api: aws.apigatewayv2.Api,
  routeKey: string,
  { id }: aws.apigatewayv2.Integration,
  parent: pulumi.Resource,
): aws.apigatewayv2.Route {
  return new aws.apigatewayv2.Route(
    `${name}-route`,
    { apiId: api.id, routeKey, target: pulumi.interpolate`integrations/${id}` },
    { parent },
  );
}
