import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type FunctionSettings, type FunctionSpec, relayFunction } from "./functions/relayFunction";
import type { CallbackFunction } from "./lambda/callbackFunction";

/** A sweeper ends before the minute after which it is called again. */
const TIMEOUT_SECONDS = 50;

/** Parts of the names of a sweeper's resources. They are in the state of live stacks, so they stay as they once were. */
const names = {
  history: { type: "websocket-relay:index:Expire", component: "expirer", part: "expire" },
  sessions: { type: "websocket-relay:index:Sweep", component: "sweeper", part: "sweep" },
} as const;

/** A function, and the rule that calls it every minute. */
export class Sweeper extends pulumi.ComponentResource {
  readonly callbackFunction: CallbackFunction;
  readonly rule: aws.cloudwatch.EventRule;
  readonly permission: aws.lambda.Permission;
  readonly target: aws.cloudwatch.EventTarget;

  constructor(
    name: string,
    swept: keyof typeof names,
    spec: Omit<FunctionSpec, "timeoutSeconds">,
    settings: FunctionSettings,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    const { type, component, part } = names[swept];
    super(type, `${name}-${component}`, {}, opts);
    const child = { parent: this };

    this.callbackFunction = relayFunction(
      `${name}-${part}`,
      { ...spec, timeoutSeconds: TIMEOUT_SECONDS },
      settings,
      child,
    );
    const { function: sweeper } = this.callbackFunction;
    this.rule = new aws.cloudwatch.EventRule(
      `${name}-${part}-rule`,
      { scheduleExpression: "rate(1 minute)", tags: settings.tags },
      child,
    );
    this.permission = new aws.lambda.Permission(
      `${name}-${part}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: sweeper.name,
        principal: "events.amazonaws.com",
        sourceArn: this.rule.arn,
      },
      child,
    );
    this.target = new aws.cloudwatch.EventTarget(
      `${name}-${part}-target`,
      { rule: this.rule.name, arn: sweeper.arn },
      { ...child, dependsOn: [this.permission] },
    );

    this.registerOutputs({ functionArn: sweeper.arn });
  }
}
