import { type GatewayLogsArgs, resolveGatewayLogs, type ResolvedGatewayLogs } from "./gatewayLogsArgs";
import { type AlarmArgs, type Delivery, resolveAlarms, type ResolvedAlarms } from "./alarmArgs";
import { type CustomDomainArgs, resolveCustomDomain, type ResolvedCustomDomain } from "./customDomainArgs";
import type { ExistingArgs } from "./existingArgs";
import type { ResolvedRetry } from "./retryArgs";

/** The relay's address, and how it is monitored. */
export interface OperationsArgs {
  /** The addresses of the API: `dualstack` is IPv4 and IPv6. @default "ipv4" */
  ipAddressType?: "ipv4" | "dualstack";
  /** A domain of your own for the WebSocket URL. @default none: clients use the API's own domain */
  customDomain?: CustomDomainArgs;
  /**
   * When CloudWatch raises an alarm. All alarms together cost 2.00 USD a month in retry mode and 3.00 USD in replay mode.
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
  gatewayLogs?: GatewayLogsArgs;
}

/** {@link OperationsArgs}, checked. Parts that are not to be created are undefined. */
export interface ResolvedOperations {
  customDomain: ResolvedCustomDomain | undefined;
  alarms: ResolvedAlarms | undefined;
  gatewayLogs: ResolvedGatewayLogs | undefined;
}

/** Settings that the alarms depend on. */
type WatchedRelay = ResolvedRetry & Pick<ExistingArgs, "topicArn"> & { delivery: Delivery };

/**
 * @param region The region of the resources, if it is known.
 * @throws pulumi.InputPropertyError naming the argument, its value, the allowed values and a fix.
 */
export function resolveOperations(
  { customDomain, alarms, gatewayLogs }: OperationsArgs,
  relay: WatchedRelay,
  region?: string,
): ResolvedOperations {
  return {
    customDomain: customDomain == null ? undefined : resolveCustomDomain(customDomain, region),
    alarms: resolveAlarms(alarms ?? {}, relay, relay.delivery, relay.topicArn === undefined),
    gatewayLogs: gatewayLogs === undefined ? undefined : resolveGatewayLogs(gatewayLogs),
  };
}
