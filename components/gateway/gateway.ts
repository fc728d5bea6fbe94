import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedGatewayLogs } from "../args/gatewayLogsArgs";
import { originsOf, type ResolvedCustomDomain } from "../args/customDomainArgs";
import { requireComputed } from "../args/requireComputed";
import type { Throttles } from "../args/throttleArgs";
import type { CallbackFunction, PolicyStatement } from "../lambda/callbackFunction";
import { GatewayLogs } from "./gatewayLogs";
import { CustomDomain } from "./customDomain";
import { contentsHash } from "./deploymentTrigger";
import { type LambdaRoute, lambdaRoute, route } from "./lambdaRoute";
import { pingRoute } from "./pingRoute";
import { routeSettings } from "./routeSettings";

export interface GatewayArgs {
  stageName: string;
  ipAddressType: "ipv4" | "dualstack";
  /** None if undefined. */
  customDomain: ResolvedCustomDomain | undefined;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

export interface DeployArgs {
  connect: CallbackFunction;
  disconnect: CallbackFunction;
  /** Called with clients' frames in replay mode. @default the gateway drops such frames */
  frames?: { resume: CallbackFunction; acknowledge: CallbackFunction };
  /** None if undefined. */
  gatewayLogs: ResolvedGatewayLogs | undefined;
  logRetentionInDays: number;
  /** The key of the gateway's logs. @default CloudWatch's own */
  kmsKeyArn?: pulumi.Input<string>;
  /** The boundary of the role that writes the gateway's logs. @default none */
  permissionsBoundaryArn?: pulumi.Input<string>;
  throttles: Throttles;
}

/**
 * The WebSocket API, created in two steps, since the functions need its address before it can route to them: the constructor
 * creates the API, `deploy` its routes and the stage.
 */
export class Gateway extends pulumi.ComponentResource {
  readonly api: aws.apigatewayv2.Api;
  /** `https://{host}`, the API's own and the custom domain's. React Native sends them; they are always allowed. */
  readonly origins: pulumi.Output<string[]>;
  /** Where functions post to connections. Not taken from the event: behind a custom domain it has the wrong domain. */
  readonly managementEndpoint: pulumi.Output<string>;

  connectRoute!: aws.apigatewayv2.Route;
  connectIntegration!: aws.apigatewayv2.Integration;
  connectPermission!: aws.lambda.Permission;
  disconnectRoute!: aws.apigatewayv2.Route;
  disconnectIntegration!: aws.apigatewayv2.Integration;
  disconnectPermission!: aws.lambda.Permission;
  /** Leads to the ping's integration in retry mode, as does `acknowledgeRoute`. */
  resumeRoute!: aws.apigatewayv2.Route;
  /** Only in replay mode, as are the three below. */
  resumeIntegration?: aws.apigatewayv2.Integration;
  resumePermission?: aws.lambda.Permission;
  acknowledgeRoute!: aws.apigatewayv2.Route;
  acknowledgeIntegration?: aws.apigatewayv2.Integration;
  acknowledgePermission?: aws.lambda.Permission;
  pingRoute!: aws.apigatewayv2.Route;
  pingIntegration!: aws.apigatewayv2.Integration;
  pingIntegrationResponse!: aws.apigatewayv2.IntegrationResponse;
  pingRouteResponse!: aws.apigatewayv2.RouteResponse;
  deployment!: aws.apigatewayv2.Deployment;
  stage!: aws.apigatewayv2.Stage;
  gatewayLogs: GatewayLogs | undefined;
  customDomain: CustomDomain | undefined;
  /** The URL that clients open: the custom domain's, if there is one. The API's own is `stage.invokeUrl`. */
  websocketUrl!: pulumi.Output<string>;

  constructor(
    private readonly name: string,
    private readonly args: GatewayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("websocket-relay:index:Gateway", `${name}-gateway`, {}, opts);

    this.api = new aws.apigatewayv2.Api(
      `${name}-api`,
      {
        protocolType: "WEBSOCKET",
        routeSelectionExpression: "$request.body.action",
        ipAddressType: args.ipAddressType,
        tags: args.tags,
      },
      { parent: this },
    );
    // wss -> https; locally ws -> http.
    const origin = this.api.apiEndpoint.apply((endpoint) =>
      requireComputed(endpoint, `apiEndpoint of ${name}-api`).replace(/^ws/, "http"),
    );
    this.origins = pulumi.all([origin, originsOf(args.customDomain)]).apply(([own, domains]) => [own, ...domains]);
    this.managementEndpoint = pulumi.interpolate`${origin}/${args.stageName}`;
  }

