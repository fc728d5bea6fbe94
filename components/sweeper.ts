import type * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { everyMinute, withinItsMinute } from "./everyMinute";
import { type FunctionSettings, type FunctionSpec, relayFunction } from "./functions/relayFunction";
import type { CallbackFunction } from "./lambda/callbackFunction";

/** A sweeper ends before the minute after which it is called again. */
export const SWEEPER_TIMEOUT_SECONDS = 50;

/** The session sweeper: a function, and the rule that calls it every minute. */
export class Sweeper extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  /** What Lambda does with a run that is late or fails. */
  readonly invokeConfig: aws.lambda.FunctionEventInvokeConfig;
  readonly rule: aws.cloudwatch.EventRule;
  readonly permission: aws.lambda.Permission;
  readonly target: aws.cloudwatch.EventTarget;

  constructor(
    name: string,
    spec: Omit<FunctionSpec, "timeoutSeconds">,
    settings: FunctionSettings,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    // Type and names are in the state of live stacks, so they stay as they once were.
    super("websocket-relay:index:Sweep", `${name}-sweeper`, {}, opts);
    const child = { parent: this };

    this.callbackFunction = relayFunction(
      `${name}-sweep`,
      { ...spec, timeoutSeconds: SWEEPER_TIMEOUT_SECONDS },
      settings,
      child,
    );
    const { function: sweeper } = this.callbackFunction;
    this.invokeConfig = withinItsMinute(`${name}-sweep`, sweeper, child);
    const inputs = { [`${name}-sweep-target`]: undefined };
    const { rule, permission, targets } = everyMinute(`${name}-sweep`, sweeper, inputs, settings.tags, child);
    this.rule = rule;
    this.permission = permission;
    this.target = targets[0] as aws.cloudwatch.EventTarget;

    this.registerOutputs({ functionArn: sweeper.arn });
  }
}
