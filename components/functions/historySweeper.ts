import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ResolvedArgs } from "../args/args";
import type { CallbackFunction } from "../lambda/callbackFunction";
import { everyMinute } from "./everyMinute";
import { expireFunction, type ReplayParts } from "./replayFunctions";

/** Reports and deletes what the history holds no longer: a function, and the rule that calls it every minute. */
export class Expire extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  readonly rule: aws.cloudwatch.EventRule;
  readonly permission: aws.lambda.Permission;
  readonly target: aws.cloudwatch.EventTarget;

  constructor(name: string, parts: ReplayParts, args: ResolvedArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:Expire", `${name}-expirer`, {}, opts);

    this.callbackFunction = expireFunction(name, parts, args, { parent: this });
    const { rule, permission, target } = everyMinute(`${name}-expire`, this.callbackFunction, args.tags, this);
    this.rule = rule;
    this.permission = permission;
    this.target = target;

    this.registerOutputs({ functionArn: this.callbackFunction.function.arn });
  }
}
