import { arn } from "../../../local/account";
import { autoname } from "../../../local/provision/autoname";
import type { AwsRequests } from "../awsRequests";
import { type EmulatedResource, type EmulatedResources, type Properties, without } from "./resource";

/** https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html */
export function apiGatewayResources(aws: AwsRequests): EmulatedResources {
  const rest = (method: string, path: string, body?: Properties) =>
    aws.rest("apigateway", method, `/v2/apis${path}`, body);
  /** A part of an API, with a path below it and the key of its id in the response. */
  const part = (pathOf: (inputs: Properties) => string, idKey: string, ...pathInputs: string[]): EmulatedResource => ({
    async create(_, inputs) {
      const created = await rest("POST", pathOf(inputs), without(inputs, "apiId", ...pathInputs));
      return { id: created[idKey] as string, outputs: {} };
    },
    async delete(id, olds) {
      await rest("DELETE", `${pathOf(olds)}/${id}`);
    },
  });
  const executionArn = (apiId: string) => arn("execute-api", apiId);
  // By its path: names below localhost do not resolve everywhere.
  const httpEndpointOf = (apiId: string) => `${aws.endpoint}/_aws/execute-api/${apiId}`;
  const endpointOf = (apiId: string) => httpEndpointOf(apiId).replace(/^http/, "ws");

  return {
    "aws:apigatewayv2/api:Api": {
      async create(logicalName, inputs) {
        const name = inputs.name ?? autoname(logicalName);
        const { apiId } = await rest("POST", "", { ...inputs, name });
        const id = apiId as string;
        const apiEndpoint = inputs.protocolType === "HTTP" ? httpEndpointOf(id) : endpointOf(id);
        return { id, outputs: { name, apiEndpoint, executionArn: executionArn(id) } };
      },
      async delete(id) {
        await rest("DELETE", `/${id}`);
      },
    },
    "aws:apigatewayv2/integration:Integration": part(({ apiId }) => `/${apiId}/integrations`, "integrationId"),
    "aws:apigatewayv2/integrationResponse:IntegrationResponse": part(
      ({ apiId, integrationId }) => `/${apiId}/integrations/${integrationId}/integrationresponses`,
      "integrationResponseId",
      "integrationId",
    ),
    "aws:apigatewayv2/route:Route": part(({ apiId }) => `/${apiId}/routes`, "routeId"),
    "aws:apigatewayv2/routeResponse:RouteResponse": part(
      ({ apiId, routeId }) => `/${apiId}/routes/${routeId}/routeresponses`,
      "routeResponseId",
      "routeId",
    ),
    // The triggers are the provider's own.
    "aws:apigatewayv2/deployment:Deployment": part(({ apiId }) => `/${apiId}/deployments`, "deploymentId", "triggers"),
    "aws:apigatewayv2/stage:Stage": {
      async create(logicalName, inputs) {
        const apiId = inputs.apiId as string;
        const stageName = (inputs.name as string | undefined) ?? autoname(logicalName);
        const routeSettings = Object.fromEntries(
          ((inputs.routeSettings ?? []) as Properties[]).map(({ routeKey, ...settings }) => [routeKey, settings]),
        );
        await rest("POST", `/${apiId}/stages`, { ...without(inputs, "apiId", "name"), stageName, routeSettings });
        return {
          id: stageName,
          outputs: {
            name: stageName,
            // Only an HTTP API has that stage.
            invokeUrl: stageName === "$default" ? `${httpEndpointOf(apiId)}/` : `${endpointOf(apiId)}/${stageName}`,
            executionArn: `${executionArn(apiId)}/${stageName}`,
          },
        };
      },
      async delete(id, { apiId }) {
        await rest("DELETE", `/${apiId}/stages/${id}`);
      },
    },
  };
}
