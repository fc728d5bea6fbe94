import { METRICS, type Metrics } from "../metrics";
import { isUserAway, stableReason } from "./reasons";

/** Counts a message that the dead-letter queue has accepted: by its reason, and by whether its user was only away. */
export function countDeadLetter(metrics: Metrics, reason: string): void {
  metrics.add(METRICS.deadLettered, 1, stableReason(reason));
  metrics.add(isUserAway(reason) ? METRICS.deadLetteredUserAway : METRICS.deadLetteredToFix, 1);
}
