import { partition, region } from "../account";
import type { Iam } from "../iam/iam";
import type { LambdaService } from "../lambda/lambdaService";
import { applicationLogLevels, systemLogLevels } from "../lambda/logLevels";
import type { FunctionConfiguration } from "../lambda/localFunction";
import { autoname } from "./autoname";
import { isIntegerWithin } from "./integerWithin";
import { refusal, type Refuse } from "./refuse";
import type { LocalResource, LocalResources, Properties, Registration } from "./resource";

/**
 * Functions, their permissions and their settings for asynchronous invocations, refusing what AWS refuses and what has no local
 * counterpart but would matter.
 */
export function lambdaResources(lambda: LambdaService, iam: Iam): LocalResources {
  return {
    "aws:lambda/function:Function": functionResource(lambda, iam),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": eventInvokeConfigResource(lambda),
    "aws:lambda/permission:Permission": permissionResource(lambda),
  };
}

function functionResource(lambda: LambdaService, iam: Iam): LocalResource {
  const put = async (configuration: FunctionConfiguration) => {
    if (!(await iam.canAssume("lambda.amazonaws.com", configuration.roleArn))) {
      throw new Error(
        `InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda. (function ` +
          `${configuration.name}, role ${configuration.roleArn}: its assumeRolePolicy has to allow lambda.amazonaws.com)`,
      );
    }
    return functionOutputs(configuration.name, await lambda.putFunction(configuration));
  };

  return {
    replaceOnChanges: ["name", "packageType"],
    async create({ name: logicalName, inputs }) {
      const name = (inputs["name"] as string | undefined) ?? autoname(logicalName);
      const configuration = functionConfiguration(logicalName, name, inputs);
      if (lambda.hasFunction(name)) {
        throw new Error(`ResourceConflictException: Function already exists: ${name}`);
      }
      return { id: name, outputs: await put(configuration) };
    },
    async update(id, { name: logicalName, inputs }) {
      return put(functionConfiguration(logicalName, id, inputs));
    },
    async delete(id) {
      await unlessGone(() => lambda.deleteFunction(id));
    },
  };
}

function functionOutputs(name: string, arn: string): Properties {
  return {
    arn,
    name,
    invokeArn: `arn:${partition}:apigateway:${region}:lambda:path/2015-03-31/functions/${arn}/invocations`,
    qualifiedArn: `${arn}:$LATEST`,
    version: "$LATEST",
  };
}

// Functions can no longer be created with nodejs20.x, nor updated to it.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
const runtimes = ["nodejs22.x", "nodejs24.x"];

/** Variables that Lambda sets itself, and refuses to have set. */
const reservedVariable =
  /^(_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_)?REGION|AWS_EXECUTION_ENV|AWS_LAMBDA_.*|AWS_ACCESS_KEY(_ID)?|AWS_SECRET_(ACCESS_)?KEY|AWS_SESSION_TOKEN|LAMBDA_(TASK_ROOT|RUNTIME_DIR))$/;

const maxEnvironmentBytes = 4096;

/** -1 takes a reservation away. */
const unreserved: unknown[] = [undefined, -1];

/** On AWS, an account's quota is 1,000, and can be raised to tens of thousands. The local account has no quota. */
const maxReserved = 100_000;

/** Checks a function's inputs and fills in AWS's own defaults. */
function functionConfiguration(logicalName: string, name: string, inputs: Properties): FunctionConfiguration {
  const refuse = refusal(`function ${logicalName}`);
  const text = (key: string) => {
    const value = inputs[key];
    return typeof value === "string" && value !== "" ? value : refuse(key, value, "a text");
  };
  const integer = (key: string, byDefault: number, least: number, most: number) => {
    const value = inputs[key] ?? byDefault;
    const isAllowed = isIntegerWithin(value, least, most);
    return isAllowed ? Number(value) : refuse(key, value, `an integer from ${least} to ${most}`);
  };

  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(name)) refuse("name", name, "1 to 64 letters, digits, hyphens and underscores");
  const packageType = inputs["packageType"] ?? "Zip";
  if (packageType !== "Zip") refuse("packageType", packageType, "Zip, the only one that runs locally");
  const roleArn = text("role");
  const { kmsKeyArn } = inputs;
  if (kmsKeyArn && !/^arn:[^:]+:kms:[^:]+:\d+:key\/.+$/.test(String(kmsKeyArn))) {
    refuse("kmsKeyArn", kmsKeyArn, "the ARN of a key");
  }
  const runtime = text("runtime");
  if (!runtimes.includes(runtime)) refuse("runtime", runtime, runtimes.join(" or "));
  const architectures = (inputs["architectures"] ?? ["x86_64"]) as string[];
  if (architectures.length !== 1 || !["x86_64", "arm64"].includes(architectures[0] ?? "")) {
    refuse("architectures", architectures, '["x86_64"] or ["arm64"]');
  }

  return {
    name,
    roleArn,
    code: inputs["code"],
    handler: text("handler"),
    runtime,
    timeoutSeconds: integer("timeout", 3, 1, 900),
    memorySizeMb: integer("memorySize", 128, 128, 10_240),
    variables: functionVariables(refuse, inputs),
    reservedConcurrentExecutions: unreserved.includes(inputs["reservedConcurrentExecutions"])
      ? undefined
      : integer("reservedConcurrentExecutions", 0, 0, maxReserved),
    loggingConfig: loggingConfigOf(refuse, inputs),
  };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html */
