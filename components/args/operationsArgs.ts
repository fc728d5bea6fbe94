import type { RetryWindowSeconds } from "../../handlers/deliver/backoff";
import { type AccessLogsArgs, refuseBadAccessLogs } from "./accessLogsArgs";
import { type AlarmArgs, resolveAlarms, type ResolvedAlarms } from "./alarmArgs";
import { type CustomDomainArgs, resolveCustomDomain, type ResolvedCustomDomain } from "./customDomainArgs";
import { refuseUnlessBoolean, refuseUnlessOneOf } from "./refuse";

/** Under which address the relay is reached, and how it is watched. */
export interface OperationsArgs {
  /** From where the API can be reached: `dualstack` is IPv4 and IPv6. @default "ipv4" */
  ipAddressType?: "ipv4" | "dualstack";
  /** A domain of one's own for the URL that clients open. @default none: the API's own */
  customDomain?: CustomDomainArgs;
  /** When CloudWatch raises an alarm. About 1.50 USD a month in all. @default every alarm, telling nobody */
  alarms?: AlarmArgs;
  /** Whether there is a CloudWatch dashboard. 3 USD a month, but for an account's first three. @default true */
  dashboard?: boolean;
  /** The gateway's log of handshakes, frames and closed connections. @default none */
  accessLogs?: AccessLogsArgs;
}

/** {@link OperationsArgs} with every default filled in, checked. What is not to be there is undefined. */
export interface Operations {
  ipAddressType: "ipv4" | "dualstack";
  customDomain: ResolvedCustomDomain | undefined;
  alarms: ResolvedAlarms | undefined;
  dashboard: boolean;
  accessLogs: AccessLogsArgs | undefined;
}

export const operationsKeys = ["ipAddressType", "customDomain", "alarms", "dashboard", "accessLogs"];

/**
 * @param region The region of the resources, where it is known.
 * @throws pulumi.InputPropertyError naming the argument, what it got, what is allowed and what to do.
 */
export function resolveOperations(
  args: OperationsArgs,
  { retryWindowSeconds, delivery }: { retryWindowSeconds: RetryWindowSeconds; delivery: "retry" | "replay" },
  region?: string,
): Operations {
  // A key that YAML leaves empty is null.
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null)) as OperationsArgs;
  const { ipAddressType = "ipv4", customDomain, alarms = {}, dashboard = true, accessLogs } = given;
  refuseUnlessOneOf("ipAddressType", ipAddressType, ["ipv4", "dualstack"]);
  refuseUnlessBoolean("dashboard", dashboard);
  if (accessLogs !== undefined) {
    refuseBadAccessLogs(accessLogs);
  }
  return {
    ipAddressType,
    customDomain: customDomain && resolveCustomDomain(customDomain, region),
    alarms: resolveAlarms(alarms, retryWindowSeconds, delivery),
    dashboard,
    accessLogs,
  };
}
