import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Throttle } from "./args/throttleArgs";
import { type FunctionSettings, type FunctionSpec, relayFunction } from "./functions/relayFunction";
import type { CallbackFunction } from "./lambda/callbackFunction";

export interface HttpReadArgs extends FunctionSettings {
  ipAddressType: "ipv4" | "dualstack";
  /** The limits of all requests together. */
  throttle: Throttle;
  /** Whether requests are logged. */
  accessLogs: boolean;
  logRetentionInDays: number;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** Answers requests for the messages of a session: an HTTP API and its function. */
export class HttpRead extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  readonly api: aws.apigatewayv2.Api;
  readonly integration: aws.apigatewayv2.Integration;
  readonly route: aws.apigatewayv2.Route;
  readonly permission: aws.lambda.Permission;
  readonly stage: aws.apigatewayv2.Stage;
  /** Absent unless `gatewayLogs` is set. */
  readonly logGroup: aws.cloudwatch.LogGroup | undefined;
  /** The URL that readers request, with `?context=…&contextId=…`. */
  readonly readUrl: pulumi.Output<string>;

  constructor(name: string, spec: FunctionSpec, args: HttpReadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:HttpRead", `${name}-http-read`, {}, opts);
    const child = { parent: this };
    const { tags } = args;

    this.callbackFunction = relayFunction(`${name}-read`, spec, args, child);
    const { function: read } = this.callbackFunction;
    this.api = new aws.apigatewayv2.Api(
      `${name}-read-api`,
      { protocolType: "HTTP", ipAddressType: args.ipAddressType, tags },
      child,
    );
    this.integration = new aws.apigatewayv2.Integration(
      `${name}-read-integration`,
      {
        apiId: this.api.id,
        integrationType: "AWS_PROXY",
        // Lambda accepts no other method.
        integrationMethod: "POST",
        integrationUri: read.invokeArn,
        payloadFormatVersion: "2.0",
      },
      child,
    );
    this.route = new aws.apigatewayv2.Route(
      `${name}-read-route`,
      {
        apiId: this.api.id,
        // The session is in the query: an HTTP API decodes a path before it matches routes, and a contextId may have slashes.
        // Any method, since the function answers preflights, too, and says which methods there are: an API's own CORS knows no
        // origins such as `https://*.your-domain.com`, and a route that does not match is answered 404.
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
        // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
        routeKey: "ANY /",
        target: pulumi.interpolate`integrations/${this.integration.id}`,
      },
      child,
    );
    this.permission = new aws.lambda.Permission(
      `${name}-read-permission`,
      {
        action: "lambda:InvokeFunction",
        function: read.name,
        principal: "apigateway.amazonaws.com",
        sourceArn: pulumi.interpolate`${this.api.executionArn}/*/*/`,
      },
      child,
    );
    if (args.accessLogs) this.logGroup = this.createLogGroup(name, args);
    this.stage = new aws.apigatewayv2.Stage(
      `${name}-read-stage`,
      {
        apiId: this.api.id,
        name: "$default",
        autoDeploy: true,
        defaultRouteSettings: { ...args.throttle },
        accessLogSettings: this.logGroup && { destinationArn: this.logGroup.arn, format: accessLogFormat },
        tags,
      },
      // Without them, readers would get 404 or 500.
      { ...child, dependsOn: [this.route, this.permission] },
    );

    this.readUrl = this.stage.invokeUrl;
    this.registerOutputs({ readUrl: this.readUrl });
  }

  /**
   * API Gateway writes by a policy of CloudWatch Logs, not by the account's role, and adds each log group to it. Groups under
   * `/aws/vendedlogs/` do not add to that policy, whose size is limited.
   * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
   */
  private createLogGroup(name: string, { logRetentionInDays, kmsKeyArn, tags }: HttpReadArgs): aws.cloudwatch.LogGroup {
    return new aws.cloudwatch.LogGroup(
      `${name}-read-access-logs`,
      {
        name: pulumi.interpolate`/aws/vendedlogs/${name}-read-access-logs/${this.api.id}`,
        retentionInDays: logRetentionInDays,
        kmsKeyId: kmsKeyArn,
        tags,
      },
      { parent: this },
    );
  }
}

/**
 * One line of JSON for each request. Paths, queries and headers are left out: they are what a client can choose, and headers
 * hold its token.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
 */
const accessLogFormat = JSON.stringify({
  requestId: "$context.requestId",
  extendedRequestId: "$context.extendedRequestId",
  requestTime: "$context.requestTime",
  routeKey: "$context.routeKey",
  stage: "$context.stage",
  status: "$context.status",
  responseLength: "$context.responseLength",
  error: "$context.error.message",
  errorResponseType: "$context.error.responseType",
  integrationError: "$context.integrationErrorMessage",
  integrationLatency: "$context.integrationLatency",
  sourceIp: "$context.identity.sourceIp",
});
