import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { CallbackFunction } from "../lambda/callbackFunction";

/** What calls a function every minute. */
export interface EveryMinute {
  rule: aws.cloudwatch.EventRule;
  permission: aws.lambda.Permission;
  target: aws.cloudwatch.EventTarget;
}

/** @param name Prefix of the names of what is made. */
export function everyMinute(
  name: string,
  { function: handler }: CallbackFunction,
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>,
  parent: pulumi.Resource,
): EveryMinute {
  const rule = new aws.cloudwatch.EventRule(`${name}-rule`, { scheduleExpression: "rate(1 minute)", tags }, { parent });
  const permission = new aws.lambda.Permission(
    `${name}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: handler.name,
      principal: "events.amazonaws.com",
      sourceArn: rule.arn,
    },
    { parent },
  );
  const target = new aws.cloudwatch.EventTarget(
    `${name}-target`,
    { rule: rule.name, arn: handler.arn },
    { parent, dependsOn: [permission] },
  );
  return { rule, permission, target };
}
