import type { Environment } from "../environment";
import { dependenciesFromEnvironment, expire, type ExpireHandler } from "./historySweeper";
import { receiptsFromEnvironment } from "../receipts/receipts";

/** `expire` as the component deploys it where the topic `RECEIPTS_TOPIC_ARN` is told of what has expired. */
export function expireWithReceiptsFromEnvironment(environment: Environment): ExpireHandler {
  const receipts = receiptsFromEnvironment(environment);
  return expire({ ...dependenciesFromEnvironment(environment), receipts });
}
