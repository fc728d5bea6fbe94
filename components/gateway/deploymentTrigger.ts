import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";

export interface DeploymentContents {
  api: aws.apigatewayv2.Api;
  routes: aws.apigatewayv2.Route[];
  integrations: aws.apigatewayv2.Integration[];
  integrationResponses: aws.apigatewayv2.IntegrationResponse[];
  routeResponses: aws.apigatewayv2.RouteResponse[];
}

/** All properties that a program's `transforms` may set, not only those that the component sets. */
const apiProperties = ["apiKeySelectionExpression", "routeSelectionExpression"] as const;
const routeProperties = [
  "apiKeyRequired",
  "authorizationScopes",
  "authorizationType",
  "authorizerId",
  "modelSelectionExpression",
  "requestModels",
  "requestParameters",
  "routeKey",
  "routeResponseSelectionExpression",
  "target",
] as const;
const integrationProperties = [
  "connectionId",
  "connectionType",
  "contentHandlingStrategy",
  "credentialsArn",
  "integrationMethod",
  "integrationType",
  "integrationUri",
  "passthroughBehavior",
  "payloadFormatVersion",
  "requestParameters",
  "requestTemplates",
  "responseParameters",
  "templateSelectionExpression",
  "timeoutMilliseconds",
  "tlsConfig",
] as const;
const integrationResponseProperties = [
  "contentHandlingStrategy",
  "integrationResponseKey",
  "responseTemplates",
  "templateSelectionExpression",
] as const;
const routeResponseProperties = ["modelSelectionExpression", "responseModels", "routeResponseKey"] as const;

/** A hash of everything that a deployment contains: if it changes, a new deployment is needed. */
export function contentsHash(contents: DeploymentContents): pulumi.Output<string> {
  const values = Promise.all([
    valuesOf(contents.api, apiProperties),
    ...contents.routes.map((route) => valuesOf(route, routeProperties)),
    ...contents.integrations.map((integration) => valuesOf(integration, integrationProperties)),
    ...contents.integrationResponses.map((response) => valuesOf(response, integrationResponseProperties)),
    ...contents.routeResponses.map((response) => valuesOf(response, routeResponseProperties)),
  ]);
  return pulumi.output(
    values.then((known) => (pulumi.containsUnknowns(known) ? (pulumi.unknown as unknown as string) : hashOf(known))),
  );
}

/**
 * A resource's id and properties. Not by `apply`: in a preview, it treats a property that the provider omits as unknown, and
 * each preview of an unchanged program would announce a new deployment. An omitted property is absent, unless the resource
 * has yet to be created.
 */
async function valuesOf<Resource extends pulumi.CustomResource, Key extends keyof Resource>(
  resource: Resource,
  properties: readonly Key[],
): Promise<unknown> {
  const id = internals(resource.id);
  if (!(await id.isKnown)) {
    return pulumi.unknown;
  }
  const values = properties.map(async (property) => {
    return [property, await internals(resource[property] as pulumi.Output<unknown>).promise(true)] as const;
  });
  return { ...Object.fromEntries(await Promise.all(values)), id: await id.promise() };
}

/** Members of an output that all versions of the SDK have, but do not declare. */
function internals<T>(output: pulumi.Output<T>): {
  isKnown: Promise<boolean>;
  promise(withUnknowns?: boolean): Promise<T>;
} {
  return output as never;
}

function hashOf(values: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(canonical(values)))
    .digest("hex");
}

/** Without order, which the provider does not keep, and without empty values, which a refresh may add or remove. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => JSON.stringify(canonical(item) ?? null)).sort();
    return items.length > 0 ? items : undefined;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .map(([key, inner]) => [key, canonical(inner)] as const)
      .filter(([, inner]) => inner !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1));
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  }
  return value === null || value === "" || value === false ? undefined : value;
}
