import { lineItems, usageOf } from "../cost/estimate";
import { totalUsd } from "../cost/lineItem";
import { workloadOf } from "../cost/options";
import { PRICES } from "../cost/prices";
import { type Ceiling, ceilingsOf } from "./ceilings";
import { type Load, loadOf } from "./load";
import type { CapacityOptions } from "./options";
import { increaseCommand, type QuotaNeed, quotaNeedsOf } from "./quotaNeeds";
import { type Setting, settingsOf } from "./settings";

/** What a fleet needs, and about what it costs. */
export interface Plan {
  load: Load;
  settings: Setting[];
  /** The arguments that differ from their defaults. */
  config: Record<string, number>;
  quotas: QuotaNeed[];
  /** Commands of the AWS CLI that ask for higher quotas. */
  increases: string[];
  ceilings: Ceiling[];
  monthlyUsd: number;
}

export function planOf({ region, fleet, traffic }: CapacityOptions): Plan {
  const workload = workloadOf(traffic);
  const load = loadOf(fleet, workload);
  const settings = settingsOf(load, region, workload.delivery);
  const changed = settings.filter(({ value, byDefault }) => value !== byDefault);
  const quotas = quotaNeedsOf(load, region, workload.ordering);
  const scarce = quotas.filter(({ raiseTo }) => raiseTo !== undefined);
  return {
    load,
    settings,
    config: Object.fromEntries(changed.map(({ key, value }) => [key, value])),
    quotas,
    increases: scarce.map((need) => increaseCommand(need, region)),
    ceilings: ceilingsOf(load, workload),
    monthlyUsd: totalUsd(lineItems(usageOf(workload), traffic, traffic, PRICES)),
  };
}
