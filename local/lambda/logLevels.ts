import { jsonObject } from "../jsonObject";

/** https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html */
export const applicationLogLevels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
export const systemLogLevels = ["DEBUG", "INFO", "WARN"];

export interface LoggingConfig {
  logFormat?: string;
  applicationLogLevel?: string;
  systemLogLevel?: string;
  logGroup?: string;
}

/** A platform event of Lambda's own, with the level that its mapping gives it. */
export interface SystemEvent {
  type: "platform.start" | "platform.runtimeDone" | "platform.report";
  level: string;
  record: object;
}

/**
 * Whether a line of the function passes the level filter, which works on JSON logs only. A line without a known level and an
 * RFC 3339 timestamp counts as INFO, however it was written: a metric document, too.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export function isApplicationLineKept(line: string, { logFormat, applicationLogLevel }: LoggingConfig = {}): boolean {
  if (logFormat !== "JSON") return true;
  return rank(levelOf(line)) >= rank(applicationLogLevel ?? "INFO");
}

/** The line of a platform event; undefined where the level drops it, and in text logs, whose lines are not modelled. */
export function systemLine(
  { type, level, record }: SystemEvent,
  { logFormat, systemLogLevel }: LoggingConfig = {},
): string | undefined {
  if (logFormat !== "JSON" || rank(level) < rank(systemLogLevel ?? "INFO")) return undefined;
  return JSON.stringify({ time: new Date().toISOString(), type, record });
}

/**
 * The events of one invocation, by the levels of Lambda's mapping.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
export function endEvents(
  requestId: string,
  { status, errorType, durationMs }: { status: string; errorType?: string; durationMs: number },
): SystemEvent[] {
  const isSuccess = status === "success";
  const record = { requestId, status, errorType, metrics: { durationMs } };
  return [
    { type: "platform.runtimeDone", level: isSuccess ? "DEBUG" : "WARN", record },
    { type: "platform.report", level: isSuccess ? "INFO" : "WARN", record },
  ];
}

function levelOf(line: string): string {
  const { level, timestamp } = jsonObject(line) ?? {};
  const isKnown = typeof level === "string" && applicationLogLevels.includes(level.toUpperCase());
  return isKnown && isTime(timestamp) ? level.toUpperCase() : "INFO";
}

function isTime(text: unknown): boolean {
  return (
    typeof text === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/i.test(text) && !isNaN(Date.parse(text))
  );
}

function rank(level: string): number {
  return applicationLogLevels.indexOf(level);
}
