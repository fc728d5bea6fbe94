/** The fields of a log line besides its event. Never a payload, a header or a token. */
export type LogFields = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Where the handlers log to. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/**
 * Logs one object a line, which Lambda's JSON format keeps as an object.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html
 */
export const consoleLog: Log = {
  info: (event, fields) => console.info({ event, ...fields }),
  warn: (event, fields) => console.warn({ event, ...fields }),
  error: (event, fields) => console.error({ event, ...fields }),
};

/** The fields of a log line that describe a thrown value. */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: String(error) };
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number; requestId?: string } };
  const cause = error.cause instanceof Error ? `${error.cause.name}: ${error.cause.message}` : undefined;
  return {
    error: error.name,
    errorMessage: error.message,
    cause,
    httpStatusCode: $metadata?.httpStatusCode,
    awsRequestId: $metadata?.requestId,
  };
}
