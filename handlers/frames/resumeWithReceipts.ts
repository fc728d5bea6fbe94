import type { Environment } from "../environment";
import { dependenciesFromEnvironment, resume } from "./resume";
import type { FrameHandler } from "./frame";
import { receiptsFromEnvironment } from "../receipts/receipts";

/** `resume` as the component deploys it where the topic `RECEIPTS_TOPIC_ARN` is told of what has expired. */
export function resumeWithReceiptsFromEnvironment(environment: Environment): FrameHandler {
  const receipts = receiptsFromEnvironment(environment);
  return resume({ ...dependenciesFromEnvironment(environment), receipts });
}
