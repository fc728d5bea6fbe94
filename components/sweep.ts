import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "./args";
import type { CallbackFunction } from "./callbackFunction";
import { type FunctionParts, sweepFunction } from "./functions";

/** Ends the sessions whose token has ended: a function, and the rule that calls it every minute. */
export class Sweep extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  readonly rule: aws.cloudwatch.EventRule;
  readonly permission: aws.lambda.Permission;
  readonly target: aws.cloudwatch.EventTarget;

  constructor(name: string, parts: FunctionParts, args: ResolvedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Sweep", `${name}-sweeper`, {}, opts);
    const child = { parent: this };

    this.callbackFunction = sweepFunction(name, parts, args, child);
    this.rule = new aws.cloudwatch.EventRule(
      `${name}-sweep-rule`,
      { scheduleExpression: "rate(1 minute)", tags: args.tags },
      child,
    );
    this.permission = new aws.lambda.Permission(
      `${name}-sweep-permission`,
      {
        action: "lambda:InvokeFunction",
        function: this.callbackFunction.function.name,
        principal: "events.amazonaws.com",
        sourceArn: this.rule.arn,
      },
      child,
    );
    this.target = new aws.cloudwatch.EventTarget(
      `${name}-sweep-target`,
      { rule: this.rule.name, arn: this.callbackFunction.function.arn },
      { ...child, dependsOn: [this.permission] },
    );

    this.registerOutputs({ functionArn: this.callbackFunction.function.arn });
  }
}