  /** @internal Creates the routes, the deployment and the stage. Call it once. */
  deploy(args: DeployArgs): void {
    const { name } = this;
    const child = { parent: this };

    const connect = this.routeTo("connect", "$connect", args.connect);
    this.connectIntegration = connect.integration;
    this.connectRoute = connect.route;
    this.connectPermission = connect.permission;

    const disconnect = this.routeTo("disconnect", "$disconnect", args.disconnect);
    this.disconnectIntegration = disconnect.integration;
    this.disconnectRoute = disconnect.route;
    this.disconnectPermission = disconnect.permission;

    const ping = pingRoute(name, this.api, this);
    this.pingIntegration = ping.integration;
    this.pingIntegrationResponse = ping.integrationResponse;
    this.pingRoute = ping.route;
    this.pingRouteResponse = ping.routeResponse;

    const frames = args.frames ? this.routeFrames(args.frames) : this.dropFrames();

    // A deployment is a snapshot: it depends on everything that it contains, and is replaced when any of that changes.
    const called = [connect, disconnect, ...frames];
    const routes = [this.connectRoute, this.disconnectRoute, this.resumeRoute, this.acknowledgeRoute, this.pingRoute];
    const integrations = [...called.map(({ integration }) => integration), this.pingIntegration];
    this.deployment = new aws.apigatewayv2.Deployment(
      `${name}-deployment`,
      {
        apiId: this.api.id,
        triggers: {
          contents: contentsHash({
            api: this.api,
            routes,
            integrations,
            integrationResponses: [this.pingIntegrationResponse],
            routeResponses: [this.pingRouteResponse],
          }),
        },
      },
      { ...child, dependsOn: [...routes, ...integrations, this.pingIntegrationResponse, this.pingRouteResponse] },
    );

    const { tags, customDomain, ipAddressType, stageName } = this.args;
    const { api } = this;
    this.gatewayLogs =
      args.gatewayLogs && new GatewayLogs(name, { ...args, ...args.gatewayLogs, api, stageName, tags }, child);
    // Explicit in each route's settings too: they replace the defaults, and the provider keeps a level that is omitted.
    // https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/apigatewayv2/stage.go
    const logging = { loggingLevel: args.gatewayLogs?.executionLoggingLevel ?? "OFF", dataTraceEnabled: false };
    this.stage = new aws.apigatewayv2.Stage(
      `${name}-stage`,
      {
        apiId: this.api.id,
        name: stageName,
        deploymentId: this.deployment.id,
        ...routeSettings(
          args.throttles,
          {
            connect: this.connectRoute,
            disconnect: this.disconnectRoute,
            resume: this.resumeRoute,
            acknowledge: this.acknowledgeRoute,
            ping: this.pingRoute,
          },
          logging,
        ),
        accessLogSettings: this.gatewayLogs?.stageSettings(),
        tags,
      },
      // Before the permissions exist, clients would get 500; without the account's role, AWS refuses the logs.
      {
        ...child,
        dependsOn: [...called.map(({ permission }) => permission), ...(this.gatewayLogs?.prerequisites() ?? [])],
      },
    );

    const { stage } = this;
    this.customDomain =
      customDomain && new CustomDomain(name, { ...customDomain, api, stage, ipAddressType, tags }, child);

    this.websocketUrl = this.customDomain?.websocketUrl ?? stage.invokeUrl;
    this.registerOutputs({ websocketUrl: this.websocketUrl });
  }

  /** The right to `methods` on the stage's connections: POST sends, GET looks one up, DELETE closes it. */
  manageConnectionsStatement(...methods: ("POST" | "GET" | "DELETE")[]): PolicyStatement {
    return {
      Action: ["execute-api:ManageConnections"],
      Resource: methods.map(
        (method) => pulumi.interpolate`${this.api.executionArn}/${this.args.stageName}/${method}/@connections/*`,
      ),
    };
  }

  private routeFrames({ resume, acknowledge }: NonNullable<DeployArgs["frames"]>): LambdaRoute[] {
    const resumed = this.routeTo("resume", "resume", resume);
    this.resumeIntegration = resumed.integration;
    this.resumeRoute = resumed.route;
    this.resumePermission = resumed.permission;

    const acknowledged = this.routeTo("acknowledge", "ack", acknowledge);
    this.acknowledgeIntegration = acknowledged.integration;
    this.acknowledgeRoute = acknowledged.route;
    this.acknowledgePermission = acknowledged.permission;
    return [resumed, acknowledged];
  }

  /**
   * The routes of the frames are there in both modes: a switch to retry mode then changes them before the new deployment is
   * made, whereas routes that it removes would still be in that snapshot, and lead to functions that no longer exist.
   * Without a route response, the gateway sends nothing back.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
   */
  private dropFrames(): LambdaRoute[] {
    const routeOf = (part: string, routeKey: string): aws.apigatewayv2.Route =>
      route(`${this.name}-${part}`, this.api, routeKey, this.pingIntegration, this);
    this.resumeRoute = routeOf("resume", "resume");
    this.acknowledgeRoute = routeOf("acknowledge", "ack");
    return [];
  }

  private routeTo(part: string, routeKey: string, callbackFunction: CallbackFunction): LambdaRoute {
    return lambdaRoute(`${this.name}-${part}`, this.api, routeKey, callbackFunction, this);
  }
}
