import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { refuseUnlessName, refuseUnusableFunctionName } from "../args/nameArgs";
import { isDeferred, refuse, refuseUnknownKeys, refuseUnlessObject, refuseUnlessOneOf } from "../args/refuse";
import { spec } from "../args/spec";
import { bundle } from "./bundle";
import { refuseUnusableTypescript } from "./refuseUnusableTypescript";

/** One statement of a function's inline policy; always of effect Allow. */
export interface PolicyStatement {
  Action: string[];
  Resource: pulumi.Input<pulumi.Input<string>[]>;
  Condition?: Record<string, Record<string, pulumi.Input<string>>>;
}

/** The inline policy with these statements. */
export function policyDocument(statements: PolicyStatement[]): pulumi.Output<string> {
  return pulumi.jsonStringify({
    Version: "2012-10-17",
    Statement: statements.map((statement) => ({ Effect: "Allow", ...statement })),
  });
}

export interface CallbackFunctionArgs {
  /**
   * Runs once per execution environment and returns the handler, as in `aws.lambda.CallbackFunction`; a handler takes at
   * most two parameters, since Node 24 refuses more. Reach modules by `require` *inside* it: they are bundled. Captured
   * variables are copied into the archive in plain text: capture no secrets. A value that is more than its properties, such
   * as a `Date` or a `Set`, fails the deployment with the variable's name.
   */
  callbackFactory: () => (event: never, context: never) => unknown;
  /**
   * The folder from which the callback's `require`s of files and packages resolve; usually `__dirname`.
   * @default process.cwd(), the program's folder
   */
  requireFrom?: string;
  /** Other files of the archive by name, besides `index.js`, which contains the callback. @default none */
  files?: Record<string, pulumi.Input<string>>;
  /** The function's environment variables: 4 KB in all. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
  environment: Record<string, pulumi.Input<string>>;
  /** What the function may do, besides writing its own logs. */
  policyStatements: PolicyStatement[];
  /** Seconds until Lambda ends an invocation. */
  timeoutSeconds: number;
  /**
   * The most invocations at one time, which are taken from the account's concurrency for this function alone; 0 stops it. The
   * account must keep 100 unreserved. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   * @default none are reserved: the function shares the account's with others
   */
  reservedConcurrentExecutions?: number;
  /** Days that its logs are kept, one of CloudWatch's values; 0 keeps them for ever. */
  logRetentionInDays: number;
  /** The lowest level of its log's lines, written by `console`. @default "INFO" */
  applicationLogLevel?: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR" | "FATAL";
  /** Encrypts the log group and the environment. @default keys that AWS owns or manages */
  kmsKeyArn?: pulumi.Input<string>;
  /** The permissions boundary of the role. @default none */
  permissionsBoundaryArn?: pulumi.Input<string>;
  /** Tags of the function, its role and its log group. @default none */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

const argumentKeys: (keyof CallbackFunctionArgs)[] = [
  "callbackFactory",
  "requireFrom",
  "files",
  "environment",
  "policyStatements",
  "timeoutSeconds",
  "reservedConcurrentExecutions",
  "logRetentionInDays",
  "applicationLogLevel",
  "kmsKeyArn",
  "permissionsBoundaryArn",
  "tags",
];

/**
 * A Lambda function from an inline callback, shipped as a small bundle, with its log group and a role that has exact actions
 * and ARNs. `aws.lambda.CallbackFunction` would ship every production dependency of the consuming program and,
 * without a role, attach nine managed policies.
 */
export class CallbackFunction extends pulumi.ComponentResource {
  readonly logGroup: aws.cloudwatch.LogGroup;
  readonly role: aws.iam.Role;
  readonly rolePolicy: aws.iam.RolePolicy;
  readonly function: aws.lambda.Function;

  /**
   * @param name Name of the function: up to 51 letters, digits, `-` and `_`, unless transforms or `pulumi:autonaming` set names.
   * @throws pulumi.InputPropertyError before anything is registered, if the name or an argument is invalid.
   */
  constructor(name: string, args: CallbackFunctionArgs, opts?: pulumi.ComponentResourceOptions) {
    refuseUnusableTypescript();
    refuseUnlessName(name);
    refuseUnusableFunctionName(name, opts);
    refuseUnlessObject("args", args, "an object with callbackFactory", "pass one as the second argument");
    refuseUnknownKeys("", args, argumentKeys);
    if (typeof args.callbackFactory !== "function") {
      refuse("callbackFactory", args.callbackFactory, "a function that returns the handler", "write () => handler");
    }
    const { requireFrom, policyStatements, environment, files = {}, applicationLogLevel = "INFO" } = args;
    refuseUnlessOneOf("applicationLogLevel", applicationLogLevel, spec.applicationLogLevel.oneOf);
    if (requireFrom !== undefined && typeof requireFrom !== "string") {
      refuse("requireFrom", requireFrom, "the path of a folder", "write __dirname");
    }
    if (!Array.isArray(policyStatements)) {
      refuse(
        "policyStatements",
        policyStatements,
        "a list of statements",
        "write [] for a function without further rights",
      );
    }
    refuseUnlessObject("environment", environment, "an object of strings", "write {} for a function without variables");
    for (const [file, text] of Object.entries(files)) {
      if (typeof text !== "string" && !isDeferred(text))
        refuse(`files["${file}"]`, text, "a string", "pass the file's text");
    }
    super("websocket-relay:index:CallbackFunction", name, {}, opts);
    const { tags } = args;

    this.logGroup = new aws.cloudwatch.LogGroup(
      `${name}-logs`,
      { retentionInDays: args.logRetentionInDays, kmsKeyId: args.kmsKeyArn, tags },
      { parent: this },
    );

    this.role = new aws.iam.Role(
      `${name}-role`,
      {
        assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
        permissionsBoundary: args.permissionsBoundaryArn,
        tags,
      },
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
        policy: policyDocument([...args.policyStatements, logStatement]),
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
        code: pulumi.output({ ...args.files, "index.js": this.bundle(args) }).apply(asArchive),
        role: this.role.arn,
        timeout: args.timeoutSeconds,
        reservedConcurrentExecutions: args.reservedConcurrentExecutions,
        // CPU scales with memory: below 512 MB the cold start doubles, and requests make up most of a delivery's cost anyway.
        memorySize: 512,
        environment: { variables: args.environment },
        // The role needs no right to the key: Lambda decrypts by a grant that the deploying role creates.
        kmsKeyArn: args.kmsKeyArn,
        loggingConfig: {
          logFormat: "JSON",
          // Without the lines START and REPORT: an invocation that fails or times out is still logged.
          // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
          systemLogLevel: "WARN",
          applicationLogLevel,
          logGroup: this.logGroup.name,
        },
        tags,
      },
      // Without its policy, a first invocation would fail, and AWS refuses an event source mapping.
      { parent: this, dependsOn: [this.rolePolicy] },
    );

    this.registerOutputs({ functionArn: this.function.arn });
  }

  /** @internal The text of `index.js`. Called once, by the constructor. */
  protected bundle({ callbackFactory, requireFrom }: CallbackFunctionArgs): Promise<string> {
    return bundle(callbackFactory, requireFrom);
  }
}

function asArchive(files: Record<string, string>): pulumi.asset.Archive {
  const assets = Object.entries(files).map(([name, text]) => [name, new pulumi.asset.StringAsset(text)]);
  return new pulumi.asset.AssetArchive(Object.fromEntries(assets) as pulumi.asset.AssetMap);
}
