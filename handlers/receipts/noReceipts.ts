import type { Environment } from "../environment";
import { consoleLog, type Log } from "../log";
import { NO_RECEIPTS, type Receipts } from "./receipts";

/**
 * Takes the place of `snsReceipts.ts` in the bundles of a relay without receipts.
 *
 * An update that turns receipts on changes a function's environment before its code, so this bundle may run with a topic:
 * throwing here would fail the messages of that time.
 */
export const receiptsFromEnvironment = ((environment: Environment, log: Log = consoleLog): Receipts => {
  if (environment.RECEIPTS_TOPIC_ARN) log.warn("receipts not published: this bundle was built without them");
  return NO_RECEIPTS;
}) satisfies typeof import("./snsReceipts").receiptsFromEnvironment;
