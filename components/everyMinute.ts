import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { FunctionSettings } from "./functions/relayFunction";

/** What calls a function every minute. */
export interface EveryMinute {
  rule: aws.cloudwatch.EventRule;
  /** For the rule to call the function. */
  permission: aws.lambda.Permission;
  targets: aws.cloudwatch.EventTarget[];
}

/** By the name of its target: JSON, or undefined for EventBridge's own event. */
export type TargetInputs = Record<string, string | undefined>;

/**
 * The next minute's run does what a late or failed one has left. By default, EventBridge retries to reach the function for a
 * day, and Lambda keeps a run for six hours if the function is throttled and repeats a failed one twice: hundreds of runs would
 * start together once a throttle ends. A minute is the lowest age that both services take.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
const WITHIN_ITS_MINUTE = { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 0 };

/** Has Lambda drop a run that cannot start within its minute, and repeat none. */
export function withinItsMinute(
  name: string,
  called: aws.lambda.Function,
  opts: pulumi.CustomResourceOptions,
): aws.lambda.FunctionEventInvokeConfig {
  return new aws.lambda.FunctionEventInvokeConfig(
    `${name}-invoke-config`,
    { functionName: called.name, ...WITHIN_ITS_MINUTE },
    opts,
  );
}

/** Has EventBridge call the function every minute, once for each target: at most five. */
export function everyMinute(
  name: string,
  called: aws.lambda.Function,
  inputs: TargetInputs,
  tags: FunctionSettings["tags"],
  opts: pulumi.CustomResourceOptions,
): EveryMinute {
  const rule = new aws.cloudwatch.EventRule(`${name}-rule`, { scheduleExpression: "rate(1 minute)", tags }, opts);
  const permission = new aws.lambda.Permission(
    `${name}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: called.name,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    },
    opts,
  );
  const targets = Object.entries(inputs).map(
    ([targetName, input]) =>
      new aws.cloudwatch.EventTarget(
        targetName,
        { rule: rule.name, arn: called.arn, input, retryPolicy: WITHIN_ITS_MINUTE },
        { ...opts, dependsOn: [permission] },
      ),
  );
  return { rule, permission, targets };
}
