import { NO_RECEIPTS } from "./receipts";

/** Takes the place of `topicReceipts.ts` in the bundles of a relay without receipts. */
export const receiptsFromEnvironment: typeof import("./topicReceipts").receiptsFromEnvironment = (environment) => {
  if (environment.RECEIPTS_TOPIC_ARN) {
    throw new Error("RECEIPTS_TOPIC_ARN is set, but this bundle was built without receipts");
  }
  return NO_RECEIPTS;
};
