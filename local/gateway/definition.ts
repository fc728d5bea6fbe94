import type { AccessLogSettings } from "./accessLog";
import { newResourceId } from "./ids";
import { httpChecks } from "./httpInputs";
import * as check from "./inputs";
import { badRequest, conflict, notFound } from "./controlPlaneError";
import { StageThrottle } from "./throttle";

/** A route as a deployment froze it. */
export interface DeployedRoute {
  routeKey: string;
  integration?: check.IntegrationInputs;
  integrationResponses: readonly check.IntegrationResponseInputs[];
  /** Whether the integration's answer goes back to the client: it takes the route's expression and a route response. */
  answers: boolean;
}

/** What a stage runs: the API as it was when the deployment was made. */
export interface Deployment {
  /** Empty for an HTTP API. */
  routeSelectionExpression: string;
  routes: ReadonlyMap<string, DeployedRoute>;
}

export interface Stage {
  name: string;
  /** Whether it runs the API as it is now. */
  autoDeploy: boolean;
  deployment?: Deployment;
  throttle: StageThrottle;
  accessLog?: AccessLogSettings;
}

const checksOf: Readonly<Record<string, check.Checks>> = { WEBSOCKET: check.websocketChecks, HTTP: httpChecks };

/** An API as the program declares it. Nothing of it has an effect before it is deployed to a stage, or a stage deploys it itself. */
export class ApiDefinition {
  readonly stages = new Map<string, Stage>();
  private readonly routes = new Map<string, check.RouteInputs>();
  private readonly integrations = new Map<string, check.IntegrationInputs>();
  private readonly integrationResponses = new Map<string, check.IntegrationResponseInputs>();
  private readonly routeResponses = new Map<string, check.RouteResponseInputs>();
  private readonly deployments = new Map<string, Deployment>();

  private readonly check: check.Checks;

  constructor(private inputs: check.ApiInputs) {
    const { protocolType } = inputs;
    const checks = checksOf[protocolType];
    if (!checks) {
      throw badRequest(`protocolType is ${protocolType}: it must be ${Object.keys(checksOf).join(" or ")}`);
    }
    this.check = checks;
    this.check.api(inputs);
  }

  update(inputs: check.ApiInputs): void {
    this.check.api(inputs);
    this.inputs = inputs;
  }

  get protocolType(): string {
    return this.inputs.protocolType;
  }

  /** Whether the API answers at its own address, besides its custom domain names. */
  get hasOwnEndpoint(): boolean {
    return !this.inputs.disableExecuteApiEndpoint;
  }

  putRoute(inputs: check.RouteInputs, id = newResourceId()): string {
    this.check.route(inputs);
    for (const [otherId, other] of this.routes) {
      if (otherId !== id && other.routeKey === inputs.routeKey) {
        throw conflict(`Route with key ${inputs.routeKey} already exists for this API`);
      }
    }
    if (inputs.target && !this.integrations.has(integrationIdOf(inputs))) {
      throw badRequest(`target of route ${inputs.routeKey} is ${inputs.target}: it must be integrations/{id}`);
    }
    this.routes.set(id, inputs);
    this.autoDeploy();
    return id;
  }

  removeRoute(id: string): void {
    this.routes.delete(id);
    removeWhere(this.routeResponses, (response) => response.routeId === id);
    this.autoDeploy();
  }

  putIntegration(inputs: check.IntegrationInputs, id = newResourceId()): string {
    this.check.integration(inputs);
    this.integrations.set(id, inputs);
    this.autoDeploy();
    return id;
  }

  removeIntegration(id: string): void {
    const user = [...this.routes.values()].find((route) => integrationIdOf(route) === id);
    if (user)
      throw conflict(`Cannot delete Integration '${id}' because it is referenced by the Route ${user.routeKey}`);
    this.integrations.delete(id);
    removeWhere(this.integrationResponses, (response) => response.integrationId === id);
  }

  putIntegrationResponse(inputs: check.IntegrationResponseInputs, id = newResourceId()): string {
    this.check.integrationResponse(inputs);
    if (!this.integrations.has(inputs.integrationId)) throw notFound(`Invalid Integration id ${inputs.integrationId}`);
    this.integrationResponses.set(id, inputs);
    return id;
  }

