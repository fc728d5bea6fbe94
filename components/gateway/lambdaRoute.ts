import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CallbackFunction } from "../lambda/callbackFunction";

/** What has a function called for one kind of event, and lets it be. */
export interface LambdaRoute {
  integration: aws.apigatewayv2.Integration;
  route: aws.apigatewayv2.Route;
  permission: aws.lambda.Permission;
}

/**
 * Without a route response: what the function answers decides about a handshake, and says nothing to a client that has
 * sent a frame.
 *
 * @param name Prefix of the names of what is made.
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
      // Of the call to Lambda, which takes no other.
      integrationMethod: "POST",
      integrationUri: handler.invokeArn,
    },
    { parent },
  );
  const route = new aws.apigatewayv2.Route(
    `${name}-route`,
    { apiId: api.id, routeKey, target: pulumi.interpolate`integrations/${integration.id}` },
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
  return { integration, route, permission };
}
