/**
 * What AWS Security Hub (CSPM) and the managed rules of AWS Config ask of the resources that a relay creates: each control is a
 * predicate over what a program registers, or such a predicate with a reasoned exception. A test runs them over the registrations
 * of `Pulumi.prod.yaml` in both delivery modes, and docs/security.md is generated from them.
 *
 * https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-controls-reference.html
 * https://docs.aws.amazon.com/config/latest/developerguide/managed-rules-by-aws-config.html
 */
import {
  allowed,
  deniesWithoutTls,
  isNotPublic,
  isOfHttpApi,
  isText,
  type Registered,
  routeSettingsOf,
} from "./registeredResources";

/** Settings that `Pulumi.prod.yaml` does not have, and that meet more controls. */
export const hardeningSettings = ["kmsKeyArn", "alarms.actions", "logRetentionInDays: 365"] as const;

export type HardeningSetting = (typeof hardeningSettings)[number];

interface Exception {
  reason: string;
  /** The resources to which it applies, by name. @default all of the control's types */
  resources?: RegExp;
  /** The setting that meets the control. @default none does */
  unless?: HardeningSetting;
}

export interface Control {
  /** Its id in Security Hub. @default Security Hub does not have it */
  securityHub?: string;
  /** The managed rule of AWS Config. @default no managed rule checks this */
  configRule?: string;
  /** What it asks for, in a few words. */
  asks: string;
  /** Without the prefix `aws:` and the module: `sqs/queue:Queue`. */
  types: readonly string[];
  /** Whether a resource has what it asks for. `all` is everything that the program registered. */
  holds: (resource: Registered, all: readonly Registered[]) => boolean;
  exception?: Exception;
}

const stage = "apigatewayv2/stage:Stage";
const route = "apigatewayv2/route:Route";
const alarm = "cloudwatch/metricAlarm:MetricAlarm";
const logGroup = "cloudwatch/logGroup:LogGroup";
const table = "dynamodb/table:Table";
const role = "iam/role:Role";
const rolePolicy = "iam/rolePolicy:RolePolicy";
const lambda = "lambda/function:Function";
const permission = "lambda/permission:Permission";
const topic = "sns/topic:Topic";
const topicPolicy = "sns/topicPolicy:TopicPolicy";
const queue = "sqs/queue:Queue";
const queuePolicy = "sqs/queuePolicy:QueuePolicy";

const ownKey = "AWS's own keys encrypt it otherwise.";

