import { defaultsOf, refuseUnallowed } from "./options";
import { refuse, refuseUnknownKeys, refuseUnlessObject } from "./refuse";
import { spec } from "./spec";

const { keys } = spec.gatewayLogs;

const defaults = defaultsOf(keys);

/** The gateway's own logs: of handshakes, frames and closed connections, and of requests that failed. */
export interface GatewayLogsArgs {
  /**
   * API Gateway writes logs with one role for all APIs of an account and region. `exists`: the role is already set, and the
   * relay leaves it alone. `create`: the relay creates the role and sets it. Use `create` in one relay of one stack only:
   * the last to write wins, and destroying that stack stops the logs of every other API of the account and region.
   */
  accountRole: "exists" | "create";
  /**
   * What API Gateway writes to the execution log, a log group of its own. `ERROR`: requests that failed. `INFO`: all requests,
   * which is for debugging: it costs much, and cookies and subprotocols are not documented to be redacted. `OFF`: nothing.
   * Full requests and responses (data tracing) are never logged, since they contain tokens.
   * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html @default "ERROR"
   */
  executionLoggingLevel?: "OFF" | "ERROR" | "INFO";
}

/** {@link GatewayLogsArgs} with all defaults filled in, checked. */
export type ResolvedGatewayLogs = Required<GatewayLogsArgs>;

/** @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix. */
export function resolveGatewayLogs(given: unknown): ResolvedGatewayLogs {
  const fix = 'write { accountRole: "exists" }, or "create" where no stack of the account and region has set the role';
  refuseUnlessObject("gatewayLogs", given, "{ accountRole }", fix);
  refuseUnknownKeys("gatewayLogs.", given, Object.keys(keys));
  // A key that YAML leaves empty is null.
  const present = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const { accountRole, ...others } = Object.fromEntries(present) as Partial<GatewayLogsArgs>;
  refuseUnallowed("gatewayLogs.", { accountRole, ...others }, keys);
  if (accountRole === undefined) {
    refuse("gatewayLogs.accountRole", given.accountRole, '"exists" or "create"', fix);
  }
  return { ...defaults, ...others, accountRole };
}
