import { acknowledgeCallback } from "./acknowledge";
import { connectCallbacks } from "./connect";
import { deliverCallbacks } from "./deliver";
import { disconnectCallback } from "./disconnect";
import { flushCallback } from "./flush";
import { historySweeperCallback } from "./historySweeper";
import type { OwnCallback } from "./ownBundle";
import { readCallback } from "./read";
import { resumeCallback } from "./resume";
import { sessionSweeperCallback } from "./sessionSweeper";

/** The callbacks of all functions in both modes: the package carries every build of each. */
export const ownCallbacks: OwnCallback[] = [
  connectCallbacks.retry,
  connectCallbacks.replay,
  disconnectCallback,
  deliverCallbacks.retry,
  deliverCallbacks.replay,
  resumeCallback,
  acknowledgeCallback,
  flushCallback,
  readCallback,
  historySweeperCallback,
  sessionSweeperCallback,
];
