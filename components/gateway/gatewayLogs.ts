import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedGatewayLogs } from "../args/gatewayLogsArgs";

export interface GatewayLogsPartArgs extends ResolvedGatewayLogs {
  api: aws.apigatewayv2.Api;
  stageName: string;
  logRetentionInDays: number;
  /** The key of the log groups. @default CloudWatch's own */
  kmsKeyArn?: pulumi.Input<string>;
  /** The boundary of the account's role. @default none */
  permissionsBoundaryArn?: pulumi.Input<string>;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/** The log groups of the stage and, with `create`, the account's role that writes to them. */
export class GatewayLogs extends pulumi.ComponentResource {
  readonly logGroup: aws.cloudwatch.LogGroup;
  /** Absent if `executionLoggingLevel` is `OFF`. */
  readonly executionLogGroup: aws.cloudwatch.LogGroup | undefined;
  readonly role: aws.iam.Role | undefined;
  readonly rolePolicy: aws.iam.RolePolicy | undefined;
  /** A setting of the whole account and region: see `gatewayLogs.accountRole`. */
  readonly account: aws.apigateway.Account | undefined;

  constructor(name: string, args: GatewayLogsPartArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:GatewayLogs", `${name}-access-logs`, {}, opts);
    const { tags } = args;
    const logGroupArgs = { retentionInDays: args.logRetentionInDays, kmsKeyId: args.kmsKeyArn, tags };

    this.logGroup = new aws.cloudwatch.LogGroup(`${name}-access-logs`, logGroupArgs, { parent: this });
    if (args.executionLoggingLevel !== "OFF") {
      this.executionLogGroup = new aws.cloudwatch.LogGroup(
        `${name}-execution-logs`,
        {
          // API Gateway writes to the group of this name, and creates it, without retention and key, if it does not exist. For
          // WebSocket APIs the name is not documented; docs/operations.md has a check.
          name: pulumi.interpolate`/aws/apigateway/${args.api.id}/${args.stageName}`,
          ...logGroupArgs,
        },
        { parent: this },
      );
    }

    if (args.accountRole === "create") {
      this.role = new aws.iam.Role(
        `${name}-access-logs-role`,
        {
          assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "apigateway.amazonaws.com" }),
          permissionsBoundary: args.permissionsBoundaryArn,
          tags,
        },
        { parent: this },
      );
      this.rolePolicy = new aws.iam.RolePolicy(
        `${name}-access-logs-policy`,
        { role: this.role.id, policy: JSON.stringify(accountRolePolicy) },
        { parent: this },
      );
      this.account = new aws.apigateway.Account(
        `${name}-account`,
        { cloudwatchRoleArn: this.role.arn },
        // API Gateway refuses a role that cannot write.
        { parent: this, dependsOn: [this.rolePolicy] },
      );
    }

    this.registerOutputs({ logGroupName: this.logGroup.name });
  }

  /** Resources that must exist before a stage can log. */
  prerequisites(): pulumi.Resource[] {
    return [this.account, this.executionLogGroup].filter((resource) => resource !== undefined);
  }

  /** The stage's `accessLogSettings`. */
  stageSettings(): { destinationArn: pulumi.Output<string>; format: string } {
    return { destinationArn: this.logGroup.arn, format: accessLogFormat };
  }
}

/**
 * The actions that API Gateway requires of the account's role, for all APIs of the account and region, including execution
 * logs: fewer would break other APIs. https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
 */
const accountRolePolicy = {
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "logs:GetLogEvents",
        "logs:FilterLogEvents",
      ],
      Resource: "*",
    },
  ],
};

/**
 * One line of JSON for each event. WebSocket APIs have no variables for headers, query or body, so no token is logged. The
 * user agent is left out: it is the only text that a client can choose.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
 */
const accessLogFormat = JSON.stringify({
  requestId: "$context.requestId",
  extendedRequestId: "$context.extendedRequestId",
  requestTime: "$context.requestTime",
  eventType: "$context.eventType",
  routeKey: "$context.routeKey",
  stage: "$context.stage",
  connectionId: "$context.connectionId",
  connectedAt: "$context.connectedAt",
  messageId: "$context.messageId",
  status: "$context.status",
  error: "$context.error.message",
  errorResponseType: "$context.error.responseType",
  integrationLatency: "$context.integrationLatency",
  sourceIp: "$context.identity.sourceIp",
});
