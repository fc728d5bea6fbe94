import { HEADROOM } from "./assumed";
import type { Load } from "./load";
import { type Quota, type QuotaName, quotasOf } from "./quotas";
import { roundedUp } from "./settings";

/** A quota, and how much of it a load needs. */
export interface QuotaNeed extends Quota {
  load: number;
  /** The value to ask for; undefined if the default is enough. */
  raiseTo?: number;
}

/** What the load needs of an account's quotas. They are shared with everything else in the account and region. */
export function quotaNeedsOf(load: Load, region: string, ordering: "standard" | "strict"): QuotaNeed[] {
  const loads: Record<QuotaName, number> = {
    requests: load.requests,
    newConnections: load.handshakes,
    concurrentExecutions: load.concurrentExecutions,
    publishedMessages: load.publishedMessages,
    tableWrites: Math.max(load.sessionWriteUnits, load.historyWriteUnits),
    tableReads: Math.max(load.sessionReadUnits, load.historyReadUnits),
  };
  return Object.entries(quotasOf(region, ordering)).map(([name, quota]) => {
    const needed = loads[name as QuotaName];
    // A reconnect takes as long as new connections allow: more of them than it needs would not be used.
    const headroom = name === "newConnections" ? 1 : HEADROOM;
    const isEnough = needed * headroom <= quota.byDefault;
    return { ...quota, load: needed, ...(!isEnough && { raiseTo: roundedUp(needed * headroom) }) };
  });
}

/** The command of the AWS CLI that asks for a higher quota. */
export function increaseCommand({ serviceCode, quotaCode, raiseTo }: QuotaNeed, region: string): string {
  return (
    `aws service-quotas request-service-quota-increase --region ${region} --service-code ${serviceCode} ` +
    `--quota-code ${quotaCode} --desired-value ${raiseTo}`
  );
}
