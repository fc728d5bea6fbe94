import { region } from "../account";
import { refusal } from "./refuse";
import type { Properties } from "./resource";

/**
 * The arguments that a resource type may have here. Any other is refused: an argument with an effect on AWS must not be
 * silently ignored.
 */
export interface KnownArguments {
  /** Checked, with the same effect as on AWS as far as a relay can notice. */
  modelled: readonly string[];
  /** Accepted without the effect that they have on AWS, each with the reason. docs/local-run.md lists them. */
  withoutEffect?: Readonly<Record<string, string>>;
}

const noText = "it is shown nowhere";

/** Of topics: who may log how deliveries to each protocol went, and which part of them. */
const deliveryStatusArguments = ["application", "firehose", "http", "lambda", "sqs"].flatMap((protocol) => [
  `${protocol}FailureFeedbackRoleArn`,
  `${protocol}SuccessFeedbackRoleArn`,
  `${protocol}SuccessFeedbackSampleRate`,
]);

export const knownArguments: Readonly<Record<string, KnownArguments>> = {
  "aws:apigateway/account:Account": { modelled: ["cloudwatchRoleArn"] },
  "aws:apigatewayv2/api:Api": {
    modelled: ["name", "protocolType", "routeSelectionExpression", "disableExecuteApiEndpoint"],
    withoutEffect: { description: noText, version: noText, ipAddressType: "the API listens on IPv4" },
  },
  "aws:apigatewayv2/apiMapping:ApiMapping": { modelled: ["apiId", "apiMappingKey", "domainName", "stage"] },
  "aws:apigatewayv2/deployment:Deployment": { modelled: ["apiId", "triggers"], withoutEffect: { description: noText } },
  "aws:apigatewayv2/domainName:DomainName": {
    modelled: ["domainName", "domainNameConfiguration", "mutualTlsAuthentication"],
  },
  "aws:apigatewayv2/integration:Integration": {
    modelled: [
      "apiId",
      "integrationMethod",
      "integrationType",
      "integrationUri",
      "passthroughBehavior",
      "payloadFormatVersion",
      "requestTemplates",
      "templateSelectionExpression",
      "timeoutMilliseconds",
    ],
    withoutEffect: { description: noText },
  },
  "aws:apigatewayv2/integrationResponse:IntegrationResponse": {
    modelled: ["apiId", "integrationId", "integrationResponseKey", "responseTemplates", "templateSelectionExpression"],
  },
  "aws:apigatewayv2/route:Route": {
    modelled: [
      "apiId",
      "apiKeyRequired",
      "authorizationType",
      "routeKey",
      "routeResponseSelectionExpression",
      "target",
    ],
    withoutEffect: { operationName: noText },
  },
  "aws:apigatewayv2/routeResponse:RouteResponse": { modelled: ["apiId", "routeId", "routeResponseKey"] },
  "aws:apigatewayv2/stage:Stage": {
    modelled: [
      "accessLogSettings",
      "apiId",
      "autoDeploy",
      "defaultRouteSettings",
      "deploymentId",
      "name",
      "routeSettings",
    ],
    withoutEffect: { description: noText },
  },
  "aws:cloudwatch/dashboard:Dashboard": { modelled: ["dashboardBody", "dashboardName"] },
  "aws:cloudwatch/eventRule:EventRule": {
    modelled: ["eventBusName", "forceDestroy", "isEnabled", "name", "scheduleExpression", "state"],
    withoutEffect: { description: noText },
  },
  "aws:cloudwatch/eventTarget:EventTarget": {
    modelled: ["arn", "eventBusName", "input", "rule", "targetId"],
    withoutEffect: { retryPolicy: "every function is reached at once" },
  },
  "aws:cloudwatch/logGroup:LogGroup": {
    modelled: ["kmsKeyId", "name", "retentionInDays"],
    withoutEffect: {
      skipDestroy: "the group ends with the run",
      deletionProtectionEnabled: "the group ends with the run",
    },
  },
  "aws:cloudwatch/metricAlarm:MetricAlarm": {
    modelled: [
      "alarmActions",
      "comparisonOperator",
      "datapointsToAlarm",
      "dimensions",
      "evaluationPeriods",
      "extendedStatistic",
      "insufficientDataActions",
      "metricName",
      "metricQueries",
      "name",
      "namespace",
      "okActions",
      "period",
      "statistic",
      "threshold",
      "thresholdMetricId",
      "treatMissingData",
    ],
    withoutEffect: {
      actionsEnabled: "alarms are never evaluated",
      alarmDescription: noText,
      evaluateLowSampleCountPercentiles: "alarms are never evaluated",
      unit: "alarms are never evaluated",
    },
  },
  "aws:dynamodb/table:Table": {
    modelled: [
      "attributes",
      "billingMode",
      "deletionProtectionEnabled",
      "globalSecondaryIndexes",
      "hashKey",
      "name",
      "rangeKey",
      "readCapacity",
      "serverSideEncryption",
      "ttl",
      "writeCapacity",
    ],
    withoutEffect: {
      onDemandThroughput: "nothing is throttled",
      pointInTimeRecovery: "the table ends with the run",
      tableClass: "nothing is billed",
      warmThroughput: "nothing is throttled",
    },
  },
  "aws:iam/policy:Policy": { modelled: ["name", "path", "policy"], withoutEffect: { description: noText } },
  "aws:iam/role:Role": {
    modelled: ["assumeRolePolicy", "name", "path", "permissionsBoundary"],
    withoutEffect: {
      description: noText,
      forceDetachPolicies: "roles have inline policies alone",
      maxSessionDuration: "credentials do not end",
    },
  },
  "aws:iam/rolePolicy:RolePolicy": { modelled: ["name", "policy", "role"] },
  "aws:kms/alias:Alias": { modelled: ["name", "namePrefix", "targetKeyId"] },
  "aws:kms/key:Key": {
    modelled: [
      "bypassPolicyLockoutSafetyCheck",
      "customerMasterKeySpec",
      "deletionWindowInDays",
      "isEnabled",
      "keyUsage",
      "policy",
    ],
    withoutEffect: {
      description: noText,
      enableKeyRotation: "nothing is encrypted",
      rotationPeriodInDays: "nothing is encrypted",
    },
  },
  "aws:lambda/eventSourceMapping:EventSourceMapping": {
    modelled: [
      "batchSize",
      "enabled",
      "eventSourceArn",
      "functionName",
      "functionResponseTypes",
      "maximumBatchingWindowInSeconds",
      "scalingConfig",
    ],
    withoutEffect: { metricsConfig: "nothing here is measured by it" },
  },
  "aws:lambda/function:Function": {
    modelled: [
      "architectures",
      "code",
      "environment",
      "handler",
      "loggingConfig",
      "name",
      "packageType",
      "reservedConcurrentExecutions",
      "role",
      "runtime",
      "timeout",
    ],
    withoutEffect: {
      description: noText,
      kmsKeyArn: "the environment is not encrypted",
      memorySize: "a function's memory is not bounded",
      ephemeralStorage: "a function's disk is not bounded",
      tracingConfig: "nothing is traced by X-Ray",
      sourceCodeHash: "the code itself is compared",
      skipDestroy: "the function ends with the run",
    },
  },
  "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": {
    modelled: ["functionName"],
    withoutEffect: {
      maximumEventAgeInSeconds: "a scheduled run starts at once",
      maximumRetryAttempts: "a scheduled run that fails is not repeated",
    },
  },
  "aws:lambda/permission:Permission": {
    modelled: ["action", "function", "principal", "sourceAccount", "sourceArn", "statementId"],
  },
  "aws:route53/record:Record": {
    modelled: ["aliases", "allowOverwrite", "name", "records", "setIdentifier", "ttl", "type", "zoneId"],
    withoutEffect: { healthCheckId: "names are not resolved" },
  },
  "aws:sns/topic:Topic": {
    modelled: [
      "contentBasedDeduplication",
      "fifoThroughputScope",
      "fifoTopic",
      "kmsMasterKeyId",
      "name",
      "namePrefix",
      "policy",
    ],
    withoutEffect: {
      deliveryPolicy: "it is for HTTP endpoints",
      displayName: noText,
      ...Object.fromEntries(deliveryStatusArguments.map((argument) => [argument, "deliveries are not logged"])),
      signatureVersion: "raw deliveries are not signed",
      tracingConfig: "nothing is traced by X-Ray",
    },
  },
  "aws:sns/topicPolicy:TopicPolicy": { modelled: ["arn", "policy"] },
  "aws:sns/topicSubscription:TopicSubscription": {
    modelled: [
      "endpoint",
      "filterPolicy",
      "filterPolicyScope",
      "protocol",
      "rawMessageDelivery",
      "redrivePolicy",
      "topic",
    ],
    withoutEffect: { deliveryPolicy: "it is for HTTP endpoints" },
  },
  "aws:sqs/queue:Queue": {
    modelled: [
      "contentBasedDeduplication",
      "deduplicationScope",
      "delaySeconds",
      "fifoQueue",
      "fifoThroughputLimit",
      "kmsMasterKeyId",
      "maxMessageSize",
      "messageRetentionSeconds",
      "name",
      "namePrefix",
      "policy",
      "receiveWaitTimeSeconds",
      "redriveAllowPolicy",
      "redrivePolicy",
      "sqsManagedSseEnabled",
      "visibilityTimeoutSeconds",
    ],
    withoutEffect: { kmsDataKeyReusePeriodSeconds: "nothing is encrypted" },
  },
  "aws:sqs/queuePolicy:QueuePolicy": { modelled: ["policy", "queueUrl"] },
  "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": { modelled: ["queueUrl", "redriveAllowPolicy"] },
  "aws:sqs/redrivePolicy:RedrivePolicy": { modelled: ["queueUrl", "redrivePolicy"] },
};

/** @throws Error that names an argument that has an effect on AWS and none here. */
export function checkArguments(type: string, name: string, inputs: Properties): void {
  // A provider logs which of its arguments have no effect.
  if (type.startsWith("pulumi:providers:")) return;
  const refuse = refusal(`${type} (${name})`, "the local run");
  const { region: given } = inputs;
  if (given !== undefined && given !== region) refuse("region", given, `${region}, the only region here`);
  const known = knownArguments[type];
  if (!known) return;
  const accepted = [...known.modelled, ...Object.keys(known.withoutEffect ?? {}), "region", "tags", "tagsAll"];
  for (const [key, value] of Object.entries(inputs)) {
    if (isAbsent(value) || key.startsWith("__") || accepted.includes(key)) continue;
    refuse(
      key,
      value,
      "absent: AWS acts on it, and it is not modelled in the local run (the pulumi CLI runs the program on AWS)",
    );
  }
}

/** `false` and an empty list ask for nothing: `streamEnabled: false`, `managedPolicyArns: []`. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);
}
