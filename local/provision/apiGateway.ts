import { partition, region } from "../account";
import { checkAccessLog } from "../gateway/accessLog";
import type { Gateways } from "../gateway/gateways";
import type {
  ApiInputs,
  IntegrationInputs,
  IntegrationResponseInputs,
  RouteInputs,
  RouteResponseInputs,
  StageInputs,
} from "../gateway/inputs";
import type { ApiDefinition } from "../gateway/definition";
import type { LogGroups } from "./logGroup";
import type { LocalResource, LocalResources, Properties, Registration } from "./resource";

/** APIs and their parts, registered with the local gateway; `logGroups` are those that a stage may log to. */
export function apiGatewayResources(gateways: Gateways, logGroups: LogGroups): LocalResources {
  const definitionOf = (properties: Properties): ApiDefinition => gateways.api(properties.apiId as string).definition;

  /** A part of an API that has nothing to it but its inputs. */
  const part = <Inputs>(
    replaceOnChanges: readonly string[],
    put: (definition: ApiDefinition, inputs: Inputs, id?: string) => string,
    remove: (definition: ApiDefinition, id: string) => void,
  ): LocalResource => ({
    replaceOnChanges: ["region", ...replaceOnChanges],
    create: async ({ inputs }) => ({ id: put(definitionOf(inputs), inputs as Inputs), outputs: {} }),
    update: async (id, { inputs }) => {
      put(definitionOf(inputs), inputs as Inputs, id);
      return {};
    },
    delete: async (id, olds) => {
      // With its API, a part is gone already.
      if (gateways.has(olds.apiId as string)) remove(definitionOf(olds), id);
    },
  });

  return {
    "aws:apigatewayv2/api:Api": api(gateways),
    "aws:apigatewayv2/stage:Stage": stage(gateways, logGroups),
    "aws:apigatewayv2/route:Route": part<RouteInputs>(
      ["apiId"],
      (definition, inputs, id) => definition.putRoute(inputs, id),
      (definition, id) => definition.removeRoute(id),
    ),
    "aws:apigatewayv2/integration:Integration": part<IntegrationInputs>(
      ["apiId", "integrationType", "integrationSubtype"],
      (definition, inputs, id) => definition.putIntegration(inputs, id),
      (definition, id) => definition.removeIntegration(id),
    ),
    "aws:apigatewayv2/integrationResponse:IntegrationResponse": part<IntegrationResponseInputs>(
      ["apiId", "integrationId"],
      (definition, inputs, id) => definition.putIntegrationResponse(inputs, id),
      (definition, id) => definition.removeIntegrationResponse(id),
    ),
    "aws:apigatewayv2/routeResponse:RouteResponse": part<RouteResponseInputs>(
      ["apiId", "routeId"],
      (definition, inputs, id) => definition.putRouteResponse(inputs, id),
      (definition, id) => definition.removeRouteResponse(id),
    ),
    "aws:apigatewayv2/deployment:Deployment": part<Properties>(
      ["apiId", "triggers"],
      // Only the description can change in place, and a deployment is a snapshot that never changes.
      (definition, _, id) => id ?? definition.deploy(),
      (definition, id) => definition.removeDeployment(id),
    ),
  };
}

function api(gateways: Gateways): LocalResource {
  const outputs = (id: string, { name, inputs }: Registration): Properties => {
    const { apiEndpoint, executionArn } = gateways.api(id);
    return { name: inputs.name ?? name, apiEndpoint, executionArn, arn: apiArn(id) };
  };
  return {
    replaceOnChanges: ["region", "protocolType"],
    async create(registration) {
      const { id } = await gateways.addApi(registration.inputs as unknown as ApiInputs);
      return { id, outputs: outputs(id, registration) };
    },
    async update(id, registration) {
      gateways.api(id).definition.update(registration.inputs as unknown as ApiInputs);
      return outputs(id, registration);
    },
    delete: (id) => gateways.removeApi(id),
  };
}

function stage(gateways: Gateways, logGroups: LogGroups): LocalResource {
  const inputsOf = (name: string, inputs: Properties) => {
    const { accessLogSettings } = inputs as unknown as StageInputs;
    if (accessLogSettings) checkAccessLog(accessLogSettings, (logGroup) => logGroups.has(logGroup));
    return { ...(inputs as unknown as StageInputs), name };
  };
  const outputs = (name: string, apiId: string): Properties => {
    const { apiEndpoint, executionArn } = gateways.api(apiId);
    return {
      name,
      invokeUrl: `${apiEndpoint}/${name === "$default" ? "" : name}`,
      executionArn: `${executionArn}/${name}`,
      arn: `${apiArn(apiId)}/stages/${name}`,
    };
  };
  return {
    replaceOnChanges: ["region", "apiId", "name"],
    async create({ name, inputs }) {
      const apiId = inputs.apiId as string;
      const stageName = (inputs.name as string | undefined) ?? name;
      gateways.api(apiId).definition.addStage(inputsOf(stageName, inputs));
      return { id: stageName, outputs: outputs(stageName, apiId) };
    },
    async update(id, { inputs }) {
      const apiId = inputs.apiId as string;
      gateways.api(apiId).definition.updateStage(inputsOf(id, inputs));
      return outputs(id, apiId);
    },
    delete: async (id, olds) => {
      const apiId = olds.apiId as string;
      if (!gateways.has(apiId)) return;
      gateways.customDomains.checkUnmapped(apiId, id);
      gateways.api(apiId).removeStage(id);
    },
  };
}

// API Gateway's own ARNs have no account.
function apiArn(id: string): string {
  return `arn:${partition}:apigateway:${region}::/apis/${id}`;
}