  removeIntegrationResponse(id: string): void {
    this.integrationResponses.delete(id);
  }

  putRouteResponse(inputs: check.RouteResponseInputs, id = newResourceId()): string {
    this.check.routeResponse(inputs);
    if (!this.routes.has(inputs.routeId)) throw notFound(`Invalid Route id ${inputs.routeId}`);
    this.routeResponses.set(id, inputs);
    return id;
  }

  removeRouteResponse(id: string): void {
    this.routeResponses.delete(id);
  }

  /** Freezes the API as it is now. Inputs are replaced and never changed, so references are copy enough. */
  deploy(): string {
    if (this.routes.size === 0) throw badRequest("At least one route is required before deploying the Api");
    const id = newResourceId();
    this.deployments.set(id, this.deployment());
    return id;
  }

  private deployment(): Deployment {
    const routes = new Map([...this.routes].map(([id, route]) => [route.routeKey, this.deployedRoute(id, route)]));
    return { routeSelectionExpression: this.inputs.routeSelectionExpression ?? "", routes };
  }

  private autoDeploy(): void {
    for (const stage of this.stages.values()) if (stage.autoDeploy) stage.deployment = this.deployment();
  }

  removeDeployment(id: string): void {
    const deployment = this.deployments.get(id);
    for (const stage of this.stages.values()) {
      if (deployment && stage.deployment === deployment) {
        throw badRequest(`Active stages pointing to this deployment must be moved or deleted: ${stage.name}`);
      }
    }
    this.deployments.delete(id);
  }

  addStage(inputs: check.StageInputs & { name: string }): Stage {
    if (this.stages.has(inputs.name)) throw conflict(`Stage already exists: ${inputs.name}`);
    const stage: Stage = { name: inputs.name, ...this.stageParts(inputs) };
    this.stages.set(stage.name, stage);
    return stage;
  }

  /** Connections stay open, and are under the new deployment and limits from their next message on. */
  updateStage(inputs: check.StageInputs & { name: string }): void {
    const stage = this.stages.get(inputs.name);
    if (!stage) throw notFound(`Invalid stage identifier ${inputs.name}`);
    Object.assign(stage, this.stageParts(inputs));
  }

  private stageParts(inputs: check.StageInputs): Omit<Stage, "name"> {
    this.check.stage(inputs);
    const deployment = inputs.deploymentId ? this.deployments.get(inputs.deploymentId) : undefined;
    if (inputs.deploymentId && !deployment) throw badRequest(`Deployment id ${inputs.deploymentId} does not exist`);
    // As the service says it. https://github.com/terraform-aws-modules/terraform-aws-apigateway-v2/pull/80
    for (const { routeKey } of inputs.routeSettings ?? []) {
      if (![...this.routes.values()].some((route) => route.routeKey === routeKey)) {
        throw notFound(`Unable to find Route by key ${routeKey} within the provided RouteSettings`);
      }
    }
    const { autoDeploy = false, accessLogSettings: accessLog } = inputs;
    const throttle = new StageThrottle(inputs.defaultRouteSettings, inputs.routeSettings ?? []);
    return { autoDeploy, deployment: autoDeploy ? this.deployment() : deployment, throttle, accessLog };
  }

  private deployedRoute(id: string, route: check.RouteInputs): DeployedRoute {
    const integrationId = integrationIdOf(route);
    return {
      routeKey: route.routeKey,
      integration: this.integrations.get(integrationId),
      integrationResponses: [...this.integrationResponses.values()].filter(
        (response) => response.integrationId === integrationId,
      ),
      answers:
        route.routeResponseSelectionExpression === "$default" &&
        [...this.routeResponses.values()].some((response) => response.routeId === id),
    };
  }
}

function integrationIdOf(route: check.RouteInputs): string {
  return /^integrations\/(.+)$/.exec(route.target ?? "")?.[1] ?? "";
}

function removeWhere<T>(map: Map<string, T>, matches: (value: T) => boolean): void {
  for (const [id, value] of map) if (matches(value)) map.delete(id);
}
