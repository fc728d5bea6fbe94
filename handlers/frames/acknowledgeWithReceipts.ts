import type { Environment } from "../environment";
import { acknowledge, dependenciesFromEnvironment } from "./acknowledge";
import type { FrameHandler } from "./frame";
import { receiptsFromEnvironment } from "../receipts/receipts";

/** `acknowledge` as the component deploys it where the topic `RECEIPTS_TOPIC_ARN` is told of what was delivered. */
export function acknowledgeWithReceiptsFromEnvironment(environment: Environment): FrameHandler {
  const receipts = receiptsFromEnvironment(environment);
  return acknowledge({ ...dependenciesFromEnvironment(environment), receipts });
}
