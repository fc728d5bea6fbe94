import { createHash } from "node:crypto";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { CallbackFunction, PolicyStatement } from "./callbackFunction";

export interface GatewayArgs {
  stageName: string;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

export interface DeployArgs {
  connect: CallbackFunction;
  disconnect: CallbackFunction;
  throttlingRateLimit: number;
  throttlingBurstLimit: number;
}

/**
 * The WebSocket API. In two steps, since the functions need its address before it can route to them: the constructor
 * makes the API, `deploy` its routes and the stage.
 */
export class Gateway extends pulumi.ComponentResource {
  readonly api: aws.apigatewayv2.Api;
  /** `https://{api host}`: the origin that React Native on Android sends, and always an allowed one. */
  readonly origin: pulumi.Output<string>;
  /** Where functions post to connections. Fixed here, since behind a custom domain an event's domain is the wrong one. */
  readonly managementEndpoint: pulumi.Output<string>;

  connectRoute!: aws.apigatewayv2.Route;
  connectIntegration!: aws.apigatewayv2.Integration;
  connectPermission!: aws.lambda.Permission;
  disconnectRoute!: aws.apigatewayv2.Route;
  disconnectIntegration!: aws.apigatewayv2.Integration;
  disconnectPermission!: aws.lambda.Permission;
  pingRoute!: aws.apigatewayv2.Route;
  pingIntegration!: aws.apigatewayv2.Integration;
  pingIntegrationResponse!: aws.apigatewayv2.IntegrationResponse;
  pingRouteResponse!: aws.apigatewayv2.RouteResponse;
  deployment!: aws.apigatewayv2.Deployment;
  stage!: aws.apigatewayv2.Stage;

  constructor(
    private readonly name: string,
    private readonly args: GatewayArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("websocket-relay:index:Gateway", `${name}-gateway`, {}, opts);

    this.api = new aws.apigatewayv2.Api(
      `${name}-api`,
      { protocolType: "WEBSOCKET", routeSelectionExpression: "$request.body.action", tags: args.tags },
      { parent: this },
    );
    // wss -> https; locally ws -> http.
    this.origin = this.api.apiEndpoint.apply((endpoint) => endpoint.replace(/^ws/, "http"));
    this.managementEndpoint = pulumi.interpolate`${this.origin}/${args.stageName}`;
  }

  /** Creates what answers on the API. To be called once. */
  deploy(args: DeployArgs): void {
    const { name } = this;
    const child = { parent: this };

    this.connectIntegration = this.lambdaIntegration("connect", args.connect);
    this.connectRoute = this.route("connect", "$connect", this.connectIntegration);
    this.connectPermission = this.invokePermission("connect", "$connect", args.connect);

    this.disconnectIntegration = this.lambdaIntegration("disconnect", args.disconnect);
    this.disconnectRoute = this.route("disconnect", "$disconnect", this.disconnectIntegration);
    this.disconnectPermission = this.invokePermission("disconnect", "$disconnect", args.disconnect);

    // A heartbeat that costs no invocation: the gateway itself answers {"action":"ping"}.
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-integration-responses.html
    const pingRequest = { passthroughBehavior: "WHEN_NO_MATCH", requestTemplates: { $default: '{"statusCode":200}' } };
    const twoWay = { routeResponseSelectionExpression: "$default" };
    const pong = { integrationResponseKey: "/200/", responseTemplates: { $default: '{"type":"pong"}' } };
    this.pingIntegration = new aws.apigatewayv2.Integration(
      `${name}-ping-integration`,
      { apiId: this.api.id, integrationType: "MOCK", templateSelectionExpression: "\\$default", ...pingRequest },
      child,
    );
    this.pingIntegrationResponse = new aws.apigatewayv2.IntegrationResponse(
      `${name}-ping-integration-response`,
      {
        apiId: this.api.id,
        integrationId: this.pingIntegration.id,
        templateSelectionExpression: "\\$default",
        ...pong,
      },
      child,
    );
    this.pingRoute = this.route("ping", "ping", this.pingIntegration, twoWay);
    this.pingRouteResponse = new aws.apigatewayv2.RouteResponse(
      `${name}-ping-route-response`,
      { apiId: this.api.id, routeId: this.pingRoute.id, routeResponseKey: "$default" },
      child,
    );

    // A deployment is a snapshot: it must come after everything that it is to contain, and anew when any of that changes.
    const routes = [this.connectRoute, this.disconnectRoute, this.pingRoute];
    const integrations = [this.connectIntegration, this.disconnectIntegration, this.pingIntegration];
    // Nothing that the provider may leave out of its answer: a preview would not know it, and announce a new deployment.
    const contents = pulumi.jsonStringify([
      routes.map(({ routeKey, target }) => [routeKey, target]),
      [this.connectIntegration, this.disconnectIntegration].map(({ integrationUri }) => integrationUri),
      [pingRequest, pong, twoWay, this.pingIntegrationResponse.id, this.pingRouteResponse.id],
    ]);
    this.deployment = new aws.apigatewayv2.Deployment(
      `${name}-deployment`,
      {
        apiId: this.api.id,
        triggers: { contents: contents.apply((text) => createHash("sha256").update(text).digest("hex")) },
      },
      { ...child, dependsOn: [...routes, ...integrations, this.pingIntegrationResponse, this.pingRouteResponse] },
    );

    this.stage = new aws.apigatewayv2.Stage(
      `${name}-stage`,
      {
        apiId: this.api.id,
        name: this.args.stageName,
        deploymentId: this.deployment.id,
        // Both, or neither: an omitted one is sent as 0, and every request is answered 429 (pulumi-aws#2363).
        defaultRouteSettings: {
          throttlingRateLimit: args.throttlingRateLimit,
          throttlingBurstLimit: args.throttlingBurstLimit,
        },
        tags: this.args.tags,
      },
      // A client that comes before the permissions would be answered 500.
      { ...child, dependsOn: [this.connectPermission, this.disconnectPermission] },
    );

    this.registerOutputs({ websocketUrl: this.stage.invokeUrl });
  }

  /** The right to post to the stage's connections, to look at them and to close them. */
  manageConnectionsStatement(): PolicyStatement {
    return {
      Action: ["execute-api:ManageConnections"],
      Resource: ["POST", "GET", "DELETE"].map(
        (method) => pulumi.interpolate`${this.api.executionArn}/${this.args.stageName}/${method}/@connections/*`,
      ),
    };
  }

  private lambdaIntegration(part: string, { function: handler }: CallbackFunction): aws.apigatewayv2.Integration {
    return new aws.apigatewayv2.Integration(
      `${this.name}-${part}-integration`,
      {
        apiId: this.api.id,
        integrationType: "AWS_PROXY",
        // Of the call to Lambda, which takes no other.
        integrationMethod: "POST",
        integrationUri: handler.invokeArn,
      },
      { parent: this },
    );
  }

  private route(
    part: string,
    routeKey: string,
    integration: aws.apigatewayv2.Integration,
    args: Partial<aws.apigatewayv2.RouteArgs> = {},
  ): aws.apigatewayv2.Route {
    return new aws.apigatewayv2.Route(
      `${this.name}-${part}-route`,
      { apiId: this.api.id, routeKey, target: pulumi.interpolate`integrations/${integration.id}`, ...args },
      { parent: this },
    );
  }

  private invokePermission(part: string, routeKey: string, callbackFunction: CallbackFunction): aws.lambda.Permission {
    return new aws.lambda.Permission(
      `${this.name}-${part}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: callbackFunction.function.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: pulumi.interpolate`${this.api.executionArn}/*/${routeKey}`,
      },
      { parent: this },
    );
  }
}
