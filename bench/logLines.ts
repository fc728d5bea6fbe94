/** CloudWatch Logs bills each event's bytes and this overhead. https://aws.amazon.com/cloudwatch/pricing/ */
const EVENT_OVERHEAD_BYTES = 26;

/** Lines of a function's own process, as bytes that CloudWatch bills. */
export interface LogBytes {
  lines: number;
  bytes: number;
}

export function billedBytes(line: string): number {
  return Buffer.byteLength(line) + EVENT_OVERHEAD_BYTES;
}

const requestId = "79b4f56e-95b1-4643-9700-2807f4e68189";

/**
 * What Lambda adds to the log of each invocation at its default system log level, INFO; at WARN an invocation that succeeds adds
 * nothing. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
 */
const PLATFORM_LINES = [
  { time: "2026-11-28T12:00:00.000Z", type: "platform.start", record: { requestId, version: "$LATEST" } },
  {
    time: "2026-11-28T12:00:00.041Z",
    type: "platform.report",
    record: {
      requestId,
      metrics: { durationMs: 40.512, billedDurationMs: 41, memorySizeMB: 512, maxMemoryUsedMB: 121 },
      status: "success",
    },
  },
].map((line) => JSON.stringify(line));

/** @param systemLogLevel The function's setting. @default INFO, as on Lambda */
export function platformBytes(systemLogLevel = "INFO"): number {
  if (systemLogLevel === "WARN") return 0;
  return PLATFORM_LINES.reduce((sum, line) => sum + billedBytes(line), 0);
}
