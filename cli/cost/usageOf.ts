import { replayUsageOf } from "./replayUsage";
import { retryUsageOf } from "./retryUsage";
import type { Usage } from "./usage";
import type { Workload } from "./workload";

/** What a month uses. */
export function usageOf(workload: Workload): Usage {
  return workload.delivery === "replay" ? replayUsageOf(workload) : retryUsageOf(workload);
}
