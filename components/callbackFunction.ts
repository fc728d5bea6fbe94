import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Handler } from "aws-lambda";
import { bundle } from "./bundle";

/** One statement of a function's inline policy; always of effect Allow. */
export interface PolicyStatement {
  Action: string[];
  Resource: pulumi.Input<pulumi.Input<string>[]>;
}

export interface CallbackFunctionArgs {
  /**
   * Runs once per execution environment and returns the handler, as in `aws.lambda.CallbackFunction`. Reach modules by
   * `require` *inside* it: they are bundled. What it captures from outside is serialized by value, secrets in plain text.
   */
  callbackFactory: () => Handler;
  /** The function's environment variables: 4 KB in all. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  environment: Record<string, pulumi.Input<string>>;
  /** What the function may do, beside writing its own logs. */
  policyStatements: PolicyStatement[];
  /** Seconds until Lambda ends an invocation. */
  timeoutSeconds: number;
  logRetentionInDays: number;
  tags: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * A Lambda function out of an inline callback, shipped as a small bundle, with its log group and a role that names exact
 * actions and ARNs. `aws.lambda.CallbackFunction` would ship every production dependency of the consuming program and,
 * without a role, attach nine managed policies.
 */
export class CallbackFunction extends pulumi.ComponentResource {
  readonly logGroup: aws.cloudwatch.LogGroup;
  readonly role: aws.iam.Role;
  readonly rolePolicy: aws.iam.RolePolicy;
  readonly function: aws.lambda.Function;

  constructor(name: string, args: CallbackFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("websocket-relay:index:CallbackFunction", name, {}, opts);
    const { tags } = args;

    this.logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionInDays, tags },
      { parent: this },
    );

    this.role = new aws.iam.Role(
      `${name}-role`,
      { assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }), tags },
      { parent: this },
    );

    const logStatement: PolicyStatement = {
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [pulumi.interpolate`${this.logGroup.arn}:*`],
    };
    this.rolePolicy = new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: this.role.id,
        policy: pulumi.jsonStringify({
          Version: "2012-10-17",
          Statement: [...args.policyStatements, logStatement].map((statement) => ({ Effect: "Allow", ...statement })),
        }),
      },
      { parent: this },
    );

    this.function = new aws.lambda.Function(
      name,
      {
        // Pinned to what the handlers are tested on. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
        runtime: "nodejs24.x",
        architectures: ["arm64"],
        handler: "index.handler",
        code: pulumi.output(bundle(args.callbackFactory)).apply(asArchive),
        role: this.role.arn,
        timeout: args.timeoutSeconds,
        // CPU comes with memory: below 512 MB the cold start doubles, and a delivery's cost is in its requests anyway.
        memorySize: 512,
        environment: { variables: args.environment },
        loggingConfig: { logFormat: "JSON", logGroup: this.logGroup.name },
        tags,
      },
      // Without its rights a first invocation would fail, and AWS refuses an event source mapping.
      { parent: this, dependsOn: [this.rolePolicy] },
    );

    this.registerOutputs({ functionArn: this.function.arn });
  }
}

function asArchive(text: string): pulumi.asset.Archive {
  return new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(text) });
}
