import { setTimeout } from "node:timers/promises";

/** Between two reads of a state that has no notifications: reading without a pause, two processes would do nothing else. */
export const pause = (): Promise<void> => setTimeout(20);
