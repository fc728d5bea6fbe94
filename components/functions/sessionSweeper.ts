import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import type { CallbackFunction } from "../lambda/callbackFunction";
import { everyMinute } from "./everyMinute";
import { type FunctionParts, sweepFunction } from "./functions";

/** Ends the sessions whose token has ended: a function, and the rule that calls it every minute. */
export class Sweep extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  readonly rule: aws.cloudwatch.EventRule;
  readonly permission: aws.lambda.Permission;
  readonly target: aws.cloudwatch.EventTarget;

  constructor(name: string, parts: FunctionParts, args: ResolvedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Sweep", `${name}-sweeper`, {}, opts);

    this.callbackFunction = sweepFunction(name, parts, args, { parent: this });
    const { rule, permission, target } = everyMinute(`${name}-sweep`, this.callbackFunction, args.tags, this);
    this.rule = rule;
    this.permission = permission;
    this.target = target;

    this.registerOutputs({ functionArn: this.callbackFunction.function.arn });
  }
}