export const controls: readonly Control[] = [
  {
    securityHub: "APIGateway.1",
    configRule: "api-gw-execution-logging-enabled",
    asks: "execution logs, for each route",
    types: [stage],
    holds: (resource) =>
      isOfHttpApi(resource) ||
      routeSettingsOf(resource).every(({ loggingLevel }) => ["ERROR", "INFO"].includes(String(loggingLevel))),
  },
  {
    asks: "no data tracing: it logs tokens and payloads",
    types: [stage],
    holds: (resource) =>
      isOfHttpApi(resource) || routeSettingsOf(resource).every(({ dataTraceEnabled }) => dataTraceEnabled === false),
  },
  {
    securityHub: "APIGateway.8",
    configRule: "api-gwv2-authorization-type-configured",
    asks: "an authorization type for each route",
    types: [route],
    holds: ({ inputs }) => !["NONE", undefined].includes(inputs.authorizationType as string | undefined),
    exception: {
      reason:
        "`connect` authenticates instead, since no authorizer accepts a token in a header, a subprotocol or a cookie " +
        "([why](decisions/authentication-in-connect.md)). API Gateway authorizes only `$connect`; later frames are those of an " +
        "admitted connection. `read` authenticates each request to the HTTP API of `httpRead` in the same way.",
    },
  },
  {
    securityHub: "APIGateway.9",
    configRule: "api-gwv2-access-logs-enabled",
    asks: "access logs",
    types: [stage],
    holds: ({ inputs }) => {
      const { destinationArn, format } = (inputs.accessLogSettings ?? {}) as Record<string, unknown>;
      return Boolean(destinationArn && format);
    },
  },
  {
    securityHub: "APIGateway.10",
    configRule: "apigatewayv2-integration-private-https-enabled",
    asks: "TLS for private integrations: there are none",
    types: ["apigatewayv2/integration:Integration"],
    holds: ({ inputs }) => inputs.connectionType !== "VPC_LINK" || inputs.tlsConfig !== undefined,
  },
  {
    configRule: "api-gwv2-stage-default-route-detailed-metrics-enabled",
    asks: "metrics for each route of the API",
    types: [stage],
    holds: ({ inputs }) => (inputs.defaultRouteSettings as Record<string, unknown>).detailedMetricsEnabled === true,
    exception: {
      reason:
        "CloudWatch bills them as custom metrics. The relay's own metrics count handshakes, frames and refusals by their reason.",
    },
  },
  {
    securityHub: "CloudWatch.15",
    configRule: "cloudwatch-alarm-action-check",
    asks: "an action for each alarm",
    types: [alarm],
    holds: ({ inputs }) => ((inputs.alarmActions ?? []) as unknown[]).length > 0,
    exception: { unless: "alarms.actions", reason: "Only you know whom to notify." },
  },
  {
    securityHub: "CloudWatch.16",
    configRule: "cw-loggroup-retention-period-check",
    asks: "logs that are kept for 365 days",
    types: [logGroup],
    holds: ({ inputs }) => inputs.retentionInDays === 0 || Number(inputs.retentionInDays) >= 365,
    exception: {
      unless: "logRetentionInDays: 365",
      reason:
        "The logs have IP addresses and users' ids, which are not to be kept longer than they are needed: 90 days.",
    },
  },
  {
    securityHub: "CloudWatch.17",
    configRule: "cloudwatch-alarm-action-enabled-check",
    asks: "alarms whose actions are enabled",
    types: [alarm],
    holds: ({ inputs }) => inputs.actionsEnabled !== false,
  },
  {
    configRule: "cloudwatch-log-group-encrypted",
    asks: "a KMS key for each log group",
    types: [logGroup],
    holds: ({ inputs }) => isText(inputs.kmsKeyId),
    exception: { unless: "kmsKeyArn", reason: ownKey },
  },
  {
    securityHub: "DynamoDB.1",
    configRule: "dynamodb-autoscaling-enabled",
    asks: "tables that scale with demand",
    types: [table],
    holds: ({ inputs }) => inputs.billingMode === "PAY_PER_REQUEST",
  },
  {
    securityHub: "DynamoDB.2",
    configRule: "dynamodb-pitr-enabled",
    asks: "point-in-time recovery",
    types: [table],
    holds: ({ inputs }) => (inputs.pointInTimeRecovery as { enabled?: boolean } | undefined)?.enabled === true,
  },
  {
    securityHub: "DynamoDB.4",
    configRule: "dynamodb-resources-protected-by-backup-plan",
    asks: "a backup plan for each table",
    types: [table],
    holds: (_, all) => all.some(({ type }) => type === "aws:backup/selection:Selection"),
    exception: {
      reason:
        "Point-in-time recovery covers 35 days, and sessions and messages live for hours or days. A backup plan of yours can select " +
        "the tables by their tags.",
    },
  },
  {
    securityHub: "DynamoDB.6",
    configRule: "dynamodb-table-deletion-protection-enabled",
    asks: "deletion protection",
    types: [table],
    holds: ({ inputs }) => inputs.deletionProtectionEnabled === true,
  },
  {
    configRule: "dynamodb-table-encrypted-kms",
    asks: "a KMS key for each table",
    types: [table],
    holds: ({ inputs }) => isText((inputs.serverSideEncryption as { kmsKeyArn?: unknown } | undefined)?.kmsKeyArn),
    exception: { unless: "kmsKeyArn", reason: ownKey },
  },
  {
    securityHub: "IAM.1",
    configRule: "iam-policy-no-statements-with-admin-access",
    asks: "no policy that allows everything",
    types: [rolePolicy],
    holds: (resource) => allowed(resource).every(({ actions }) => !actions.includes("*")),
  },
  {
    securityHub: "IAM.21",
    configRule: "iam-policy-no-statements-with-full-access",
    asks: "no policy that allows all actions of a service",
    types: [rolePolicy],
    holds: (resource) => allowed(resource).every(({ actions }) => !actions.some((action) => /^[^:]+:\*$/.test(action))),
  },
  {
    configRule: "iam-no-inline-policy-check",
    asks: "no inline policies",
    types: [role],
    holds: ({ name }, all) =>
      !all.some(({ type, inputs }) => type === `aws:${rolePolicy}` && String(inputs.role).startsWith(name)),
    exception: {
      reason:
        "Each role belongs to one function, and its policy names what that function uses. An inline policy cannot be attached to " +
        "another identity, and is deleted with its role.",
    },
  },
  {
    securityHub: "KMS.2",
    configRule: "iam-inline-policy-blocked-kms-actions",
    asks: "no inline policy that decrypts with every key",
    types: [rolePolicy],
    holds: (resource) =>
      allowed(resource)
        .filter(({ actions }) => actions.some((action) => /^(kms:(decrypt|reencryptfrom|\*)|\*)$/i.test(action)))
        .every(({ resources }) => resources.every((arn) => !arn.endsWith("*"))),
  },
  {
    securityHub: "Lambda.1",
    configRule: "lambda-function-public-access-prohibited",
    asks: "functions that only their own trigger may call",
    types: [permission],
    holds: ({ inputs }) => /^[\w-]+\.amazonaws\.com$/.test(String(inputs.principal)) && isText(inputs.sourceArn),
  },
  {
    securityHub: "Lambda.2",
    configRule: "lambda-function-settings-check",
    asks: "a runtime that AWS supports",
    types: [lambda],
    // https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    holds: ({ inputs }) => ["nodejs22.x", "nodejs24.x"].includes(String(inputs.runtime)),
  },
  {
    securityHub: "Lambda.3",
    configRule: "lambda-inside-vpc",
    asks: "functions in a VPC",
    types: [lambda],
    holds: ({ inputs }) => inputs.vpcConfig !== undefined,
    exception: {
      reason:
        "The functions call only AWS's public APIs and the token issuer, over https. In a VPC, `connect` could reach the issuer only " +
        "through a NAT gateway.",
    },
  },
  {
    securityHub: "Lambda.5",
    configRule: "lambda-vpc-multi-az-check",
    asks: "two zones for functions in a VPC: there are none",
    types: [lambda],
    holds: ({ inputs }) => {
      const { subnetIds } = (inputs.vpcConfig ?? {}) as { subnetIds?: unknown[] };
      return inputs.vpcConfig === undefined || (subnetIds?.length ?? 0) >= 2;
    },
  },
  {
    securityHub: "Lambda.7",
    configRule: "lambda-function-xray-enabled",
    asks: "X-Ray tracing",
    types: [lambda],
    holds: ({ inputs }) => (inputs.tracingConfig as { mode?: string } | undefined)?.mode === "Active",
    exception: {
      reason:
        "A message's id leads through all logs instead ([follow one message](operations.md#follow-one-message)). X-Ray costs extra, " +
        "and its rights cannot be limited to a resource.",
    },
  },
  {
    configRule: "lambda-dlq-check",
    asks: "a dead-letter queue for each function",
    types: [lambda],
    holds: ({ inputs }) => inputs.deadLetterConfig !== undefined,
    exception: {
      reason:
        "It would only be used for asynchronous calls. Of those, a relay has the sweepers' calls, and the next minute repeats them. " +
        "Messages have the queues' dead-letter queues.",
    },
  },
  {
    configRule: "lambda-concurrency-check",
    asks: "reserved concurrency for each function",
    types: [lambda],
    holds: ({ inputs }) => inputs.reservedConcurrentExecutions !== undefined,
    exception: {
      reason:
        "What is reserved is lost to the account's other functions. `maximumConcurrency` bounds `deliver` and `flush`, and the stage's " +
        "throttles bound the others. `connectReservedConcurrentExecutions` reserves a part for `connect`, where you set it.",
    },
  },
  {
    securityHub: "SNS.1",
    configRule: "sns-encrypted-kms",
    asks: "a KMS key for each topic",
    types: [topic],
    holds: ({ inputs }) => isText(inputs.kmsMasterKeyId),
    exception: {
      unless: "kmsKeyArn",
      reason:
        "Otherwise SNS encrypts only [its disks](https://docs.aws.amazon.com/sns/latest/dg/sns-data-encryption.html). The relay does " +
        "not use the AWS managed key, `alias/aws/sns`: publishers in other accounts could not publish, because its policy cannot be " +
        "changed.",
    },
  },
  {
    securityHub: "SNS.4",
    configRule: "sns-topic-no-public-access",
    asks: "topics that are not public",
    types: [topicPolicy],
    holds: isNotPublic,
  },
  {
    configRule: "sns-topic-message-delivery-notification-enabled",
    asks: "a log of each delivery by SNS",
    types: [topic],
    holds: ({ inputs }) => isText(inputs.sqsFailureFeedbackRoleArn),
    exception: {
      reason: "What SNS cannot deliver is in the subscription's dead-letter queue, and CloudWatch counts it.",
    },
  },
  {
    securityHub: "SQS.1",
    asks: "encrypted queues",
    types: [queue],
    holds: ({ inputs }) => inputs.sqsManagedSseEnabled === true || isText(inputs.kmsMasterKeyId),
  },
  {
    securityHub: "SQS.3",
    configRule: "sqs-queue-no-public-access",
    asks: "queues that are not public",
    types: [queuePolicy],
    holds: isNotPublic,
  },
  {
    configRule: "sqs-queue-policy-full-access-check",
    asks: "no queue's policy that allows all actions",
    types: [queuePolicy],
    holds: (resource) =>
      allowed(resource).every(({ actions }) => !actions.some((action) => /^(sqs:)?\*$/i.test(action))),
  },
  {
    configRule: "sqs-queue-dlq-check",
    asks: "a dead-letter queue for each queue",
    types: [queue],
    holds: ({ inputs }) => isText(inputs.redrivePolicy),
    exception: {
      resources: /-(dead-letter-queue|flush-queue)$/,
      reason:
        "The retry queue has one. The dead-letter queues need none, and neither does the queue of `flush`: its requests contain no " +
        "message, and a client's next connection makes a new one.",
    },
  },
  {
    asks: "queues and topics that deny calls without TLS",
    types: [queue, topic],
    holds: deniesWithoutTls,
  },
  tagged("DynamoDB.5", "tables", table),
  tagged("IAM.24", "roles", role),
  tagged("Lambda.6", "functions", lambda),
  tagged("SNS.3", "topics", topic),
  tagged("SQS.2", "queues", queue),
];

/** Types for which neither Security Hub nor AWS Config has a control, or only one about what a relay does not use. */
export const typesWithoutControls: readonly string[] = [
  "apigatewayv2/api:Api",
  "apigatewayv2/deployment:Deployment",
  "apigatewayv2/integrationResponse:IntegrationResponse",
  "apigatewayv2/routeResponse:RouteResponse",
  "cloudwatch/dashboard:Dashboard",
  // Controls of EventBridge are about event buses, and these use the account's default one.
  "cloudwatch/eventRule:EventRule",
  "cloudwatch/eventTarget:EventTarget",
  "lambda/eventSourceMapping:EventSourceMapping",
  "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  "sns/topicSubscription:TopicSubscription",
];

/** Security Hub has such a control for each service, by a rule of its own. */
function tagged(securityHub: string, what: string, type: string): Control {
  return {
    securityHub,
    asks: `${what} with a tag`,
    types: [type],
    holds: ({ inputs }) => Object.keys((inputs.tags ?? {}) as object).length > 0,
  };
}

/** What a control is called in Security Hub, or else in AWS Config, or else what it asks for. */
export function controlName({ securityHub, configRule, asks }: Control): string {
  return securityHub ?? configRule ?? asks;
}
