/**
 * API Gateway's WebSocket quotas.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-execution-service-websocket-limits-table.html
 */
export const limits = {
  messageBytes: 128 * 1024,
  frameBytes: 32 * 1024,
  idleTimeoutMs: 10 * 60_000,
  maximumDurationMs: 2 * 60 * 60_000,
  integrationTimeoutMs: 29_000,
} as const;
