import type { DeliverHandler } from "./deliverHandler";
import type { Environment } from "../environment";
import { deliverReplay, dependenciesFromEnvironment } from "./replayDeliver";
import { receiptsFromEnvironment } from "../receipts/receipts";

/** `deliver` as the component deploys it where messages are replayed, and the topic `RECEIPTS_TOPIC_ARN` is told of the dead. */
export function deliverWithReceiptsFromEnvironment(environment: Environment): DeliverHandler {
  return deliverReplay({
    ...dependenciesFromEnvironment(environment),
    receipts: receiptsFromEnvironment(environment),
  });
}
