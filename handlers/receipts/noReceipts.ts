import type { Environment } from "../environment";
import type { Receipts } from "./receipts";

/**
 * Receipts to nobody, for a function of a stack that asks for none: the client of their topic is a tenth of a bundle, and the
 * module `instead` has it alone.
 */
export function noReceipts(environment: Environment, instead: string): Receipts {
  if (environment.RECEIPTS_TOPIC_ARN) {
    throw new Error(`RECEIPTS_TOPIC_ARN is set: the component deploys ${instead} where it is`);
  }
  return { wanted: false, publish: () => Promise.resolve() };
}
