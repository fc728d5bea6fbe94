import os from "node:os";
import { region } from "../account";
import { roleCredentials } from "../iam/roles";
import { type FunctionConfiguration, logNames } from "./localFunction";

/** The environment variables that Lambda sets itself. https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime */
export function reservedVariables(configuration: FunctionConfiguration, folder: string): Record<string, string> {
  const { name, handler, runtime, memorySizeMb, loggingConfig } = configuration;
  const { logGroupName, logStreamName } = logNames(configuration);
  const { accessKeyId, secretAccessKey, sessionToken } = roleCredentials(configuration.roleArn, name);
  return {
    _HANDLER: handler,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySizeMb),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupName,
    AWS_LAMBDA_LOG_STREAM_NAME: logStreamName,
    AWS_LAMBDA_LOG_FORMAT: loggingConfig?.logFormat ?? "Text",
    // Lambda filters JSON logs only.
    ...(loggingConfig?.logFormat === "JSON" && { AWS_LAMBDA_LOG_LEVEL: loggingConfig.applicationLogLevel ?? "INFO" }),
    LAMBDA_TASK_ROOT: folder,
    TZ: ":UTC",
    PATH: process.env["PATH"] ?? "",
    // Without these an SDK client reads the developer's own profile, for want of HOME even by the user's id.
    AWS_CONFIG_FILE: os.devNull,
    AWS_SHARED_CREDENTIALS_FILE: os.devNull,
  };
}
