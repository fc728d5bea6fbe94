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
        { rule: rule.name, arn: called.arn, input },
        { ...opts, dependsOn: [permission] },
      ),
  );
  return { rule, permission, targets };
}