function loggingConfigOf(refuse: Refuse, inputs: Properties): FunctionConfiguration["loggingConfig"] {
  const config = inputs["loggingConfig"] as Record<string, string | undefined> | undefined;
  const { logFormat = "Text", applicationLogLevel, systemLogLevel } = config ?? {};
  if (!["JSON", "Text"].includes(logFormat)) refuse("loggingConfig.logFormat", logFormat, "JSON or Text");
  for (const [key, level, levels] of [
    ["applicationLogLevel", applicationLogLevel, applicationLogLevels],
    ["systemLogLevel", systemLogLevel, systemLogLevels],
  ] as const) {
    if (level === undefined) continue;
    if (logFormat !== "JSON") refuse(`loggingConfig.${key}`, level, "absent without logFormat JSON");
    if (!levels.includes(level)) refuse(`loggingConfig.${key}`, level, `one of ${levels.join(", ")}`);
  }
  return config;
}

function functionVariables(refuse: Refuse, inputs: Properties): Record<string, string> {
  const variables = (inputs["environment"] as { variables?: Record<string, string> } | undefined)?.variables ?? {};
  const reserved = Object.keys(variables).filter((key) => reservedVariable.test(key));
  if (reserved.length > 0) refuse("environment.variables", reserved, "no variable that Lambda sets itself");
  const bytes = Buffer.byteLength(Object.entries(variables).flat().join(""));
  if (bytes > maxEnvironmentBytes) {
    refuse("environment.variables", `${bytes} bytes`, `at most ${maxEnvironmentBytes} bytes of keys and values`);
  }
  return variables;
}

/** https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html */
function eventInvokeConfigResource(lambda: LambdaService): LocalResource {
  const check = (logicalName: string, inputs: Properties): string => {
    const refuse = refusal(`event invoke config ${logicalName}`);
    const { functionName } = inputs;
    if (typeof functionName !== "string") return refuse("functionName", functionName, "a function's name or ARN");
    if (!lambda.hasFunction(functionName)) {
      throw new Error(
        `ResourceNotFoundException: Function not found: ${functionName} (event invoke config ${logicalName})`,
      );
    }
    for (const [key, least, most] of [
      ["maximumEventAgeInSeconds", 60, 21_600],
      ["maximumRetryAttempts", 0, 2],
    ] as const) {
      const value = inputs[key];
      if (value !== undefined && !isIntegerWithin(value, least, most))
        refuse(key, value, `an integer from ${least} to ${most}`);
    }
    return functionName;
  };
  return {
    replaceOnChanges: ["functionName"],
    create: async ({ name, inputs }) => ({ id: check(name, inputs), outputs: {} }),
    update: async (_, { name, inputs }) => {
      check(name, inputs);
      return {};
    },
    delete: async () => undefined,
  };
}

function permissionResource(lambda: LambdaService): LocalResource {
  // No update: every change replaces, as with the aws provider.
  return {
    async create({ name: logicalName, inputs }: Registration) {
      const refuse = refusal(`permission ${logicalName}`);
      const { action, principal, sourceArn, sourceAccount } = inputs as Record<string, string | undefined>;
      if (!action?.startsWith("lambda:"))
        return refuse("action", action, "an action of lambda, as lambda:InvokeFunction");
      if (!principal) return refuse("principal", principal, "a text");
      const statementId = (inputs["statementId"] as string | undefined) ?? autoname(logicalName);
      lambda.addPermission(String(inputs["function"]), { statementId, action, principal, sourceArn, sourceAccount });
      return { id: statementId, outputs: { statementId } };
    },
    async delete(id, olds) {
      await unlessGone(() => lambda.removePermission(String(olds["function"]), id));
    },
  };
}

/** A permission that no longer exists counts as deleted, as with the aws provider: a function takes its permissions with it. */
async function unlessGone(remove: () => void | Promise<void>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if ((error as Error).name !== "ResourceNotFoundException") throw error;
  }
}
