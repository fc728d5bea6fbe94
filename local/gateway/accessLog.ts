import { badRequest } from "./controlPlaneError";

/** As a stage gives them. */
export interface AccessLogSettings {
  destinationArn: string;
  format: string;
}

/** The outcome of a request. */
export interface Outcome {
  status: number;
  /** The gateway's own answer where it refuses or fails. */
  errorMessage?: string;
  /** Absent where no integration was asked. */
  integration?: { latencyMs: number; status?: number; error?: string };
}

const variables = /\$context\.(\w+(?:\.\w+)*)/g;

/**
 * Refuses what API Gateway refuses. A Firehose delivery stream is not modelled here.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
 */
export function checkAccessLog(
  { destinationArn, format }: AccessLogSettings,
  logGroupExists: (name: string) => boolean,
): void {
  const name = logGroupOf(destinationArn);
  if (name === undefined) {
    throw badRequest(`accessLogSettings.destinationArn is ${destinationArn}: it must be the ARN of a log group`);
  }
  if (!logGroupExists(name)) throw badRequest(`accessLogSettings.destinationArn: there is no log group ${name}`);
  if (!format || /[\r\n]/.test(format.trim())) {
    throw badRequest(`accessLogSettings.format is ${JSON.stringify(format)}: it must be a single line`);
  }
  if (!/\$context\.(requestId|extendedRequestId)\b/.test(format)) {
    throw badRequest(
      `accessLogSettings.format is ${format}: it must have $context.requestId or $context.extendedRequestId`,
    );
  }
}

/**
 * The line of one request, after the name of its log group: the format with every variable replaced, and those without a
 * value by a hyphen. https://docs.aws.amazon.com/apigateway/latest/developerguide/websocket-api-logging.html
 */
export function accessLogLine(
  { destinationArn, format }: AccessLogSettings,
  context: Readonly<Record<string, unknown>>,
  { status, errorMessage, integration }: Outcome,
): string {
  const values: Record<string, unknown> = {
    ...context,
    status,
    error: { message: errorMessage, messageString: errorMessage && JSON.stringify(errorMessage) },
    integration: {
      latency: integration?.latencyMs,
      status: integration?.status,
      error: integration?.error,
    },
    integrationLatency: integration?.latencyMs,
    integrationErrorMessage: integration?.error,
  };
  const line = format.trim().replace(variables, (_, path: string) => textOf(path, values));
  return `${logGroupOf(destinationArn) ?? ""}: ${line}`;
}

function textOf(path: string, values: unknown): string {
  const value = path.split(".").reduce<unknown>((inner, name) => (inner as Record<string, unknown>)?.[name], values);
  return typeof value === "string" || typeof value === "number" ? String(value) : "-";
}

/** The aws provider cuts `:*` off the ARN of a log group. */
function logGroupOf(destinationArn: string): string | undefined {
  return /^arn:[^:]+:logs:[^:]+:\d+:log-group:([^:]+)(?::\*)?$/.exec(destinationArn)?.[1];
}
