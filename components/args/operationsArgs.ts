import type { RetryWindowSeconds } from "../../handlers/deliver/backoff";
import { type AccessLogsArgs, resolveAccessLogs, type ResolvedAccessLogs } from "./accessLogsArgs";
import { type AlarmArgs, resolveAlarms, type ResolvedAlarms } from "./alarmArgs";
import { type CustomDomainArgs, resolveCustomDomain, type ResolvedCustomDomain } from "./customDomainArgs";

/** The relay's address, and how it is monitored. */
export interface OperationsArgs {
  /** The addresses of the API: `dualstack` is IPv4 and IPv6. @default "ipv4" */
  ipAddressType?: "ipv4" | "dualstack";
  /** A domain of your own for the WebSocket URL. @default none: clients use the API's own domain */
  customDomain?: CustomDomainArgs;
  /**
   * When CloudWatch raises an alarm. All alarms together cost 1.60 USD a month in retry mode and 2.60 USD in replay mode.
   * @default all alarms are created, and notify no one
   */
  alarms?: AlarmArgs;
  /**
   * Whether a CloudWatch dashboard is created. It costs 3 USD a month beyond an account's first three dashboards.
   * @default true
   */
  dashboard?: boolean;
  /**
   * The gateway's logs: of handshakes, frames and closed connections, and of requests that failed.
   * @default none: the gateway writes no logs
   */
  accessLogs?: AccessLogsArgs;
}

/** {@link OperationsArgs}, checked. Parts that are not to be created are undefined. */
export interface ResolvedOperations {
  customDomain: ResolvedCustomDomain | undefined;
  alarms: ResolvedAlarms | undefined;
  accessLogs: ResolvedAccessLogs | undefined;
}

/**
 * @param region The region of the resources, if it is known.
 * @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix.
 */
export function resolveOperations(
  { customDomain, alarms, accessLogs }: OperationsArgs,
  { retryWindowSeconds, delivery }: { retryWindowSeconds: RetryWindowSeconds; delivery: "retry" | "replay" },
  region?: string,
): ResolvedOperations {
  return {
    customDomain: customDomain == null ? undefined : resolveCustomDomain(customDomain, region),
    alarms: resolveAlarms(alarms ?? {}, retryWindowSeconds, delivery),
    accessLogs: accessLogs === undefined ? undefined : resolveAccessLogs(accessLogs),
  };
}
