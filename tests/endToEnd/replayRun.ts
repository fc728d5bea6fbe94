import type { History } from "./history";
import type { ReceiptsInbox } from "./receipts";
import type { Relay } from "./relay";

/** One local run of a relay in replay mode, which the parts of its tests share. */
export interface ReplayRun {
  relay: Relay;
  history: History;
  inbox: ReceiptsInbox;
}

export const retentionSeconds = 86_400;

/** Longer ago than the retention and the slack after which messages are deleted. */
export const longAgoSeconds = retentionSeconds + 600;
